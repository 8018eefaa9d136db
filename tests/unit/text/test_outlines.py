"""A part of a line stands in a part of its outline."""

from __future__ import annotations

import pytest

from gatepost_server.text.outlines import part

ROW = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))
ARCH = ((0.0, 50.0), (50.0, 0.0), (100.0, 50.0), (100.0, 70.0), (50.0, 20.0), (0.0, 70.0))


def test_letters_are_spread_evenly():
    assert part(ROW, "abcd", 1, 3) == ((25.0, 0.0), (75.0, 0.0), (75.0, 20.0), (25.0, 20.0))


def test_a_chinese_character_is_wider_than_a_letter():
    (left, _), *_ = part(ROW, "新a", 1, 2)
    assert left > 60.0


def test_a_bent_line_keeps_its_corners():
    assert part(ARCH, "abcd", 1, 4) == (
        (25.0, 25.0), (50.0, 0.0), (100.0, 50.0), (100.0, 70.0), (50.0, 20.0), (25.0, 45.0)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("polygon", "start", "end"), [(ROW, 0, 4), (ROW[:3], 1, 2), (ROW, 2, 2), (ROW, 3, 9), (((1.0, 1.0),) * 4, 1, 2)]
)
def test_where_it_cannot_be_told_the_whole_outline_is(polygon, start, end):
    assert set(part(polygon, "abcd", start, end)) <= set(polygon)
