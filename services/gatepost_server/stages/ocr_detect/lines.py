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
from gatepost_server.stages.ocr_detect.upright import Column, laid_out

FAINT = 70  # levels between light and dark, below which a crop is also read with its contrast spread out
LOOKS = 2  # the second look starts from a straighter strip than the first
SAME_PLACE = 0.5  # intersection over union, from which two lines may be one
STRAIGHT = 0.75  # fill of the rectangle from which text is surely straight


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one view. `polygon` and `height` are in pixels of the view; `crops` are CROP_HEIGHT high, BGR."""

    polygon: Floats
    height: float
    crops: tuple[Pixels, ...]
    view: int


def line_of(found: Found, image: Pixels, view: int) -> Line:
    """The line that `found` is: laid flat by its rectangle, and unrolled along its middle where it may be bent."""
    region = found.region
    outline, height, crops = region.quad, region.height, [quad_crop(image, region.quad)]
    if region.fill < STRAIGHT and (band := find_band(region)) is not None:
        for _ in range(LOOKS):
            band = follow_ink(image, band)
        outline, height = band.polygon, 2 * band.half
        crops.insert(0, bent_crop(image, band.middle, band.half))
    if found.faint:
        crops = [with_full_contrast(crop) for crop in crops]
    elif spread(crops[-1]) < FAINT:
        crops.append(with_full_contrast(crops[0]))
    return Line(outline, height, tuple(crops), view)


def column_of(column: Column, image: Pixels, view: int) -> Line | None:
    """The line that stacked letters make, read as a row and turned; None where it does not fall into letters."""
    row = laid_out(image, column.quad)
    if row is None:
        return None
    crops = [row, quad_crop(image, column.quad)]
    if any(piece.faint for piece in column.pieces) or spread(row) < FAINT:
        crops = [with_full_contrast(crop) for crop in crops]
    return Line(column.quad, column.box[2] - column.box[0], tuple(crops), view)


def shown_before(line: Line, earlier: Sequence[Line], views: NDArray[np.uint8]) -> bool:
    """Whether one of `earlier` is the same text: found at the same place of a view whose pixels are nearly the same."""
    height, width = views.shape[1:3]
    low = np.clip(np.floor(line.polygon.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(line.polygon.max(axis=0)), low + 1, (width, height)).astype(int)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    return any(
        _overlap(line.polygon, other.polygon) >= SAME_PLACE
        and _same_pixels(views[line.view][window], views[other.view][window], line.height)
        for other in earlier
    )


def _same_pixels(ours: Pixels, theirs: Pixels, height: float) -> bool:
    """Whether no spot of a quarter of a line's height differs by much, or by a tenth of the picture's own contrast.

    Rather a line twice than a changed one lost: a new character changes such a spot by a third of the
    contrast between letters and ground, noise of compression by a few levels.
    """
    grey, other_grey = (cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) for pixels in (ours, theirs))
    side = max(1, round(height / 4))
    difference = cv2.blur(np.abs(grey - other_grey), (side, side))
    return float(difference.max()) <= min(8.0, max(1.0, 0.1 * spread(ours)))


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
