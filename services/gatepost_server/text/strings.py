"""Single characters that stand close together in a row or column: a text that was detected letter by letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from gatepost_server.text.reading_order import Box, columns, rows

_LIKE = 1.35  # characters of one text differ in size at most by this factor
_APART = 0.8  # of a character's size: neighbours stand no further apart


def strings(boxes: Sequence[Box]) -> list[list[int]]:
    """Groups of two boxes or more that stand in a row or a column, in reading order; longer ones first, none twice."""
    found = sorted([*_runs(boxes, rows(boxes), 0), *_runs(boxes, columns(boxes), 1)], key=len, reverse=True)
    kept: list[list[int]] = []
    for run in found:
        if not any(set(run) & set(other) for other in kept):
            kept.append(run)
    return kept


def _runs(boxes: Sequence[Box], bands: Sequence[Sequence[int]], axis: int) -> Iterator[list[int]]:
    for band in bands:
        run = list(band[:1])
        for before, after in pairwise(band):
            if not _neighbours(boxes[before], boxes[after], axis):
                if len(run) > 1:
                    yield run
                run = []
            run.append(after)
        if len(run) > 1:
            yield run


def _neighbours(first: Box, second: Box, axis: int) -> bool:
    sizes = sorted((_size(first), _size(second)))
    gap = second.left - first.right if axis == 0 else second.top - first.bottom
    return sizes[0] > 0.0 and sizes[1] <= _LIKE * sizes[0] and gap <= _APART * sizes[0]


def _size(box: Box) -> float:
    return max(box.width, box.height)
