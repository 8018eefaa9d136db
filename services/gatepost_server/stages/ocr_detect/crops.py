"""Lines of text laid straight: quadrilaterals by perspective, bent lines along their middle."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.tensors.contract import CROP_HEIGHT

Pixels = NDArray[np.uint8]  # height, width, 3
Floats = NDArray[np.float32]

WIDEST = 3200  # pixels, PaddleOCR's own limit: some 70 Chinese or 140 Latin characters
NARROWEST = 8
TALL = 1.5  # a crop this much higher than wide is a column, and is turned (PaddleOCR's rule)


def quad_crop(image: Pixels, quad: Floats) -> Pixels:
    """(CROP_HEIGHT, W, 3): what lies in `quad`, laid flat. Columns are turned so that down becomes right."""
    wide = max(math.dist(quad[0], quad[1]), math.dist(quad[3], quad[2]))
    high = max(math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2]))
    corners = np.asarray(quad, dtype=np.float32)
    if high >= TALL * wide:
        corners, wide, high = np.roll(corners, -1, axis=0), high, wide
    width = crop_width(wide, high)
    # Large text is first laid out at about its own size: a plain warp would skip pixels and fray strokes.
    oversize = max(1.0, high / CROP_HEIGHT / 1.5)
    size = (int(width * oversize), int(CROP_HEIGHT * oversize))
    target = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], dtype=np.float32)
    flat = cv2.warpPerspective(
        image,
        cv2.getPerspectiveTransform(corners, target),
        size,
        flags=cv2.INTER_CUBIC,  # linear smears text of ten pixels
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _reduced(flat, width)


def bent_crop(image: Pixels, middle: Floats, half: float) -> Pixels:
    """(CROP_HEIGHT, W, 3): the band of `half` pixels on both sides of the polyline `middle` (N, 2), unrolled."""
    length = float(np.linalg.norm(np.diff(middle, axis=0), axis=1).sum())
    width = crop_width(length, 2 * half)
    oversize = max(1.0, 2 * half / CROP_HEIGHT / 1.5)
    columns, rows = int(width * oversize), int(CROP_HEIGHT * oversize)
    return _reduced(unrolled(image, resampled(middle, columns), half, rows), width)


def unrolled(image: Pixels, points: Floats, half: float, rows: int) -> Pixels:
    """(rows, N, 3): the band of `half` pixels on both sides of a polyline, a column for each of its N points."""
    offsets = (np.arange(rows, dtype=np.float32) + 0.5) / rows * 2 * half - half
    grid = (points[None] + offsets[:, None, None] * normals(points)[None]).astype(np.float32)
    x, y = np.ascontiguousarray(grid[..., 0]), np.ascontiguousarray(grid[..., 1])
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def _reduced(flat: NDArray[Any], width: int) -> Pixels:
    """`flat` at CROP_HEIGHT x width, averaging."""
    if flat.shape[:2] != (CROP_HEIGHT, width):
        flat = cv2.resize(flat, (width, CROP_HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(flat, dtype=np.uint8)


def crop_width(wide: float, high: float) -> int:
    """The width of a crop of CROP_HEIGHT with the proportions of `wide` x `high`, within the limits."""
    return int(min(WIDEST, max(NARROWEST, math.ceil(CROP_HEIGHT * wide / max(high, 1.0)))))


def resampled(line: Floats, count: int) -> Floats:
    """`count` points at even distances along the polyline."""
    steps = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))))
    wanted = np.linspace(0.0, steps[-1], count)
    return np.stack([np.interp(wanted, steps, line[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def normals(points: Floats) -> Floats:
    """Unit normals of a polyline, to the right of the way (down, where it runs to the right)."""
    way = np.gradient(points, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
    return np.stack([-way[:, 1], way[:, 0]], axis=1)


def with_full_contrast(crop: Pixels) -> Pixels:
    """The crop with its darkest and lightest hundredth spread to black and white."""
    low, high = np.percentile(crop, (1, 99))
    stretched = (crop.astype(np.float32) - low) * (255 / max(float(high - low), 1.0))
    return np.asarray(np.clip(stretched, 0, 255), dtype=np.uint8)


def spread(crop: Pixels) -> float:
    """Levels between the crop's darkest and lightest hundredth."""
    low, high = np.percentile(crop.mean(axis=2), (1, 99))
    return float(high - low)
