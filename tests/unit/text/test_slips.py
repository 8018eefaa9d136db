"""A slip of the reader is told from another text."""

from __future__ import annotations

import pytest

from gatepost_server.text.folded import fold
from gatepost_server.text.slips import fit


def compared(drawn: str, asked: str, confidence: float = 0.99):
    left, right = fold(drawn), fold(asked)
    return fit(left, confidence, (0, len(left.text)), right, (0, len(right.text)))


@pytest.mark.parametrize(
    ("drawn", "asked"),
    [
        ("新牛快乐", "新年快乐"),
        ("Conqratulations", "Congratulations"),
        ("Yaer", "Year"),
        ("新年乐", "新年快乐"),
        ("welll", "well"),
        ("谢谢你的的桂花糕", "谢谢你的桂花糕"),
        ("祝你安康", "祝您安康"),
    ],
)
def test_a_slip_changes_nothing(drawn, asked):
    assert not compared(drawn, asked).changed


@pytest.mark.parametrize(
    ("drawn", "asked"),
    [
        ("年年有难", "年年有余"),
        ("不开心", "开心"),
        ("永分离", "永不分离"),
        ("60th", "40th"),
        ("hate", "love"),
        ("Dan", "Pat"),
    ],
)
def test_another_number_name_or_turned_wish_is_a_change(drawn, asked):
    assert compared(drawn, asked).changed


def test_doubt_excuses_a_character_but_never_a_grave_one():
    assert compared("西出阳水无故人", "西出阳关无故人").changed
    assert not compared("西出阳水无故人", "西出阳关无故人", 0.94).changed
    assert compared("年年有难", "年年有余", 0.6).changed


def test_a_grave_character_is_a_slip_only_where_it_looks_alike_and_was_read_with_doubt():
    assert compared("平安呆给你", "平安果给你").changed
    assert not compared("平安呆给你", "平安果给你", 0.9).changed


def test_similarity_counts_characters_that_look_alike_as_the_same():
    assert compared("新牛快乐", "新年快乐").similarity == 1.0
    assert compared("年年有难", "年年有余").similarity == 0.75
