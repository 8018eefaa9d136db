"""Which frames of an animation are worth looking at. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Two frames are alike when no cell of their signatures differs by more than this many levels of 255:
# above what dithering and lossy coding do to the mean of a cell, below what a line of text does.
ALIKE = 8

Signature = NDArray[np.uint8]


def distance(one: Signature, other: Signature) -> int:
    """0 to 255: the largest difference of any cell."""
    return int(np.abs(one.astype(np.int16) - other.astype(np.int16)).max())


def choose(signatures: Sequence[Signature], costs: Sequence[int], budget: int) -> tuple[list[int], int]:
    """Indices of the frames to look at in order, and how many distinct frames were left out.

    `signatures` are small pictures of equal shape, `costs` the views that each frame takes. The first and the
    last frame are always chosen; then, while `budget` views hold, the frame least like any chosen one (the
    greedy k-centre rule). Frames like a chosen one count as looked at.
    """
    chosen = sorted({0, len(signatures) - 1})
    spent = sum(costs[index] for index in chosen)
    nearest = [min(distance(signature, signatures[index]) for index in chosen) for signature in signatures]
    while True:
        farthest = int(np.argmax(nearest))
        if nearest[farthest] <= ALIKE or spent + costs[farthest] > budget:
            break
        chosen.append(farthest)
        spent += costs[farthest]
        nearest = [
            min(old, distance(signature, signatures[farthest]))
            for old, signature in zip(nearest, signatures, strict=True)
        ]
    return sorted(chosen), sum(gap > ALIKE for gap in nearest)
