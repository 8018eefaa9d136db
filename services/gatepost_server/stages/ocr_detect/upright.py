"""Letters that stand on one another: a column of them is laid out as a row, so that a word is read and not its letters.

The detector finds such a column letter by letter, or in short pieces. A column that comes as one region is read turned,
as Chinese is: laid out as well, a line that was turned as a whole would be read from its end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.crops import NARROWEST, WIDEST, Floats, Pixels
from gatepost_server.stages.ocr_detect.passes import Found
from gatepost_server.tensors.contract import CROP_HEIGHT

_WIDEST_LETTER = 1.4  # width to height of a piece: W and m are hardly wider than high
_ALIKE = 1.9  # widths within a column: l and W stand in one word
_ASIDE = 0.4  # of the column's width: how far a letter's middle may lie from the middle of the one above
_APART = 2.2  # of the letters' size: how far down the next letter begins; an empty place is a space
_UPRIGHT = 0.2  # of the width: how far the corners of an upright rectangle are from their places
_FEWEST = 3  # letters
_INSIDE = 0.6  # of a region's rectangle: then it is part of a column of shapes
_WHOLE = 0.8  # of a column's height: one region over so much of it is the column
_NEIGHBOURS = 2.5  # widths between columns of one text
_LEAST_SIDE = 10  # pixels
_MOST_ROWS = 2048  # pixels of a column that are looked at; taller ones are shrunk
_PITCHES = (0.75, 2.4)  # letters' distance, as multiples of the column's width
_GAP = 0.35  # of the mean ink: rows between letters hold less
_BLANK = 0.02  # of a cell's pixels: less ink is a space


@dataclass(frozen=True, slots=True)
class _Box:
    found: Found
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Column:
    """What was found in one column, and the upright rectangle (left, top, right, bottom) around it."""

    pieces: tuple[Found, ...]
    box: tuple[float, float, float, float]

    @property
    def quad(self) -> Floats:
        """Corners (4, 2), top left first and clockwise."""
        left, top, right, bottom = self.box
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float32)


def stacked(found: Sequence[Found], shapes: Sequence[Floats] = ()) -> tuple[list[Column], list[Found]]:
    """Columns of stacked letters, and what is in none of them.

    They are `shapes`, rectangles (4, 2) around shapes like letters, where something was found in them but not the whole
    as one; and otherwise two pieces or more that together are as high as three letters.
    """
    seen, rest = _of_shapes(found, shapes)
    columns, rest = _of_pieces(rest)
    return [*seen, *columns], rest


def covered(shape: Floats, found: Sequence[Found]) -> float:
    """The share of a rectangle's height (4, 2) at which something was found in it."""
    low, high = shape.min(axis=0), shape.max(axis=0)
    rows = np.zeros(max(1, math.ceil(high[1] - low[1])), dtype=bool)
    for one in found:
        if _lies_in(one, shape):
            top, bottom = one.region.quad[:, 1].min() - low[1], one.region.quad[:, 1].max() - low[1]
            rows[max(0, int(top)) : max(0, math.ceil(bottom))] = True
    return float(rows.mean())


def is_new(one: Found, shape: Floats, found: Sequence[Found]) -> bool:
    """Whether `one` lies in the rectangle `shape` and none of `found` is where it is."""
    return _lies_in(one, shape) and not any(_lies_in(one, other.region.quad) for other in found)


def _lies_in(found: Found, shape: Floats) -> bool:
    low, high = shape.min(axis=0), shape.max(axis=0)
    lowest, highest = found.region.quad.min(axis=0), found.region.quad.max(axis=0)
    inside = np.clip(np.minimum(high, highest) - np.maximum(low, lowest), 0, None)
    return bool(np.prod(inside) >= _INSIDE * np.prod(np.maximum(highest - lowest, 1e-6)))


