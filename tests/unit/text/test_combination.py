"""How meaning, form and the lexicon go together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.text.combination import FEATURES, MONOTONE, Combination, features, in_all, read_combination
from gatepost_server.text.lexicon import Entry, Form, Match, Strength

SHIPPED = Path(__file__).parents[3] / "model_repository/text_toxicity/1/combination.json"
COLUMNS = (Category.INSULT, Category.SPAM)
INSULT = CATEGORIES.index(Category.INSULT)


def match(strength: Strength, form: Form, category: Category = Category.INSULT) -> Match:
    return Match(Entry("坏蛋", category, strength, False, "test"), form)


def known(**given: object) -> dict[str, float]:
    """Features of the first category by name."""
    values = {"text": "坏蛋", "matches": (), "logits": (0.0, 0.0), "margins": (0.0, 0.0)} | given
    logits, margins = (np.asarray(values[name], np.float32) for name in ("logits", "margins"))
    rows = features(values["text"], values["matches"], logits, margins, COLUMNS)  # type: ignore[arg-type]
    return dict(zip(FEATURES, rows[0].tolist(), strict=True))


def test_meaning_and_form_are_bounded() -> None:
    row = known(logits=(99.0, -99.0), margins=(-99.0, 0.0))
    assert (row["meaning"], row["meaning elsewhere"], row["form"]) == (8.0, -8.0, -8.0)


def test_a_match_tells_how_strong_it_is_and_how_it_was_found() -> None:
    assert known(matches=[match(Strength.STRONG, Form.WRITTEN)])["strong as written"] == 1.0
    assert known(matches=[match(Strength.STRONG, Form.SOUND)])["strong otherwise"] == 1.0
    assert known(matches=[match(Strength.WEAK, Form.WRITTEN)])["weak"] == 1.0


def test_a_match_of_another_category_tells_nothing() -> None:
    row = known(matches=[match(Strength.STRONG, Form.WRITTEN, Category.SPAM)])
    assert row["strong as written"] == row["strong otherwise"] == row["weak"] == 0.0


def test_length_grows_and_language_is_seen() -> None:
    assert known(text="坏蛋坏蛋")["length"] > known(text="坏蛋")["length"]
    assert known(text="坏蛋")["chinese"] == 1.0
    assert known(text="rascal")["chinese"] == 0.0


ZEROS = np.zeros(2, np.float32)


def by_meaning(any_bias: float) -> Combination:
    """Believes the encoder alone; `any_bias` are the log odds of harm in any category."""
    weights = np.zeros((2, len(FEATURES)), np.float32)
    weights[:, FEATURES.index("meaning")] = 1.0
    any_weights = np.zeros_like(in_all(np.zeros((2, len(FEATURES)), np.float32)))
    return Combination(COLUMNS, weights, ZEROS, any_weights, any_bias, "test")


def test_an_empty_text_scores_nothing_and_others_score_what_was_fitted() -> None:
    both = by_meaning(any_bias=-9.0)
    assert not both.probabilities("", (), ZEROS, ZEROS).any()
    scores = both.probabilities("坏蛋", (), np.array([2.0, 0.0], np.float32), ZEROS)
    assert scores[INSULT] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert np.count_nonzero(scores) == 2


def test_harm_of_no_clear_kind_is_told_by_the_likeliest_category() -> None:
    scores = by_meaning(any_bias=3.0).probabilities("坏蛋", (), np.array([-1.0, -2.0], np.float32), ZEROS)
    assert scores[INSULT] == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert scores[CATEGORIES.index(Category.SPAM)] == pytest.approx(1 / (1 + np.exp(2.0)))


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Combination(COLUMNS, np.zeros((2, 3), np.float32), ZEROS, ZEROS, 0.0, "test")
    with pytest.raises(ValueError, match="do not fit 2 categories"):
        Combination(COLUMNS, np.zeros((2, len(FEATURES)), np.float32), ZEROS, ZEROS, 0.0, "test")


def test_a_file_made_for_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "combination.json"
    path.write_text(json.dumps({"features": ["mood"], "categories": {}}))
    with pytest.raises(ValueError, match="other features"):
        read_combination(path)


def test_in_the_shipped_weights_more_evidence_never_means_less() -> None:
    shipped = read_combination(SHIPPED)
    columns = [FEATURES.index(name) for name in MONOTONE]
    assert (shipped.weights[:, columns] >= 0).all()
    assert (shipped.weights[:, FEATURES.index("meaning")] > 0.1).all()
