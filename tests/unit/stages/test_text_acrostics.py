"""Acrostics are scored where an entry is all of them or long; what a line says itself is no acrostic."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.text_toxicity.hidden import read_edges
from gatepost_server.text.lexicon import Entry, Lexicon, Strength

STRONG = ["笨猪", "神经病", "find you", "slut", "fat"]
ENTRIES = [
    *(Entry(term, Category.INSULT, Strength.STRONG, False, "test") for term in STRONG),
    *(Entry(term, Category.INSULT, Strength.WEAK, False, "test") for term in ("傻瓜", "jerk")),
]


class _Model:
    """Everything is equally rare."""

    def rarity(self, text: str) -> float:
        return 3.0


@dataclass(frozen=True)
class _Scorer:
    lexicon: Lexicon
    model: _Model


SCORER = _Scorer(Lexicon(ENTRIES), _Model())


def score(*lines: str, trust: float = 1.0) -> float:
    scores = read_edges(SCORER, lines, range(len(lines)), trust)  # type: ignore[arg-type]
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