def _of_shapes(found: Sequence[Found], shapes: Sequence[Floats]) -> tuple[list[Column], list[Found]]:
    """Columns around shapes in which something was found, and around those that stand beside such a column."""
    columns: list[Column] = []
    empty: list[Column] = []
    rest = list(found)
    for shape in _apart(shapes):
        pieces = tuple(one for one in rest if _lies_in(one, shape))
        if len(pieces) == 1 and covered(shape, pieces) >= _WHOLE:
            continue
        corners = np.concatenate([shape, *(piece.region.quad for piece in pieces)])
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        (columns if pieces else empty).append(Column(pieces, (left, top, right, bottom)))
        taken = {id(piece) for piece in pieces}
        rest = [one for one in rest if id(one) not in taken]
    while beside := [one for one in empty if any(_beside(one, other) for other in columns)]:
        columns += beside
        empty = [one for one in empty if not any(one is other for other in beside)]
    return columns, rest


def _apart(shapes: Sequence[Floats]) -> list[Floats]:
    """Those of `shapes` that are not the inside of another's letters, the largest first."""
    kept: list[Floats] = []
    for shape in sorted(shapes, key=lambda shape: -float(np.prod(np.ptp(shape, axis=0)))):
        low, high = shape.min(axis=0), shape.max(axis=0)
        middle = float(low[0] + high[0]) / 2
        if not any(
            other[0, 0] <= middle <= other[1, 0]
            and min(high[1], other[2, 1]) - max(low[1], other[0, 1]) > 0.5 * (high[1] - low[1])
            for other in kept
        ):
            kept.append(shape)
    return kept


def _beside(one: Column, other: Column) -> bool:
    """Whether two columns may be lines of one text."""
    (left, top, right, bottom), (left2, top2, right2, bottom2) = one.box, other.box
    width, width2 = right - left, right2 - left2
    apart = max(left, left2) - min(right, right2)
    return (
        0 <= apart <= _NEIGHBOURS * max(width, width2)
        and max(width, width2) <= _ALIKE * min(width, width2)
        and min(bottom, bottom2) > max(top, top2)
    )


def _of_pieces(found: Sequence[Found]) -> tuple[list[Column], list[Found]]:
    boxes = sorted((box for one in found if (box := _upright(one)) is not None), key=lambda box: box.top)
    chains: list[list[_Box]] = []
    for box in boxes:
        fitting = [chain for chain in chains if _continues(chain, box)]
        if fitting:
            min(fitting, key=lambda chain: abs(chain[-1].middle - box.middle)).append(box)
        else:
            chains.append([box])
    columns = [_column(chain) for chain in chains if _is_column(chain)]
    used = {id(piece) for column in columns for piece in column.pieces}
    return columns, [one for one in found if id(one) not in used]


