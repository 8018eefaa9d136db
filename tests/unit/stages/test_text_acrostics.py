"""Acrostics are scored where an entry is all of them or long; what a line says itself is no acrostic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.text_toxicity.hidden import read_edges
from gatepost_server.text.lexicon import Entry, Lexicon, Strength

MEANT, RARE = "大家恨", "家恨大"  # in no list: one is language, the other a heap of characters
STRONG = ["笨猪", "神经病", "find you", "slut", "fat"]
ENTRIES = [
    *(Entry(term, Category.INSULT, Strength.STRONG, False, "test") for term in STRONG),
    *(Entry(term, Category.INSULT, Strength.WEAK, False, "test") for term in ("傻瓜", "jerk")),
]


class _Model:
    """Everything is equally rare, but for one phrase."""

    def rarity(self, text: str) -> float:
        return 2.0 if text == MEANT else 3.0


@dataclass(frozen=True)
class _Scorer:
    """Two phrases mean an insult, whatever is read beside them."""

    lexicon: Lexicon
    model: _Model

    def read(self, text: str) -> str:
        return text

    def meant(self, reading: str, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = np.zeros(len(CATEGORIES), np.float32)
        scores[CATEGORIES.index(Category.INSULT)] = 0.95 if reading in (MEANT, RARE) else 0.6
        return scores


def _nothing(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.zeros((len(texts), 1), np.float32)


SCORER = _Scorer(Lexicon(ENTRIES), _Model())


def score(*lines: str, trust: float = 1.0) -> float:
    scores = read_edges(SCORER, _nothing, lines, range(len(lines)), trust)  # type: ignore[arg-type]
    return float(scores[CATEGORIES.index(Category.INSULT)])


@pytest.mark.parametrize(
    "lines",
    [
        ("笨笨的小熊", "猪圈旁睡觉"),
        ("小熊很笨", "门前有猪"),
        ("神清气爽", "经年不变", "病去春来"),
        ("年年有鱼", "神清气爽", "经年不变", "病去春来"),
        ("sing with me", "laugh with me", "under the sun", "together"),
        ("i will", "find joy", "you too"),
        ("jolly good", "every one", "really nice", "kind regards"),
        ("傻傻地等你", "瓜子配清茶"),
    ],
)
def test_lines_that_spell_abuse_down_their_edges_are_held(lines: tuple[str, ...]) -> None:
    assert score(*lines) >= 0.5


@pytest.mark.parametrize(
    "lines",
    [
        ("新年快乐", "万事如意"),
        ("笨笨的小熊", "猪圈旁睡觉", "新年快乐"),
        ("傻傻地等你", "瓜子配清茶", "新年快乐"),
        ("fat tuesday", "slim wednesday", "good thursday"),
        ("笨猪一头", "笨笨的小熊", "猪圈旁睡觉"),
    ],
)
def test_what_is_met_by_chance_or_known_already_is_no_acrostic(lines: tuple[str, ...]) -> None:
    assert score(*lines) == 0.0


def test_lines_that_are_hardly_trusted_say_less() -> None:
    assert score("笨笨的小熊", "猪圈旁睡觉", trust=0.1) < 0.5


def test_an_acrostic_that_is_in_no_list_is_a_question_where_it_reads_like_language() -> None:
    assert 0.5 <= score("大雪纷飞", "家家户户", "恨晚相逢") < 0.8


def test_characters_that_only_happen_to_stand_there_mean_nothing() -> None:
    assert score("家家户户", "恨晚相逢", "大雪纷飞") == 0.0
    assert score("大雪纷飞", "家家户户") == 0.0  # too short to be told from chance
