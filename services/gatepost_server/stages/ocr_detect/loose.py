"""Columns of shapes like letters, whatever the detector makes of them.

It hardly sees small letters without neighbours to their left and right, and then not all of a word.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.crops import Floats, Pixels

_BLOCK, _CONTRAST = 31, 10  # pixels around; levels darker or lighter than they are in the mean
_LOW, _HIGH = 7, 56  # pixels: heights of letters that are meant
_NARROW, _WIDE = 0.12, 1.5  # width to height
_FEWEST = 4  # letters
_ASIDE, _APART = 0.45, 3.2  # of the height: middles beside one another, and the next one below, with a space between
_ALIKE = 2.3  # heights of letters that stand on one another: x and h, not x and a picture
_UNLIKE = 0.25  # spread of the middle half of the shapes, of their median: dots of a pattern are all the same
_UNEVEN, _CENTRED, _MOSTLY = 0.25, 0.2, 0.8  # of their distance: how even it is, how straight; of the letters
_MOST = 800  # shapes; more are a texture


def letter_columns(image: Pixels) -> list[Floats]:
    """Upright rectangles (4, 2) around columns of at least four shapes like letters in `image` (H, W, 3)."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    masks = (
        cv2.adaptiveThreshold(ink, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _BLOCK, _CONTRAST)
        for ink in (grey, 255 - grey)
    )
    return [column for mask in masks for column in _columns(_shapes(np.asarray(mask, dtype=np.uint8)))]


def _shapes(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Middle x, top, width, height and area of each shape of a letter's size, from the top: (n, 5)."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    rows = stats[1:count].astype(np.float64)
    left, top, width, height, area = rows.T
    fits = (height >= _LOW) & (height <= _HIGH) & (width >= _NARROW * height) & (width <= _WIDE * height)
    kept = np.stack([left + width / 2, top, width, height, area], axis=1)[fits]
    return np.asarray(kept[np.argsort(kept[:, 1], kind="stable")][:_MOST], dtype=np.float64)


def _columns(shapes: NDArray[np.float64]) -> list[Floats]:
    follows = _follows(shapes)
    length = np.ones(len(shapes), dtype=int)
    before = np.full(len(shapes), -1)
    for index in np.flatnonzero(follows.any(axis=1)):  # from the top, so that what it follows is known
        best = int(np.where(follows[index], length, 0).argmax())
        length[index], before[index] = length[best] + 1, best
    used = np.zeros(len(shapes), dtype=bool)
    found = []
    for last in np.argsort(-length, kind="stable"):
        if length[last] < _FEWEST:
            break
        places = _chain(before, int(last))
        chosen = shapes[places]
        if not used[places].any() and _varied(chosen) and _even(chosen):
            found.append(_around(chosen))
        used[places] = True
    return found


def _follows(shapes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each shape may be the next letter below each other one, (n, n)."""
    middle, top, _, height, _ = shapes.T
    size = np.maximum(height[:, None], height[None])
    below = top[:, None] - (top + height)[None]
    beside = np.abs(middle[:, None] - middle[None]) <= _ASIDE * size
    alike = size <= _ALIKE * np.minimum(height[:, None], height[None])
    return np.asarray(beside & alike & (below >= 0.1 * size) & (below <= _APART * size), dtype=np.bool_)


def _chain(before: NDArray[np.int64], last: int) -> list[int]:
    places = []
    while last >= 0:
        places.append(last)
        last = int(before[last])
    return places


def _varied(chosen: NDArray[np.float64]) -> bool:
    """Whether the shapes of a column differ as letters do, in width or in area, and not only where one is cut."""
    low, middle, high = np.quantile(chosen[:, [2, 4]], (0.25, 0.5, 0.75), axis=0)
    return bool((high - low > _UNLIKE * middle).any())


def _even(chosen: NDArray[np.float64]) -> bool:
    """Whether a column's letters stand at one distance, or at twice that where there is a space."""
    feet = np.sort(chosen[:, 1] + chosen[:, 3])
    steps = np.diff(feet)
    pitch = float(np.median(steps))
    times = np.clip(np.round(steps / pitch), 1, 2)
    regular = np.abs(steps - times * pitch) <= _UNEVEN * pitch
    aside = np.abs(chosen[:, 0] - np.median(chosen[:, 0])) <= _CENTRED * pitch
    return bool(regular.mean() >= _MOSTLY and aside.mean() >= _MOSTLY and (chosen[:, 2] <= 1.2 * pitch).all())


def _around(chosen: NDArray[np.float64]) -> Floats:
    middle, top, width, height, _ = chosen.T
    edge = 0.15 * float(height.max())
    left, right = (middle - width / 2).min() - edge, (middle + width / 2).max() + edge
    high, low = top.min() - edge, (top + height).max() + edge
    return np.array([(left, high), (right, high), (right, low), (left, low)], dtype=np.float32)
