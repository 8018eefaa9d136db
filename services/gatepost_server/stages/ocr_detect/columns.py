"""Columns that the detector took for rows, or ran together.

Narrow columns side by side look like rows to it, each with one character of every column. What tells them apart is the
step from character to character: it is shorter along a line than from line to line. Both steps are measured here on
the strokes themselves, by the autocorrelation of their density along x and along y. Where the answer is columns, the
detector looks at that part of the picture again, squeezed in height, so that the characters of a column come close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.crops import TALL, Floats, Pixels
from gatepost_server.stages.ocr_detect.regions import Region

SQUEEZED = 0.6  # of its height, in the second look
NEAR = 0.7  # of the lower line's height: lines of one block lie no further apart
BAR = 0.75  # fill of its rectangle; below, a region may be several columns run together
MARGIN = 0.3  # of the line's height, kept around a block
MOST_IN_BLOCKS = 60  # regions; more are a page, where pairs would be many and columns are rare
LONGER = 1.08  # the step across columns, where the step along them is 1
CLEAR = 0.3  # autocorrelation from which characters stand in step
SLACK = 0.15  # columns stand in step across at least about as clearly as their characters do along them
FIRST = 0.7  # of the best autocorrelation: the shortest step that has it is taken, not its double
ORNAMENT = 0.4  # of the middle height: what is lower is no line of the block
STEPS = (0.5, 2.6)  # the least step looked for, in the lowest line's heights, and the longest in likely ones
STROKE = 0.35  # of a strong gradient: what is weaker is ground


@dataclass(frozen=True, slots=True)
class Block:
    """Regions that hang together, in pixels of the image: their bounds with a margin.

    `line` is the height of the lowest line; `likely` guess at that of letters, too high where columns ran together.
    """

    members: tuple[int, ...]
    left: int
    top: int
    right: int
    bottom: int
    line: float
    likely: tuple[float, float]

    def of(self, image: Pixels) -> Pixels:
        """The block's part of the image."""
        return image[self.top : self.bottom, self.left : self.right]


def doubtful_blocks(image: Pixels, regions: Sequence[Region]) -> list[Block]:
    """Blocks of `regions` that stand in columns by the steps of their strokes, but were not all found as columns."""
    bounds = [np.concatenate([region.quad.min(axis=0), region.quad.max(axis=0)]) for region in regions]
    blocks = []
    for group in _neighbours(regions, bounds):
        if not all(is_column(regions[index]) for index in group):
            block = _block(image, [regions[index] for index in group], group)
            if any(steps_down(block.of(image), block.line, likely) for likely in block.likely):
                blocks.append(block)
    return blocks


def is_column(region: Region) -> bool:
    """Whether the region is an upright column of several characters, and one alone."""
    width, height = np.ptp(region.quad, axis=0)
    return bool(height >= TALL * width and width < 1.5 * region.height)


def runs_across(region: Region, columns: Sequence[Region]) -> bool:
    """Whether the region holds parts of several columns."""
    low, high = region.quad.min(axis=0), region.quad.max(axis=0)
    middles = [column.quad.mean(axis=0)[0] for column in columns if _overlap_down(column, low[1], high[1])]
    return sum(bool(low[0] < middle < high[0]) for middle in middles) > 1


def _overlap_down(column: Region, top: float, bottom: float) -> bool:
    return bool(column.quad[:, 1].min() < (top + bottom) / 2 < column.quad[:, 1].max())


def steps_down(window: Pixels, least: float, most: float) -> bool:
    """Whether characters of `least` to `most` pixels follow one another more closely down than across.

    `least` may well be too low: steps within characters are shorter than those from one to the next in both ways.
    """
    strokes = _strokes(window, least)
    across, sure = _step(strokes.mean(axis=0), least, most)
    down, less_sure = _step(strokes.mean(axis=1), least, most)
    return sure >= max(CLEAR, less_sure - SLACK) and 0 < LONGER * down <= across


def _neighbours(regions: Sequence[Region], bounds: Sequence[Floats]) -> list[tuple[int, ...]]:
    """Indices of regions in groups that hang together; of those that stand alone the ones that are no plain bar."""
    if len(regions) > MOST_IN_BLOCKS:
        return []
    groups: list[list[int]] = []
    for index, box in enumerate(bounds):
        near = [
            group
            for group in groups
            if any(
                _gap(box, bounds[other]) <= NEAR * min(regions[index].height, regions[other].height) for other in group
            )
        ]
        groups = [group for group in groups if group not in near]
        groups.append([index, *(member for group in near for member in group)])
    return [tuple(sorted(group)) for group in groups if len(group) > 1 or regions[group[0]].fill < BAR]


def _gap(one: Floats, other: Floats) -> float:
    return float(np.max(np.maximum(one[:2], other[:2]) - np.minimum(one[2:], other[2:])))


def _block(image: Pixels, regions: Sequence[Region], members: tuple[int, ...]) -> Block:
    heights = sorted(min(region.height, region.thickness) for region in regions)
    middle = heights[(len(heights) - 1) // 2]
    line = next(height for height in heights if height >= ORNAMENT * middle)
    points = np.concatenate([region.quad for region in regions])
    left, top = np.maximum(np.floor(points.min(axis=0) - MARGIN * line), 0).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + MARGIN * line).astype(int)
    return Block(
        members, left, top, min(right, image.shape[1]), min(bottom, image.shape[0]), line, (middle, heights[-1])
    )


def _strokes(window: Pixels, line: float) -> Floats:
    """1 where a stroke's edge is, 0 elsewhere."""
    grey = cv2.GaussianBlur(cv2.cvtColor(window, cv2.COLOR_BGR2GRAY), (0, 0), max(0.5, line / 40))
    edges = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    strong = np.percentile(edges[::2, ::2], 95)  # a quarter of the pixels says it as well
    return np.asarray(edges > STROKE * strong, dtype=np.float32)


def _step(density: NDArray[np.float32], least: float, most: float) -> tuple[float, float]:
    """The step at which `density` repeats, in pixels, and its autocorrelation there; 0, 0 where it does not."""
    smooth = cv2.blur(density[None], (max(1, round(least / 8)), 1))[0]
    wave = smooth - smooth.mean()
    length = len(wave)
    power = float(wave @ wave) / length
    lags = range(max(1, int(STEPS[0] * least)), min(int(STEPS[1] * most), length // 2 + 4))
    if power <= 0 or len(lags) < 3:
        return 0.0, 0.0
    alike = np.array([float(wave[: length - lag] @ wave[lag:]) / (length - lag) for lag in lags]) / power
    peaks = np.flatnonzero((alike[1:-1] >= alike[:-2]) & (alike[1:-1] >= alike[2:])) + 1
    if not len(peaks) or alike[peaks].max() <= 0:
        return 0.0, 0.0
    best = next(peak for peak in peaks if alike[peak] >= FIRST * alike[peaks].max())
    return float(lags[best]), float(alike[best])
