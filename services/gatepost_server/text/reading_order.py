"""In which order people may read the lines of a picture.

A card mixes rows (left to right; right to left on old banners) and columns (right to left). The layout
alone cannot settle it, so the plausible orders are all listed, the most likely one first.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost_server.domain.evidence import Point

# Two boxes share a row (or column) when their centres lie closer than this part of the smaller box.
_SAME_BAND = 0.6


@dataclass(frozen=True, slots=True)
class Box:
    """The upright bounds of one line's polygon, in any unit that is the same for all lines."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def center(self) -> Point:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def bounds(polygon: Sequence[Point]) -> Box:
    """The bounds of a polygon; an empty one is a point at the origin."""
    if not polygon:
        return Box(0.0, 0.0, 0.0, 0.0)
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    return Box(min(xs), min(ys), max(xs), max(ys))


def is_column(box: Box, characters: int) -> bool:
    """Whether a line of `characters` characters runs from top to bottom.

    Boxes are fractions of the image, whose aspect is unknown; from three characters on no ordinary
    aspect can turn a row into a column.
    """
    return characters >= 2 and box.height > box.width * (1.2 if characters == 2 else 1.0)


def rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Indices by row from top to bottom, each row from left to right."""
    return _bands(
        [(box.center[1], box.height, box.center[0]) for box in boxes],
    )


def columns(boxes: Sequence[Box]) -> list[list[int]]:
    """Indices by column from right to left, each column from top to bottom."""
    return _bands([(-box.center[0], box.width, box.center[1]) for box in boxes])


def reading_orders(boxes: Sequence[Box], texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Distinct orders of the lines' indices, the most likely first; at least one, () for no lines.

    Candidates: rows left to right, columns right to left, columns left to right, rows right to left.
    """
    by_row, by_column = rows(boxes), columns(boxes)
    row_order = tuple(index for band in by_row for index in band)
    column_order = tuple(index for band in by_column for index in band)
    orders = [
        row_order,
        column_order,
        tuple(index for band in reversed(by_column) for index in band),
        tuple(index for band in by_row for index in reversed(band)),
    ]
    if _reads_in_columns(boxes, texts, by_column):
        orders[0], orders[1] = column_order, row_order
    return list(dict.fromkeys(orders))


def join(texts: Sequence[str], order: Sequence[int]) -> str:
    """The lines in reading order; a space only where two Latin words would run together."""
    joined = ""
    for index in order:
        text = texts[index].strip()
        if joined and text and _is_word(joined[-1]) and _is_word(text[0]):
            joined += " "
        joined += text
    return joined


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _bands(placed: list[tuple[float, float, float]]) -> list[list[int]]:
    """Group (across, thickness, along) into bands by `across`, each band sorted by `along`."""
    bands: list[list[int]] = []
    for index in sorted(range(len(placed)), key=lambda i: placed[i][0]):
        across, thickness, _ = placed[index]
        if bands:
            center = statistics.fmean(placed[i][0] for i in bands[-1])
            thin = min(thickness, min(placed[i][1] for i in bands[-1]))
            if abs(across - center) <= _SAME_BAND * thin:
                bands[-1].append(index)
                continue
        bands.append([index])
    return [sorted(band, key=lambda i: placed[i][2]) for band in bands]


def _reads_in_columns(boxes: Sequence[Box], texts: Sequence[str], by_column: Sequence[Sequence[int]]) -> bool:
    """Most lines are columns, or most are single characters stacked closer down than across."""
    lengths = [len(text) for text in texts]
    upright = sum(is_column(box, length) for box, length in zip(boxes, lengths, strict=True))
    flat = sum(length >= 2 for length in lengths) - upright
    if upright or flat:
        return upright > flat
    stacks = max((len(band) for band in by_column), default=0)
    return len(boxes) > 1 and stacks > len(by_column)
