"""Which parts of a picture CLIP looks at, and those parts as the net's input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gatepost_server.engines.pictures import Box

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_STRIDE = 0.75  # of a tile's side, from one tile to the next
_MOST_ALONG_A_SIDE = 6


def boxes(width: int, height: int, sides: Sequence[float]) -> tuple[Box, ...]:
    """The whole picture, then overlapping tiles; `sides` are tile sides as shares of the shorter side.

    Tiles are square and cover everything. Along a very long side there are six of them all the same,
    each so much longer than wide.
    """
    found = [WHOLE]
    short = min(width, height)
    for side in sides:
        across = _intervals(width, side * short)
        down = _intervals(height, side * short)
        found += [(x0, y0, x1, y1) for y0, y1 in down for x0, x1 in across]
    return tuple(found)


def _intervals(length: int, tile: float) -> list[tuple[float, float]]:
    """Equally spaced overlapping intervals of at least `tile` pixels over `length`, as fractions."""
    count = math.ceil(max(length - tile, 0) / (tile * _STRIDE) - 1e-9) + 1
    if count > _MOST_ALONG_A_SIDE:
        count = _MOST_ALONG_A_SIDE
        tile = length / (1 + _STRIDE * (count - 1))
    share = min(tile / length, 1.0)
    starts = np.linspace(0.0, 1.0 - share, count)
    return [(float(start), float(start + share)) for start in starts]


def cut(view: NDArray[np.uint8], parts: Sequence[Box], side: int) -> NDArray[np.uint8]:
    """The parts of an RGB picture [h, w, 3], each squeezed to a square: uint8 [parts, side, side, 3]."""
    height, width = view.shape[:2]
    picture = Image.fromarray(view)
    size = (side, side)
    cuts = [
        np.asarray(
            picture.resize(size, Image.Resampling.BICUBIC, box=(x0 * width, y0 * height, x1 * width, y1 * height))
        )
        for x0, y0, x1, y1 in parts
    ]
    return np.stack(cuts)
