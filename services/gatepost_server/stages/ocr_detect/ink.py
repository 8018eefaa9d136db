"""Moving a bent line's middle onto its letters.

The detector's regions follow arcs loosely (on a plain ground they fill the bow), so their middle misses the letters.
Here the surroundings of the middle are unrolled, and the height at which strokes are densest is followed from end to
end by dynamic programming (Viterbi 1967), a row up or down for each column at most.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.bent import Band
from gatepost_server.stages.ocr_detect.crops import Floats, Pixels, normals, resampled, unrolled

LINE_ROWS = 24  # rows that the line's height has in the search
REACH = 1.8  # height of the surroundings, in lines
STROKES = 200.0  # gradients above this count alike: a dark frame is no better than a letter
STEP_COST = 0.03  # of moving by a row, where the densest place is 1
SMOOTH = 25  # columns


def follow_ink(image: Pixels, band: Band) -> Band:
    """`band` shifted across its direction so that it runs through the middle of its strokes."""
    length = float(np.linalg.norm(np.diff(band.middle, axis=0), axis=1).sum())
    columns = max(8, round(length / (2 * band.half) * LINE_ROWS))
    rows = round(LINE_ROWS * REACH)
    points = resampled(band.middle, columns)
    grey = cv2.cvtColor(unrolled(image, points, band.half * REACH, rows), cv2.COLOR_BGR2GRAY)
    row = _smoothed(_best_path(_density(grey)))
    shift = ((row + 0.5) / rows * 2 - 1) * band.half * REACH
    return Band(points + shift[:, None] * normals(points), band.half)


def _density(grey: NDArray[Any]) -> Floats:
    """Strokes around each pixel, 0 to 1: gradients averaged over a window of the line's height."""
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    strokes = np.minimum(np.hypot(across, down), STROKES)
    window = (LINE_ROWS + 5, LINE_ROWS - 5)
    density = cv2.boxFilter(strokes, cv2.CV_32F, window, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(density / max(float(density.max()), 1e-6), dtype=np.float32)


def _best_path(gain: Floats) -> NDArray[np.int32]:
    """The row of each column on the path of the largest total gain."""
    rows, columns = gain.shape
    total = gain[:, 0].copy()
    came_from = np.zeros((columns, rows), dtype=np.int32)
    edge = np.full(rows + 2, -np.inf, dtype=np.float32)  # written over for each column: there are thousands
    choices = np.empty((3, rows), dtype=np.float32)
    for column in range(1, columns):
        edge[1:-1] = total
        np.subtract(edge[:-2], STEP_COST, out=choices[0])
        choices[1] = total
        np.subtract(edge[2:], STEP_COST, out=choices[2])
        came_from[column] = choices.argmax(axis=0) - 1
        total = choices.max(axis=0) + gain[:, column]
    path = np.zeros(columns, dtype=np.int32)
    path[-1] = total.argmax()
    for column in range(columns - 1, 0, -1):
        path[column - 1] = path[column] + came_from[column, path[column]]
    return path


def _smoothed(path: NDArray[np.int32]) -> Floats:
    padded = np.pad(path.astype(np.float32), SMOOTH // 2, mode="edge")
    return np.convolve(padded, np.full(SMOOTH, 1 / SMOOTH, dtype=np.float32), mode="valid")
