"""Parts of a picture at a net's size, cut where the net lies: two products with matrices, as Pillow's resampling is.

After Pillow's src/libImaging/Resample.c (precompute_coeffs, bicubic with a = -0.5, antialiased): every pixel of the
result is a weighted mean of a row of pixels and then of a column, and is rounded to a byte after either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 as fractions of width and height
Spans = tuple[tuple[float, float], ...]

_SIZES_KEPT = 16  # sizes of pictures whose matrices are kept; a few megabytes each
_REACH = 2.0  # pixels to either side that a bicubic filter takes in


class Cutter:
    """Cuts on one device. `dtype` is that of the products; what float16 rounds away is less than a level."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._dtype = torch.float16 if device == "cuda" else torch.float32
        self._kept: LRUCache[tuple[int, Spans, int], torch.Tensor] = LRUCache(2 * _SIZES_KEPT)

    def __call__(self, picture: NDArray[np.uint8], parts: Sequence[Box], side: int) -> torch.Tensor:
        """The parts of (H, W, 3), each squeezed to a square: bytes (parts, side, side, 3) on the device."""
        pixels = torch.from_numpy(np.ascontiguousarray(picture))
        if self._device.type == "cuda":
            pixels = pixels.pin_memory().to(self._device, non_blocking=True)
        height, width = picture.shape[:2]
        across = self._weights(width, tuple((x0, x1) for x0, _, x1, _ in parts), side)
        down = self._weights(height, tuple((y0, y1) for _, y0, _, y1 in parts), side)
        rows = _levels(torch.einsum("pxw,hwc->phxc", across, pixels.to(self._dtype)))
        return _levels(torch.einsum("pyh,phxc->pyxc", down, rows)).to(torch.uint8)

    def _weights(self, length: int, spans: Spans, side: int) -> torch.Tensor:
        key = (length, spans, side)
        if key not in self._kept:
            self._kept[key] = torch.from_numpy(weights(length, spans, side)).to(self._device, self._dtype)
        return self._kept[key]


def weights(length: int, spans: Spans, side: int) -> NDArray[np.float32]:
    """(spans, side, length): what each pixel of a side adds to each of `side` pixels of each span.

    Spans are fractions of the length.
    """
    filled = np.zeros((len(spans), side, length))
    for matrix, (start, end) in zip(filled, spans, strict=True):
        first_pixel, last_pixel = np.float32(start * length), np.float32(end * length)  # as Pillow holds them
        step = float(last_pixel - first_pixel) / side
        stretch = max(step, 1.0)
        for row, place in zip(matrix, float(first_pixel) + (np.arange(side) + 0.5) * step, strict=True):
            first = max(0, int(place - _REACH * stretch + 0.5))
            last = min(length, int(place + _REACH * stretch + 0.5))
            share = _bicubic((np.arange(first, last) - place + 0.5) / stretch)
            row[first:last] = share / share.sum()
    return filled.astype(np.float32)


def _bicubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys, Cubic Convolution Interpolation (1981), with a = -0.5."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.asarray(np.where(x < 1, near, np.where(x < _REACH, far, 0.0)), dtype=np.float64)


def _levels(values: torch.Tensor) -> torch.Tensor:
    return values.round().clamp(0, 255)
