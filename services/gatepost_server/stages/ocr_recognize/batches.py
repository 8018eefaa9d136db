"""Crops of unlike widths into batches, and batches into arrays. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Crop = NDArray[np.uint8]  # height, width, 3

STEP = 64  # widths are rounded up to this, so that a net sees few different shapes
LEAST = 64
GREY = 127  # what the recogniser's scale maps to zero: the padding of its training


def plan(widths: Sequence[int], size: int) -> Iterator[tuple[list[int], int]]:
    """Indices of the crops of each batch, and the batch's width; narrow ones first, at most `size` together.

    Crops share a batch while its width stays within a third above the narrowest.
    """
    order = sorted(range(len(widths)), key=lambda index: (widths[index], index))
    start = 0
    while start < len(order):
        limit = _rounded(widths[order[start]] * 4 // 3)
        end = start + 1
        while end < len(order) and end - start < size and widths[order[end]] <= limit:
            end += 1
        yield order[start:end], _rounded(widths[order[end - 1]])
        start = end


def stack(crops: Sequence[Crop], width: int) -> NDArray[np.uint8]:
    """(N, height, width, 3): the crops at the left, grey to the right of them."""
    batch = np.full((len(crops), crops[0].shape[0], width, 3), GREY, dtype=np.uint8)
    for row, crop in zip(batch, crops, strict=True):
        row[:, : crop.shape[1]] = crop
    return batch


def _rounded(width: int) -> int:
    return max(LEAST, -(-width // STEP) * STEP)
