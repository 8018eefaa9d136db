"""Grids of Chinese characters that can be read down as well as across.

A detector joins the characters of narrow adjacent columns into rows, each holding one character of every column (and
of tight rows it may make columns). Whether two lines of equal length are such a grid cannot be seen, so what
stands here is a further reading of the same characters, never the only one.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gatepost_server.text.characters import is_han
from gatepost_server.text.reading_order import Box, columns, is_column, rows

_LONGEST_LINE = 16  # characters; longer lines are prose
_LIKE = 1.6  # characters of one grid differ in width and in height at most by this factor
_APART = 0.7  # of a character's size: neighbouring lines lie no further apart
_OFF = 0.4  # of a character's size: characters stand no further off those above or beside them
_EVEN = 1.7  # the widest step between rows (or columns) is at most this many times the narrowest
_FILLED = 0.6  # of the grid's places; the first or last line may be shorter
_MOSTLY_HAN = 0.7
# More than these is a page, no card, and not looked at: pairs of lines and of characters are compared.
_MOST_LINES = 300
_MOST_CELLS = 600


@dataclass(frozen=True, slots=True)
class Grid:
    """Lines that form a grid, and what it says across them.

    `members` are the lines' indices in reading order. `readings` are the texts across the lines (columns from
    right to left for lines that are rows, rows from the top for lines that are columns) and `through[k]` the
    lines that readings[k] has a character of. `orders` are the plausible orders of the readings, as indices.
    """

    members: tuple[int, ...]
    readings: tuple[str, ...]
    through: tuple[frozenset[int], ...]
    orders: tuple[tuple[int, ...], ...]

    def of(self, indices: Sequence[int]) -> Grid:
        """The same grid where line i is called indices[i]."""
        members = tuple(indices[line] for line in self.members)
        through = tuple(frozenset(indices[line] for line in lines) for lines in self.through)
        return replace(self, members=members, through=through)


@dataclass(frozen=True, slots=True)
class _Cell:
    line: int
    character: str
    box: Box


def grids(boxes: Sequence[Box], texts: Sequence[str]) -> list[Grid]:
    """The grids among lines as they were read (not normalised: every character has its place)."""
    lines = [cells for i, (box, text) in enumerate(zip(boxes, texts, strict=True)) if (cells := _cells(i, box, text))]
    found = [_grid([cell for line in group for cell in line]) for group in _neighbours(lines[:_MOST_LINES], boxes)]
    return [grid for grid in found if grid is not None]


def _cells(line: int, box: Box, text: str) -> list[_Cell]:
    """The characters of a line where they stand, evenly spaced; none if it is no line of a grid."""
    characters = [character for character in text if not character.isspace()]
    count = len(characters)
    if not 1 <= count <= _LONGEST_LINE or box.width <= 0 or box.height <= 0:
        return []
    if is_column(box, count):
        step = box.height / count
        places = [Box(box.left, box.top + i * step, box.right, box.top + (i + 1) * step) for i in range(count)]
    else:
        step = box.width / count
        places = [Box(box.left + i * step, box.top, box.left + (i + 1) * step, box.bottom) for i in range(count)]
    return [_Cell(line, character, place) for character, place in zip(characters, places, strict=True)]


def _neighbours(lines: Sequence[list[_Cell]], boxes: Sequence[Box]) -> list[list[list[_Cell]]]:
    """Lines in groups that hang together: characters of one size, close to one another and in line."""
    groups: list[list[list[_Cell]]] = []
    for line in lines:
        near = [group for group in groups if any(_belong(line, other, boxes) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([line, *(member for group in near for member in group)])
    return groups


def _belong(first: Sequence[_Cell], second: Sequence[_Cell], boxes: Sequence[Box]) -> bool:
    if not _near(first[0], second[0], boxes):
        return False
    shorter, longer = sorted((first, second), key=len)
    width, height = shorter[0].box.width, shorter[0].box.height
    a, b = boxes[first[0].line], boxes[second[0].line]
    return (
        max(abs(a.left - b.left), abs(a.right - b.right)) <= _OFF * width
        or max(abs(a.top - b.top), abs(a.bottom - b.bottom)) <= _OFF * height
        or _in_line(shorter, longer, 0, _OFF * width)
        or _in_line(shorter, longer, 1, _OFF * height)
    )


def _in_line(shorter: Sequence[_Cell], longer: Sequence[_Cell], axis: int, off: float) -> bool:
    """Whether every character of one line stands beside one of the other."""
    places = [cell.box.center[axis] for cell in longer]
    return all(min(abs(cell.box.center[axis] - place) for place in places) <= off for cell in shorter)


def _near(first: _Cell, second: _Cell, boxes: Sequence[Box]) -> bool:
    widths, heights = sorted((first.box.width, second.box.width)), sorted((first.box.height, second.box.height))
    if widths[1] > _LIKE * widths[0] or heights[1] > _LIKE * heights[0]:
        return False
    a, b = boxes[first.line], boxes[second.line]
    across = max(a.left, b.left) - min(a.right, b.right)
    down = max(a.top, b.top) - min(a.bottom, b.bottom)
    return across <= _APART * widths[0] and down <= _APART * heights[0]


def _grid(cells: Sequence[_Cell]) -> Grid | None:
    if len(cells) > _MOST_CELLS:
        return None
    places = [cell.box for cell in cells]
    by_row, by_column = rows(places), columns(places)
    size = len(by_row) * len(by_column)
    if min(len(by_row), len(by_column)) < 2 or not _FILLED * size <= len(cells) <= size:
        return None
    if sum(is_han(cell.character) for cell in cells) < _MOSTLY_HAN * len(cells):
        return None
    if not _even([_middle(places, band, 0) for band in by_column]):
        return None
    if not _even([_middle(places, band, 1) for band in by_row]):
        return None
    lines_across = sum(len({cells[i].line for i in band}) < len(band) for band in by_row)
    lines_down = sum(len({cells[i].line for i in band}) < len(band) for band in by_column)
    if not lines_across and not lines_down:
        return None  # single characters: every order of them is already an order of lines
    along, read = (by_row, by_column) if lines_across >= lines_down else (by_column, by_row)
    forward = tuple(range(len(read)))
    return Grid(
        members=tuple(dict.fromkeys(cells[i].line for band in along for i in band)),
        readings=tuple("".join(cells[i].character for i in band) for band in read),
        through=tuple(frozenset(cells[i].line for i in band) for band in read),
        orders=(forward, forward[::-1]) if read is by_column else (forward,),
    )


def _middle(places: Sequence[Box], band: Sequence[int], axis: int) -> float:
    return statistics.fmean(places[i].center[axis] for i in band)


def _even(centers: Sequence[float]) -> bool:
    steps = [abs(after - before) for before, after in pairwise(centers)]
    return max(steps) <= _EVEN * min(steps)
