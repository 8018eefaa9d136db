"""Disguises change what a line says to a filter, not what it says to a reader."""

from __future__ import annotations

import pytest
from pypinyin import lazy_pinyin

from benchmarks.evaluate.disguises import CHINESE, ENGLISH, disguised, halves


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_disguises_leave_the_small_words_alone(name: str) -> None:
    changed = disguised(name, "zh", "你是个笨猪", 1)
    assert changed is not None
    assert changed.startswith("你是个")
    assert "笨猪" not in changed


@pytest.mark.parametrize("name", ENGLISH)
def test_english_disguises_leave_the_small_words_alone(name: str) -> None:
    changed = disguised(name, "en", "You are a stupid pig", 1)
    assert changed is not None
    assert changed.startswith("You are a ")
    assert "stupid" not in changed


def test_homophones_sound_alike() -> None:
    changed = disguised("homophone", "zh", "笨猪", 1)
    assert changed is not None
    assert lazy_pinyin(changed) == lazy_pinyin("笨猪")


def test_the_same_seed_gives_the_same_disguise() -> None:
    assert disguised("dotted", "zh", "大笨猪", 7) == disguised("dotted", "zh", "大笨猪", 7)


def test_a_disguise_that_changes_nothing_says_so() -> None:
    assert disguised("leet", "en", "dumb", 1) is None
    assert disguised("traditional", "zh", "你是笨蛋", 1) is None


def test_lines_break_in_the_middle_of_what_they_say() -> None:
    assert halves("你是大笨猪", "zh") == ("你是大", "笨猪")
    assert halves("you are a pig", "en") == ("you are", "a pig")
    assert halves("pig", "en") is None
