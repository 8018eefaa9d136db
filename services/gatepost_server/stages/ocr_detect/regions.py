"""Text regions in a probability map: differentiable binarization's post-processing.

After Liao et al., Real-time Scene Text Detection with Differentiable Binarization (AAAI 2020), and
PaddleOCR's DBPostProcess, with two changes: a region's score is the mean over its own contour, so that
bent text is not scored by the empty corners of its rectangle, and rectangles are grown in closed form.
Written here because importing paddlex's costs 400 MB and 5 seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEAST_SIDE = 3  # pixels of the map
MOST_REGIONS = 1000  # of one map


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the map is text, which mean makes a region, and how far regions were shrunk in training."""

    pixel: float = 0.2
    region: float = 0.45
    unclip: float = 1.4


@dataclass(frozen=True, slots=True)
class Region:
    """One line of text, in pixels of the image.

    `contour` is the shrunken region itself; `quad` its grown rectangle, top left first and clockwise as
    the text lies within 45 degrees; `fill` the share of the ungrown rectangle that the contour covers;
    `unclip` what it was grown by, as a multiple of area over outline.
    """

    contour: Floats  # N, 2
    quad: Floats  # 4, 2
    score: float
    fill: float
    unclip: float

    @property
    def height(self) -> float:
        """The shorter side of the quad."""
        return float(min(np.linalg.norm(self.quad[1] - self.quad[0]), np.linalg.norm(self.quad[3] - self.quad[0])))

    @property
    def thickness(self) -> float:
        """The height of the line if the region is a band, bent as it may be."""
        outline = float(cv2.arcLength(self.contour, True))
        return 2 * float(cv2.contourArea(self.contour)) / max(outline, 1e-6) * (1 + self.unclip)

    def moved(self, x: float, y: float) -> Region:
        """The same region elsewhere."""
        by = np.array([x, y], dtype=np.float32)
        return replace(self, contour=self.contour + by, quad=self.quad + by)


def find_regions(probability: Floats, scale: tuple[float, float], thresholds: Thresholds) -> list[Region]:
    """Regions of `probability` (H, W), largest first; `scale` is image pixels for each map pixel in x and y.

    At most MOST_REGIONS, which is more lines than the stage takes: it reports that some are left out.
    """
    binary = (probability > thresholds.pixel).astype(np.uint8)
    found, _ = cv2.findContours(binary, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    contours = sorted(found, key=cv2.contourArea, reverse=True)
    regions = (_region(probability, np.asarray(contour, dtype=np.int32), scale, thresholds) for contour in contours)
    return list(islice((region for region in regions if region is not None), MOST_REGIONS))


def _region(
    probability: Floats, contour: NDArray[np.int32], scale: tuple[float, float], thresholds: Thresholds
) -> Region | None:
    rectangle = cv2.minAreaRect(contour)
    if min(rectangle[1]) < LEAST_SIDE:
        return None
    score = _mean_inside(probability, contour)
    if score < thresholds.region:
        return None
    corners = _clockwise(np.asarray(cv2.boxPoints(rectangle), dtype=np.float32))
    wide, high = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    margin = float(wide * high * thresholds.unclip / (2 * (wide + high)))
    factor = np.array(scale, dtype=np.float32)
    return Region(
        contour=contour.reshape(-1, 2).astype(np.float32) * factor,
        quad=_grown(corners, margin) * factor,
        score=score,
        fill=float(cv2.contourArea(contour) / (wide * high)),
        unclip=thresholds.unclip,
    )


def _mean_inside(probability: Floats, contour: NDArray[np.int32]) -> float:
    x, y, width, height = cv2.boundingRect(contour)
    mask = np.zeros((height, width), dtype=np.uint8)
    cv2.drawContours(mask, [contour - (x, y)], -1, (1,), cv2.FILLED)
    return float(cv2.mean(probability[y : y + height, x : x + width], mask)[0])


def _clockwise(corners: Floats) -> Floats:
    """Top left, top right, bottom right, bottom left: the left pair and the right pair, each by height."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]], dtype=np.float32)


def _grown(corners: Floats, margin: float) -> Floats:
    """The rectangle moved outwards by `margin` on every side."""
    along = corners[1] - corners[0]
    down = corners[3] - corners[0]
    along = along / max(float(np.linalg.norm(along)), 1e-6) * margin
    down = down / max(float(np.linalg.norm(down)), 1e-6) * margin
    return corners + np.stack([-along - down, along - down, along + down, -along + down], dtype=np.float32)