def _upright(found: Found) -> _Box | None:
    quad = found.region.quad
    low, high = quad.min(axis=0), quad.max(axis=0)
    width, height = (float(side) for side in high - low)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])], dtype=np.float32)
    crooked = float(np.abs(quad - corners).max())
    if min(width, height) < _LEAST_SIDE / 2 or max(width, height) < _LEAST_SIDE or width > _WIDEST_LETTER * height:
        return None
    if crooked > _UPRIGHT * max(width, _LEAST_SIDE):
        return None
    return _Box(found, float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _size(chain: Sequence[_Box]) -> float:
    """About a letter's side: the widest piece, or something of the height where all are as narrow as l."""
    return max(max(box.width for box in chain), 0.6 * min(min(box.bottom - box.top, 3 * box.width) for box in chain))


def _continues(chain: Sequence[_Box], box: _Box) -> bool:
    above, size = chain[-1], _size(chain)
    own = _size([box])
    return (
        abs(above.middle - box.middle) <= _ASIDE * max(size, own)
        and own <= _ALIKE * size
        and size <= _ALIKE * own
        and -0.3 * size <= box.top - above.bottom <= _APART * max(size, own)
    )


def _is_column(chain: Sequence[_Box]) -> bool:
    height = chain[-1].bottom - chain[0].top
    return len(chain) >= 2 and height >= _FEWEST * 0.9 * _size(chain)


def _column(chain: Sequence[_Box]) -> Column:
    left, right = min(box.left for box in chain), max(box.right for box in chain)
    return Column(tuple(box.found for box in chain), (left, chain[0].top, right, max(box.bottom for box in chain)))


def laid_out(image: Pixels, quad: Floats) -> Pixels | None:
    """The letters of the upright rectangle around `quad` (4, 2) side by side, (CROP_HEIGHT, W, 3).

    None where it does not fall into letters.
    """
    low = np.maximum(np.floor(quad.min(axis=0)), 0).astype(int)
    high = np.ceil(quad.max(axis=0)).astype(int)
    column = image[low[1] : high[1], low[0] : high[0]]
    if min(column.shape[:2]) < _LEAST_SIDE // 2:
        return None
    if column.shape[0] > _MOST_ROWS:
        share = _MOST_ROWS / column.shape[0]
        size = (max(_LEAST_SIDE, round(column.shape[1] * share)), _MOST_ROWS)
        column = np.asarray(cv2.resize(column, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    ink = ink_of(column)
    cells = cells_of(ink.mean(axis=1), column.shape[1])
    return None if cells is None else _side_by_side(column, ink, cells)


def ink_of(column: Pixels) -> NDArray[np.float32]:
    """What is written in a column, (H, W) 0 or 1: what differs from its ground as most of its edges show it."""
    edge = np.concatenate([column[:, :1], column[:, -1:]], axis=1).astype(np.float32)
    ground = np.median(edge.reshape(-1, 3), axis=0)
    apart = np.abs(column.astype(np.float32) - ground).max(axis=2)
    grey = np.clip(apart, 0, 255).astype(np.uint8)
    _, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(mask, dtype=np.float32)


def cells_of(profile: NDArray[np.float32], width: int) -> list[tuple[int, int]] | None:
    """Rows (from, to) of each letter of a column, given the ink of its rows (H,) and its width; None where there are
    no even gaps. The narrowest even spacing whose borders meet hardly any ink is taken."""
    mean, rows = float(profile.mean()), len(profile)
    if mean <= 0:
        return None
    smooth = np.convolve(profile, np.ones(3) / 3, mode="same")
    best: tuple[float, float, float] | None = None
    for pitch in np.arange(max(6.0, _PITCHES[0] * width), min(_PITCHES[1] * width, rows / (_FEWEST - 1)) + 0.25, 0.25):
        offsets = np.arange(0.0, pitch, max(1.0, pitch / 24))
        borders = np.round(offsets[:, None] + np.arange(int(rows / pitch) + 1)[None] * pitch).astype(int)
        inside = borders < rows
        met = np.where(inside, smooth[np.minimum(borders, rows - 1)], 0.0).sum(axis=1)
        met /= np.maximum(inside.sum(axis=1), 1)
        place = int(met.argmin())
        if met[place] <= _GAP * mean and (best is None or met[place] < 0.5 * best[0]):
            best = (float(met[place]), float(pitch), float(offsets[place]))
    if best is None:
        return None
    _, pitch, offset = best
    start = offset - pitch if offset > 0.35 * pitch else offset
    edges = np.round(np.arange(start, rows + 0.65 * pitch, pitch)).astype(int)
    cells = [(max(0, a), min(rows, b)) for a, b in pairwise(edges.tolist()) if b > 0 and a < rows]
    return [cell for cell in cells if cell[1] > cell[0]]


def _side_by_side(column: Pixels, ink: NDArray[np.float32], cells: Sequence[tuple[int, int]]) -> Pixels:
    pitch = max(to - start for start, to in cells)
    ground = np.median(np.concatenate([column[:, 0], column[:, -1]]), axis=0)
    gap = max(1, round(0.08 * pitch))
    parts = []
    for start, to in cells:
        letter, written = column[start:to], ink[start:to]
        across = np.flatnonzero(written.max(axis=0) > 0)
        if written.mean() < _BLANK or not len(across):
            parts.append(np.full((pitch, round(0.35 * pitch), 3), ground, np.uint8))
            continue
        shown = letter[:, across[0] : across[-1] + 1]
        above = pitch - len(shown) if start == 0 and len(shown) < pitch else 0
        padded = cv2.copyMakeBorder(
            shown, above, pitch - len(shown) - above, gap, gap, cv2.BORDER_CONSTANT, value=tuple(map(float, ground))
        )
        parts.append(np.asarray(padded, dtype=np.uint8))
    row = np.concatenate(parts, axis=1)
    width = int(np.clip(round(row.shape[1] * CROP_HEIGHT / pitch), NARROWEST, WIDEST))
    method = cv2.INTER_AREA if pitch > CROP_HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(row, (width, CROP_HEIGHT), interpolation=method), dtype=np.uint8)
