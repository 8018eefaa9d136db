"""Regions become lines: an outline and the crops that may show what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.bent import find_band
from gatepost_server.stages.ocr_detect.crops import Floats, Pixels, bent_crop, quad_crop, spread, with_full_contrast
from gatepost_server.stages.ocr_detect.ink import follow_ink
from gatepost_server.stages.ocr_detect.passes import Found

FAINT = 70  # levels between light and dark, below which a crop is also read with its contrast spread out
LOOKS = 2  # the second look starts from a straighter strip than the first
STRAIGHT = 0.75  # fill of the rectangle from which text is surely straight


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one view. `polygon` is in pixels of the view; `crops` are CROP_HEIGHT high, BGR."""

    polygon: Floats
    crops: tuple[Pixels, ...]
    view: int


def line_of(found: Found, image: Pixels, view: int) -> Line:
    """The line that `found` is: laid flat by its rectangle, and unrolled along its middle where it may be bent."""
    region = found.region
    outline, crops = region.quad, [quad_crop(image, region.quad)]
    if region.fill < STRAIGHT and (band := find_band(region)) is not None:
        for _ in range(LOOKS):
            band = follow_ink(image, band)
        outline = band.polygon
        crops.insert(0, bent_crop(image, band.middle, band.half))
    if found.faint:
        crops = [with_full_contrast(crop) for crop in crops]
    elif spread(crops[-1]) < FAINT:
        crops.append(with_full_contrast(crops[0]))
    return Line(outline, tuple(crops), view)


def same_line(one: Line, other: Line) -> bool:
    """Whether two views show the same text at the same place: overlapping outlines and nearly equal pixels.

    A changed character changes a window of a quarter of the crop's height by much of the crop's own contrast,
    however low that is; noise of compression does not.
    """
    if _overlap(one.polygon, other.polygon) < 0.8:
        return False
    ours, theirs = one.crops[0], other.crops[0]
    if abs(ours.shape[1] - theirs.shape[1]) > 0.1 * ours.shape[1]:
        return False
    grey = cv2.cvtColor(ours, cv2.COLOR_BGR2GRAY).astype(np.float32)
    other_grey = cv2.resize(cv2.cvtColor(theirs, cv2.COLOR_BGR2GRAY).astype(np.float32), grey.shape[::-1])
    difference = cv2.blur(np.abs(grey - other_grey), (12, 12))
    return float(difference.max()) < 2 + 0.35 * float(grey.std())


def _overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of the bounding boxes."""
    low, high = np.maximum(one.min(0), other.min(0)), np.minimum(one.max(0), other.max(0))
    shared = float(np.prod(np.maximum(high - low, 0)))
    areas = float(np.prod(one.max(0) - one.min(0)) + np.prod(other.max(0) - other.min(0)))
    return shared / max(areas - shared, 1e-6)


def strip_of(crops: Sequence[Pixels], height: int) -> NDArray[np.uint8]:
    """All crops side by side in RGB, (height, sum of widths, 3); (height, 0, 3) for none."""
    if not crops:
        return np.zeros((height, 0, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.concatenate(crops, axis=1)[..., ::-1])
