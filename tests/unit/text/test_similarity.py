"""What was asked for is recognised however it is laid out; what was not is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost_server.text.similarity import expected_similarity, similarities

GREETING = ["新年快乐,仕途顺遂"]
ENGLISH = ["Happy New Year", "Best wishes from the Smith family"]


@pytest.mark.parametrize(
    "line", ["新年快乐", "仕途顺遂", "新年快樂，仕途順遂", "顺遂", "新年 快乐", "乐快年新", "「新年快乐」！"]
)
def test_a_piece_of_the_expected_text_is_wholly_expected(line: str) -> None:
    assert expected_similarity(line, GREETING) == 1.0


@pytest.mark.parametrize(
    "line", ["傻逼去死", "你妈死了", "早日升天", "Happy New Year", "仕途不顺", "新年快死", "新年快滚"]
)
def test_other_characters_are_not_similar(line: str) -> None:
    assert expected_similarity(line, GREETING) < 0.5


def test_one_slip_of_the_reader_is_forgiven() -> None:
    assert 0.7 <= expected_similarity("新牛快乐", GREETING) < 1.0
    assert expected_similarity("Happy New Yaer", ENGLISH) > 0.6


@pytest.mark.parametrize("line", ["HAPPY NEW YEAR", "HAPPYNEWYEAR", "best wishes", "from the Smith family"])
def test_case_and_lost_spaces_do_not_matter(line: str) -> None:
    assert expected_similarity(line, ENGLISH) == 1.0


@pytest.mark.parametrize("line", ["You are an idiot", "Go to hell loser", "fuck you"])
def test_another_english_sentence_is_not_similar(line: str) -> None:
    assert expected_similarity(line, ENGLISH) < 0.3


def test_a_line_may_hold_several_expected_texts() -> None:
    assert expected_similarity("万事如意 新年快乐", ["新年快乐", "万事如意"]) == 1.0


def test_only_the_expected_part_of_a_line_counts() -> None:
    assert expected_similarity("新年快乐你妈死了", ["新年快乐"]) == pytest.approx(0.5, abs=0.1)


def test_characters_that_spell_the_text_in_some_order_are_expected() -> None:
    assert similarities(["年", "新", "乐", "快"], ["新年快乐"], [(0, 1, 2, 3), (1, 0, 3, 2)]) == [1.0] * 4


def test_nothing_is_similar_to_nothing() -> None:
    assert expected_similarity("", GREETING) == 0.0
    assert expected_similarity("新年快乐", []) == 0.0
    assert similarities([], GREETING, [()]) == []


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3))
def test_similarity_is_always_between_nought_and_one(line: str, expected: list[str]) -> None:
    assert 0.0 <= expected_similarity(line, expected) <= 1.0


def test_a_very_long_line_of_pieces_is_compared_all_the_same() -> None:
    assert 0.0 <= expected_similarity("春x" * 1_000, ["春", "福春"]) <= 1.0
