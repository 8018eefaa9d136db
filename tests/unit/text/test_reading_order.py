"""Rows, columns and single characters are put into the orders in which people may read them."""

from __future__ import annotations

from gatepost_server.text.reading_order import Box, bounds, columns, is_column, join, reading_orders, rows


def row(top: float, left: float = 0.1, width: float = 0.8) -> Box:
    return Box(left, top, left + width, top + 0.1)


def column(left: float, top: float = 0.1) -> Box:
    return Box(left, top, left + 0.1, top + 0.8)


def cell(x: int, y: int) -> Box:
    return Box(x * 0.2, y * 0.2, x * 0.2 + 0.1, y * 0.2 + 0.1)


def test_rows_are_read_from_top_to_bottom_and_left_to_right() -> None:
    boxes = [row(0.5), row(0.1, left=0.5, width=0.3), row(0.11, left=0.1, width=0.3)]
    assert rows(boxes) == [[2, 1], [0]]
    assert reading_orders(boxes, ["三四", "二二", "一一"])[0] == (2, 1, 0)


def test_columns_are_read_from_right_to_left() -> None:
    boxes = [column(0.1), column(0.7), column(0.4)]
    assert columns(boxes) == [[1], [2], [0]]
    assert reading_orders(boxes, ["仕途顺遂", "新年快乐", "万事如意"])[0] == (1, 2, 0)


def test_a_stack_of_single_characters_is_read_down() -> None:
    boxes = [cell(0, y) for y in (2, 0, 1)]
    assert reading_orders(boxes, ["逼", "大", "傻"])[0] == (1, 2, 0)


def test_a_grid_of_single_characters_is_read_by_row_and_by_column() -> None:
    boxes = [cell(0, 0), cell(1, 0), cell(0, 1), cell(1, 1)]
    orders = reading_orders(boxes, ["新", "年", "快", "乐"])
    assert (0, 1, 2, 3) in orders
    assert (1, 3, 0, 2) in orders


def test_a_banner_may_be_read_from_right_to_left() -> None:
    boxes = [cell(0, 0), cell(1, 0), cell(2, 0), cell(3, 0)]
    assert (3, 2, 1, 0) in reading_orders(boxes, ["乐", "快", "年", "新"])


def test_no_lines_have_one_empty_order() -> None:
    assert reading_orders([], []) == [()]


def test_every_order_holds_every_line_once() -> None:
    boxes = [row(0.3), column(0.2), cell(1, 2), row(0.3)]
    for order in reading_orders(boxes, ["一二三", "四五六", "七", "八九"]):
        assert sorted(order) == [0, 1, 2, 3]


def test_latin_words_of_two_lines_do_not_run_together() -> None:
    assert join(["Happy", "New Year", "新年", "快乐"], [0, 1, 2, 3]) == "Happy New Year新年快乐"


def test_a_line_is_a_column_when_it_is_higher_than_wide() -> None:
    assert is_column(column(0.1), 4)
    assert not is_column(row(0.1), 4)
    assert not is_column(column(0.1), 1)


def test_the_bounds_of_a_turned_polygon_hold_all_its_points() -> None:
    assert bounds([(0.5, 0.1), (0.9, 0.5), (0.5, 0.9), (0.1, 0.5)]) == Box(0.1, 0.1, 0.9, 0.9)
    assert bounds([]) == Box(0, 0, 0, 0)
