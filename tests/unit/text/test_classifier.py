"""The linear model: what a line's features are, and how weights become probabilities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.text.classifier import LinearModel, expand, read_model
from gatepost_server.text.features import BUCKETS, hashed_views, rarity, shape, weigh
from gatepost_server.text.lexicon import Entry, Form, Match, Strength

ONES = np.ones(BUCKETS, np.float32)
SHIPPED = Path(__file__).parents[3] / "model_repository/text_toxicity/1/weights.npz"


def model_that_knows(word: str, category: Category) -> LinearModel:
    """A model in which every feature of `word` speaks for `category`."""
    weights = np.zeros((BUCKETS, 1), np.int8)
    buckets, _ = weigh(hashed_views(word, ()), ONES)
    weights[buckets] = 127
    return LinearModel(
        categories=(category,),
        weights=weights,
        scales=np.full(1, 4.0, np.float32),
        bias=np.full(1, -4.0, np.float32),
        idf=ONES,
        slope=np.ones(1, np.float32),
        shift=np.zeros(1, np.float32),
        version="test",
    )


def test_a_known_word_scores_in_its_category_only() -> None:
    scores = model_that_knows("坏蛋", Category.INSULT).probabilities("坏蛋", ())
    assert scores[CATEGORIES.index(Category.INSULT)] > 0.9
    assert np.count_nonzero(scores) == 1


def test_another_word_does_not_score() -> None:
    assert model_that_knows("坏蛋", Category.INSULT).probabilities("新年快乐", ()).max() < 0.3


def test_a_word_of_the_same_sound_is_like_it() -> None:
    model = model_that_knows("傻逼", Category.INSULT)
    assert model.margins("煞笔", ())[0] > model.margins("新年", ())[0] + 2


def test_an_empty_text_scores_nothing() -> None:
    assert not model_that_knows("坏蛋", Category.INSULT).probabilities("", ()).any()


def test_every_view_of_a_line_has_unit_length() -> None:
    views = hashed_views("happy 新年", ())
    _, values = weigh(views, ONES)
    assert float(np.square(values).sum()) == pytest.approx(len(views), rel=1e-5)


def test_an_entry_found_by_its_initials_changes_no_feature() -> None:
    entry = Entry("你妈死了", Category.INSULT, Strength.STRONG, False, "test")
    plain = hashed_views("nmsl", ())
    assert len(hashed_views("nmsl", [Match(entry, Form.INITIALS)])) == len(plain)
    assert len(hashed_views("nmsl", [Match(entry, Form.WRITTEN)])) == len(plain) + 1


def test_addresses_names_and_numbers_become_what_they_are() -> None:
    assert shape("加 13800138000 www.a.com @bob").split() == ["加#11", "#url", "#user"]


def test_running_text_is_less_rare_than_its_characters_in_columns() -> None:
    idf = read_model(SHIPPED).idf
    assert rarity("新年快乐万事如意", idf) < rarity("万新事年如快意乐", idf)
    assert rarity("新", idf) == rarity("", idf) == idf.max()


def test_int8_roots_expand_to_signed_squares() -> None:
    assert expand(np.array([-127, 0, 127], np.int8)).tolist() == [-1.0, 0.0, 1.0]


def test_a_file_is_read_with_its_content_as_version(tmp_path: Path) -> None:
    known = model_that_knows("坏蛋", Category.INSULT)
    arrays = {name: getattr(known, name) for name in ("weights", "scales", "bias", "idf", "slope", "shift")}
    np.savez_compressed(tmp_path / "a.npz", categories=json.dumps(["insult"]), **arrays)
    np.savez_compressed(tmp_path / "b.npz", categories=json.dumps(["hate"]), **arrays)
    first, second = read_model(tmp_path / "a.npz"), read_model(tmp_path / "b.npz")
    assert first.categories == (Category.INSULT,)
    assert first.version != second.version
    assert first.probabilities("坏蛋", ())[0] == known.probabilities("坏蛋", ())[0]


def test_weights_of_another_size_are_refused() -> None:
    known = model_that_knows("坏蛋", Category.INSULT)
    with pytest.raises(ValueError, match="do not fit"):
        LinearModel(
            known.categories, known.weights[:8], known.scales, known.bias, known.idf, known.slope, known.shift, "x"
        )
