"""The shipped encoder: texts to logits, in batches or alone, and files that cannot be used are refused at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.labels import Category
from gatepost_server.stages.text_toxicity import TextToxicity
from gatepost_server.stages.text_toxicity.encoder import FILES, Encoder

DIRECTORY = Path(__file__).parents[3] / "model_repository/text_toxicity/1"
TEXTS = [
    "新年快乐",
    "祝你早日升天",
    "happy birthday to you and your whole family",
    "enjoy your last birthday",
    "",
    "福",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(DIRECTORY, precision="f32")


def test_every_text_has_a_logit_in_every_category(encoder: Encoder) -> None:
    found = encoder(TEXTS)
    assert found.shape == (len(TEXTS), len(encoder.categories))
    assert np.isfinite(found).all()


def test_no_texts_have_no_rows(encoder: Encoder) -> None:
    assert encoder([]).shape == (0, len(encoder.categories))


def test_company_in_a_batch_does_not_change_an_answer(encoder: Encoder) -> None:
    together = encoder(TEXTS)
    alone = np.stack([Encoder(DIRECTORY, precision="f32")([text])[0] for text in TEXTS[:3]])
    np.testing.assert_allclose(together[:3], alone, atol=2e-3)


def test_a_text_asked_twice_gets_the_same_answer(encoder: Encoder) -> None:
    twice = encoder(["万事如意", "万事如意", *TEXTS])
    assert (twice[0] == twice[1]).all()
    assert (encoder(["万事如意"])[0] == twice[0]).all()


def test_onnxruntime_answers_as_openvino_does(encoder: Encoder) -> None:
    other = Encoder(DIRECTORY, engine="onnxruntime")
    np.testing.assert_allclose(other(TEXTS), encoder(TEXTS), atol=5e-3)


def test_a_very_long_text_is_cut_off(encoder: Encoder) -> None:
    assert np.isfinite(encoder(["新年快乐" * 500])).all()


def test_a_wish_of_death_means_something_else_than_a_wish(encoder: Encoder) -> None:
    column = encoder.categories.index(Category.ILL_OMEN)
    kind, unkind = encoder(["祝你早日升职", "祝你早日升天"])[:, column]
    assert unkind > kind + 3


@pytest.mark.parametrize("name", [*FILES, "combination.json", "weights.npz"])
def test_a_missing_file_stops_the_stage_from_starting(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    (folder / name).unlink()
    with pytest.raises(OSError, match=name.replace(".", r"\.")):
        TextToxicity({"directory": str(folder)})


@pytest.mark.parametrize("name", [*FILES, "combination.json"])
def test_a_broken_file_stops_the_stage_from_starting(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    (folder / name).write_bytes(b"nothing that can be used")
    with pytest.raises(ValueError, match=r".+"):
        TextToxicity({"directory": str(folder)})


def test_files_that_judge_different_categories_stop_the_stage_from_starting(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    facts = json.loads((folder / "encoder.json").read_text())
    facts["categories"].reverse()
    (folder / "encoder.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="different categories"):
        TextToxicity({"directory": str(folder)})


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(DIRECTORY, folder / "model", ignore=shutil.ignore_patterns("__pycache__")))
