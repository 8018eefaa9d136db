"""The middle line of a bent region of text.

Pixels are sorted by their geodesic distance from one end of the region (the two ends being the pixels
farthest from each other, as in the double sweep for tree diameters); the centres of equal distances are the
middle. It holds for arcs beyond a half circle and for waves, where fitting y = f(x) does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.crops import normals, resampled
from gatepost_server.stages.ocr_detect.regions import Floats, Region

THICKNESS = 10.0  # pixels to which the region is scaled for the search
LONGEST = 2000  # steps of the search
ROUGH = 2.0  # pixels: what an outline does within this is no part of its length
POLYGON_POINTS = 12  # on each side of the line


@dataclass(frozen=True, slots=True)
class Band:
    """A bent line: its middle (N, 2) in reading direction, and half its height, in pixels of the image."""

    middle: Floats
    half: float

    @property
    def polygon(self) -> Floats:
        """The band's outline, clockwise from its top left."""
        points = resampled(self.middle, POLYGON_POINTS)
        across = normals(points) * self.half
        return np.concatenate([points - across, (points + across)[::-1]]).astype(np.float32)


def find_band(region: Region) -> Band | None:
    """The band that `region` lies in, or None where it is no band (a blob, a cross, a ring)."""
    area = float(cv2.contourArea(region.contour))
    # A map's edge is rough, the more so in bfloat16, and a rough outline is a long one: the band would be too thin.
    outline = float(cv2.arcLength(cv2.approxPolyDP(region.contour, ROUGH, True), True))
    if outline <= 0:
        return None
    thickness = 2 * area / outline  # of a long band
    scale = min(1.0, THICKNESS / max(thickness, 1e-6))
    corner = region.contour.min(axis=0) - 2 / scale
    mask = _mask(region.contour, corner, scale)
    distance = _geodesic(mask, _farthest(_geodesic(mask, _any_pixel(mask))))
    middle = _centres(distance, thickness * scale)
    if middle is None:
        return None
    margin = area * region.unclip / outline
    half = thickness / 2 + margin
    line = _lengthened(middle / scale + corner, margin)
    return Band(_in_reading_direction(line), half)


def _mask(contour: Floats, corner: Floats, scale: float) -> NDArray[np.uint8]:
    points = np.round((contour - corner) * scale).astype(np.int32)
    width, height = points.max(axis=0) + 3
    mask = np.zeros((height, width), dtype=np.uint8)
    cv2.drawContours(mask, [points.reshape(-1, 1, 2)], -1, (1,), cv2.FILLED)
    return mask


def _any_pixel(mask: NDArray[np.uint8]) -> tuple[int, int]:
    y, x = np.unravel_index(int(mask.argmax()), mask.shape)
    return int(y), int(x)


def _farthest(distance: NDArray[np.int32]) -> tuple[int, int]:
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    return int(y), int(x)


def _geodesic(mask: NDArray[np.uint8], start: tuple[int, int]) -> NDArray[np.int32]:
    """Steps from `start` within the mask, -1 outside it; to 4 and to 8 neighbours in turn (an octagon's metric)."""
    distance = np.full(mask.shape, -1, dtype=np.int32)
    front = np.zeros_like(mask)
    front[start] = 1
    distance[start] = 0
    shapes = [cv2.getStructuringElement(shape, (3, 3)) for shape in (cv2.MORPH_CROSS, cv2.MORPH_RECT)]
    for step in range(1, LONGEST):
        grown = np.bitwise_and(cv2.dilate(front, shapes[step % 2]), mask, dtype=np.uint8)
        new = (grown != 0) & (distance < 0)
        if not new.any():
            break
        distance[new] = step
        front = grown
    return distance


def _centres(distance: NDArray[np.int32], thickness: float) -> Floats | None:
    """Smoothed centres of the bands of equal distance, without the slanted ones at the ends."""
    longest = int(distance.max())
    bins = int(longest / max(thickness / 2, 1.0))
    if bins < 6:
        return None
    y, x = np.nonzero(distance >= 0)
    which = np.minimum(distance[y, x] * bins // (longest + 1), bins - 1)
    count = np.bincount(which, minlength=bins)
    centres = np.stack([np.bincount(which, weights=axis, minlength=bins) / count for axis in (x, y)], axis=1)
    inner = centres[1:-1]
    padded = np.concatenate([2 * inner[:1] - inner[1:2], inner, 2 * inner[-1:] - inner[-2:-1]])
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, dtype=np.float32)


def _lengthened(line: Floats, margin: float) -> Floats:
    """The line drawn out straight at both ends, over the bins left out and the region's margin."""
    span = min(3, len(line) - 1)
    spacing = float(np.linalg.norm(np.diff(line, axis=0), axis=1).mean())
    reach = margin + 1.5 * spacing  # the first inner centre lies one and a half bins from the end
    head = line[0] - line[span]
    tail = line[-1] - line[-1 - span]
    head = head / max(float(np.linalg.norm(head)), 1e-6) * reach
    tail = tail / max(float(np.linalg.norm(tail)), 1e-6) * reach
    return np.concatenate([line[:1] + head, line, line[-1:] + tail], dtype=np.float32)


def _in_reading_direction(line: Floats) -> Floats:
    """Left to right, or top to bottom where it rises more than it runs. (The recogniser tries upside down too.)"""
    run, rise = line[-1] - line[0]
    backwards = rise < 0 if abs(rise) > 1.5 * abs(run) else run < 0
    return line[::-1].copy() if backwards else line
