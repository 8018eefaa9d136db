"""What ornaments are read as does not make a greeting harmful: only sure readings and listed words join to a score."""

from pathlib import Path

import numpy as np
import pytest

from gatepost_server.stages.text_toxicity.judge import Judge
from gatepost_server.text.classifier import read_model
from gatepost_server.text.combination import read_combination
from gatepost_server.text.lexicon import read_lexicon
from gatepost_server.text.scorer import FRAGMENT_AT_MOST, TextScorer

MODEL = Path(__file__).parents[3] / "model_repository/text_toxicity/1"
COLUMNS = 9


@pytest.fixture(scope="module")
def suspicious() -> Judge:
    """A judge whose meaning takes every text for harm."""
    scorer = TextScorer(
        read_lexicon(MODEL / "lexicons"),
        read_model(MODEL / "weights.npz"),
        read_combination(MODEL / "combination.json"),
    )
    return Judge(scorer, lambda texts: np.full((len(texts), COLUMNS), 6.0, np.float32))


def joined(judge: Judge, texts: list[str], confidences: list[float]) -> float:
    lines = judge.lines(texts, confidences)
    return float(judge.joined(lines, confidences, [tuple(range(len(texts)))]).scores.max())


def test_lines_that_are_read_surely_are_judged_together(suspicious: Judge) -> None:
    assert joined(suspicious, ["deck the halls", "pals for life"], [0.98, 0.98]) > 0.5


@pytest.mark.parametrize("stray", ["QQ留", "SY", "SB", "巴"])
def test_a_few_letters_that_are_read_unsurely_add_nothing(suspicious: Judge, stray: str) -> None:
    assert joined(suspicious, ["deck the halls", stray], [0.98, 0.71]) <= FRAGMENT_AT_MOST + 1e-6


def test_a_few_letters_that_are_read_surely_count(suspicious: Judge) -> None:
    assert joined(suspicious, ["deck the halls", "you"], [0.98, 0.95]) > 0.5


def test_digits_one_by_one_say_nothing(suspicious: Judge) -> None:
    assert joined(suspicious, ["0", "6", "d", "a", "5"], [0.9] * 5) <= FRAGMENT_AT_MOST + 1e-6


def test_a_listed_word_counts_however_small_its_parts(suspicious: Judge) -> None:
    assert joined(suspicious, ["傻", "逼"], [0.7, 0.7]) > 0.5


@pytest.mark.parametrize("stray", ["SB", "GHB"])
def test_listed_letters_hold_a_card_only_where_they_are_read_surely(suspicious: Judge, stray: str) -> None:
    texts = ["余生很长，有你真好", stray]
    unsure, sure = (suspicious.lines(texts, [0.98, confidence]).scores[1].max() for confidence in (0.65, 0.95))
    assert unsure < 0.5 < 0.9 < sure
