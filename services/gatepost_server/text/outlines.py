"""The part of a line's outline that some of its characters stand in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from gatepost_server.domain.evidence import Point
from gatepost_server.text.characters import is_han

_HAN_WIDTH = 1.8  # of a letter's


def part(polygon: Sequence[Point], text: str, start: int, end: int) -> tuple[Point, ...]:
    """The outline of text[start:end], where letters are spread evenly along `polygon`.

    `polygon` goes clockwise in reading direction: one half of its points lies along the tops of the letters, the other
    half, backwards, along their feet. The whole of it where that cannot be.
    """
    if len(polygon) % 2 or len(polygon) < 4 or not 0 <= start < end <= len(text) or (start, end) == (0, len(text)):
        return tuple(polygon)
    ends = [0.0, *accumulate(_HAN_WIDTH if is_han(character) else 1.0 for character in text)]
    first, last = ends[start] / ends[-1], ends[end] / ends[-1]
    half = len(polygon) // 2
    tops, feet = _cut(polygon[:half], first, last), _cut(polygon[half:][::-1], first, last)
    return (*tops, *feet[::-1])


def _cut(path: Sequence[Point], first: float, last: float) -> list[Point]:
    """The part of a path between two shares of its length, with the corners between them."""
    along = [0.0, *accumulate(math.dist(a, b) for a, b in pairwise(path))]
    if along[-1] <= 0.0:
        return [path[0], path[-1]]
    shares = [length / along[-1] for length in along]
    return [
        _at(path, shares, first),
        *(point for point, share in zip(path, shares, strict=True) if first < share < last),
        _at(path, shares, last),
    ]


def _at(path: Sequence[Point], shares: Sequence[float], share: float) -> Point:
    for (a, b), (before, after) in zip(pairwise(path), pairwise(shares), strict=True):
        if share <= after and after > before:
            t = max(0.0, (share - before) / (after - before))
            return (round(a[0] + t * (b[0] - a[0]), 2), round(a[1] + t * (b[1] - a[1]), 2))
    return path[-1]
