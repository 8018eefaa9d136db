"""Adjacent columns that were read as rows are found by where their characters stand, and read down again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost_server.text.grids import Grid, grids
from gatepost_server.text.reading_order import Box

CELL = 0.1


def row(text: str, y: int, x: float = 0.0, *, cell: float = CELL, pitch: float = CELL) -> tuple[Box, str]:
    """A row of characters whose first stands in column `x` and row `y`."""
    left, top = 0.1 + x * pitch, 0.1 + y * pitch
    return Box(left, top, left + cell * len(text), top + cell), text


def column(text: str, x: int, y: int = 0) -> tuple[Box, str]:
    left, top = 0.1 + x * CELL, 0.1 + y * CELL
    return Box(left, top, left + CELL, top + CELL * len(text)), text


def found(lines: Sequence[tuple[Box, str]]) -> list[Grid]:
    return grids([box for box, _ in lines], [text for _, text in lines])


def readings(lines: Sequence[tuple[Box, str]]) -> list[tuple[str, ...]]:
    return [grid.readings for grid in found(lines)]


def test_rows_of_one_length_are_read_as_columns_from_right_to_left() -> None:
    [grid] = found([row("日祝", 0), row("升你", 1), row("天早", 2)])
    assert grid.readings == ("祝你早", "日升天")
    assert grid.orders == ((0, 1), (1, 0))
    assert grid.members == (0, 1, 2)
    assert grid.through == (frozenset({0, 1, 2}), frozenset({0, 1, 2}))


def test_the_order_in_which_lines_were_detected_does_not_matter() -> None:
    assert readings([row("天早", 2), row("日祝", 0), row("升你", 1)]) == [("祝你早", "日升天")]


def test_boxes_that_a_detector_placed_a_little_off_still_form_a_grid() -> None:
    boxes = [Box(0.29, 0.29, 0.71, 0.4), Box(0.28, 0.39, 0.715, 0.51), Box(0.283, 0.5, 0.71, 0.605)]
    [grid] = grids(boxes, ["全滚大你", "家出傻是", "死中逼一"])
    assert grid.readings == ("你是一", "大傻逼", "滚出中", "全家死")


def test_a_shorter_last_row_is_read_under_the_columns_that_it_stands_under() -> None:
    assert readings([row("升祝", 0), row("天你", 1), row("早", 2, 1), row("日", 3, 1)]) == [("祝你早日", "升天")]


def test_a_shorter_first_row_is_read_over_the_columns_that_it_stands_over() -> None:
    assert readings([row("祝", 0, 1), row("升你", 1), row("天早", 2)]) == [("祝你早", "升天")]


def test_a_column_that_was_read_in_blocks_is_put_together() -> None:
    blocks = [row("升祝", 0), row("天你", 1), column("早日", 1, 2)]
    assert readings(blocks) == [("祝你早日", "升天")]
    halves = [row("全滚", 0), row("大你", 0, 2), row("家出", 1), row("傻是", 1, 2), row("死中逼一", 2)]
    assert readings(halves) == [("你是一", "大傻逼", "滚出中", "全家死")]


def test_rows_that_were_read_as_columns_are_read_as_rows() -> None:
    [grid] = found([column("你去", 0), column("是死", 1), column("谁吧", 2)])
    assert grid.readings == ("你是谁", "去死吧")
    assert grid.orders == ((0, 1),)


def test_lines_far_from_one_another_are_no_grid() -> None:
    assert readings([row("新年快乐", 0), row("万事如意", 3)]) == []


def test_lines_of_different_sizes_are_no_grid() -> None:
    assert readings([row("新年", 0, cell=0.2), row("万事如意", 2)]) == []


def test_unevenly_spaced_rows_are_no_grid() -> None:
    lines = [(Box(0.1, y, 0.5, y + 0.1), "新年快乐") for y in (0.1, 0.17, 0.33)]
    assert readings(lines) == []


def test_one_line_is_no_grid_and_english_lines_are_none() -> None:
    assert readings([row("新年快乐", 0)]) == []
    assert readings([row("HAPPY", 0), row("MERRY", 1)]) == []
    assert readings([]) == []


def test_single_characters_are_left_to_the_reading_orders() -> None:
    assert readings([row("新", 0), row("年", 0, 1), row("快", 1), row("乐", 1, 1)]) == []


def test_a_greeting_apart_from_the_grid_is_not_drawn_into_it() -> None:
    lines = [row("新年快乐", 0), row("日祝", 4), row("升你", 5), row("天早", 6)]
    assert readings(lines) == [("祝你早", "日升天")]


def test_a_heading_that_does_not_stand_over_the_columns_does_not_hide_them() -> None:
    lines = [row("新年快乐", 0, -0.5), row("全滚大你", 1), row("家出傻是", 2), row("死中逼一", 3)]
    assert readings(lines) == [("你是一", "大傻逼", "滚出中", "全家死")]


def test_a_row_that_lost_a_character_to_the_reader_still_belongs() -> None:
    lines = [row("全滚大你", 0), (Box(0.1, 0.2, 0.5, 0.3), "家出是"), row("死中逼一", 2), row("光国呀个", 3)]
    [grid] = found(lines)
    assert grid.readings[0] == "你是一个"
    assert grid.readings[-1] == "全家死光"


@pytest.mark.parametrize("text", ["", " ", "春" * 100])
def test_lines_that_cannot_stand_in_a_grid_do_no_harm(text: str) -> None:
    assert readings([row(text, 0), row("升祝", 1), row("天你", 2)]) == [("祝你", "升天")]


unit = st.floats(0, 1)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(unit, unit, unit, unit, st.text("春夏秋冬a ", max_size=6)), max_size=12))
def test_a_grid_holds_every_character_of_its_lines_once(raw: list[tuple[float, float, float, float, str]]) -> None:
    boxes = [Box(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d, _ in raw]
    texts = [text for *_, text in raw]
    for grid in grids(boxes, texts):
        letters = sorted("".join(texts[index] for index in grid.members).replace(" ", ""))
        assert sorted("".join(grid.readings)) == letters
