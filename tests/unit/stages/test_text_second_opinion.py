"""Any sequence classifier in Hugging Face's format can be asked for a second opinion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.engines.torchvision_shim import ensure_torchvision
from gatepost_server.stages.base import StageResult, text_array
from gatepost_server.stages.text_toxicity import TextToxicity
from gatepost_server.stages.text_toxicity.sequence_classifier import SequenceClassifier

DIRECTORY = Path(__file__).parents[3] / "model_repository/text_toxicity/1"
INSULT, HATE = CATEGORIES.index(Category.INSULT), CATEGORIES.index(Category.HATE)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-label BERT with a vocabulary of letters, as `save_pretrained` writes it."""
    ensure_torchvision()
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("checkpoint")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *"新年快乐傻逼"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=128,
        id2label={0: "fine", 1: "toxic"},
        label2id={"fine": 0, "toxic": 1},
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.bias.copy_(torch.tensor([0.0, 4.0]))  # an opinion that can be told apart
    model.save_pretrained(folder)
    return folder


def test_labels_become_categories_and_the_others_stay_unjudged(checkpoint: Path) -> None:
    opinion = SequenceClassifier(str(checkpoint))(["新年快乐", "abc", ""])
    assert opinion.shape == (3, len(CATEGORIES))
    assert (opinion[:, INSULT] > 0.9).all()
    assert np.isnan(np.delete(opinion, INSULT, axis=1)).all()


def test_a_setting_names_the_category_of_a_label(checkpoint: Path) -> None:
    opinion = SequenceClassifier(str(checkpoint), labels="fine=hate")(["abc"])
    assert opinion[0, HATE] == pytest.approx(1 - opinion[0, INSULT], abs=1e-5)


def test_labels_that_name_no_category_are_refused(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost_server.stages.text_toxicity.sequence_classifier._KNOWN_LABELS", {})
    with pytest.raises(ValueError, match="classifier_labels"):
        SequenceClassifier(str(checkpoint))


def test_the_stage_takes_the_mean_of_both_opinions(checkpoint: Path) -> None:
    alone = TextToxicity({"directory": str(DIRECTORY)})
    both = TextToxicity({"directory": str(DIRECTORY), "classifier": str(checkpoint)})
    item = {
        "TEXTS": text_array(["新年快乐", "傻逼", ""]),
        "TEXT_CONFIDENCES": np.ones(3, np.float32),
        "POLYGON_POINTS": np.zeros((12, 2), np.float32),
        "POLYGON_SIZES": np.full(3, 4, np.int32),
        "LINE_VIEWS": np.arange(3, dtype=np.int32),
        "EXPECTED": text_array([]),
    }
    [one], [two] = alone.run([item]), both.run([item])
    assert isinstance(one, StageResult)
    assert isinstance(two, StageResult)
    first, second = one.arrays["LINE_SCORES"], two.arrays["LINE_SCORES"]
    opinion = SequenceClassifier(str(checkpoint))(["新年快乐"])[0, INSULT]
    assert second[0, INSULT] == pytest.approx((first[0, INSULT] + opinion) / 2, abs=1e-5)
    assert second[1, INSULT] >= 0.95  # the lexicon's floor stays
    assert second[2].tolist() == [0.0] * len(CATEGORIES)
    assert second[0, HATE] == first[0, HATE]
    assert len(both.models) == len(alone.models) + 1
