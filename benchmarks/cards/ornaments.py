"""Borders of cards and rulings of notepaper: another family in every split."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from benchmarks.cards.canvas import Canvas
from benchmarks.cards.splits import Split

Points = np.ndarray  # N, 2


def double_line(canvas: Canvas) -> None:
    for inset, width in ((0.02, 4), (0.032, 1)):
        low, high = round(inset * canvas.side), round((1 - inset) * canvas.side)
        cv2.rectangle(canvas.pixels, (low, low), (high, high), canvas.ink(canvas.box(0, 0, 1, 0.06)).fill, width)


def beads(canvas: Canvas) -> None:
    colour, low = canvas.ink(canvas.box(0, 0, 1, 0.06)).fill, round(0.025 * canvas.side)
    for at in np.linspace(low, canvas.side - low, 36).round().astype(int).tolist():
        for x, y in ((at, low), (at, canvas.side - low), (low, at), (canvas.side - low, at)):
            cv2.circle(canvas.pixels, (x, y), max(2, canvas.side // 200), colour, cv2.FILLED, cv2.LINE_AA)


def corners(canvas: Canvas) -> None:
    side, colour = canvas.side, canvas.ink(canvas.box(0, 0, 1, 0.06)).fill
    near, far = round(0.025 * side), round(0.14 * side)
    for x, outwards in ((near, 1), (side - near, -1)):
        for y, downwards in ((near, 1), (side - near, -1)):
            reach = far - near
            hook = np.array([[x + outwards * reach, y], [x, y], [x, y + downwards * reach]], dtype=np.int32)
            cv2.polylines(canvas.pixels, [hook], False, colour, max(2, side // 256), cv2.LINE_AA)
            centre = (x + outwards * near // 2, y + downwards * near // 2)
            cv2.circle(canvas.pixels, centre, near // 3, colour, cv2.FILLED, cv2.LINE_AA)


def ruled(canvas: Canvas, sheet: Points) -> None:
    _rule(canvas, sheet, 11, across=True)


def margin(canvas: Canvas, sheet: Points) -> None:
    start = sheet[0] + (sheet[1] - sheet[0]) * 0.06
    end = sheet[3] + (sheet[2] - sheet[3]) * 0.06
    cv2.line(canvas.pixels, _pixel(start), _pixel(end), (240, 190, 190), 2, cv2.LINE_AA)


def squared(canvas: Canvas, sheet: Points) -> None:
    _rule(canvas, sheet, 15, across=True)
    _rule(canvas, sheet, 20, across=False)


def _rule(canvas: Canvas, sheet: Points, count: int, *, across: bool) -> None:
    """`count` pale lines over the sheet, whose corners go clockwise from the top left."""
    first, last = (sheet[[0, 1]], sheet[[3, 2]]) if across else (sheet[[0, 3]], sheet[[1, 2]])
    for share in np.linspace(0, 1, count + 2)[1:-1]:
        start, end = first * (1 - share) + last * share
        cv2.line(canvas.pixels, _pixel(start), _pixel(end), (216, 222, 232), 1, cv2.LINE_AA)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


FRAMES: Mapping[Split, Callable[[Canvas], None]] = {
    Split.TRAIN: double_line,
    Split.DEV: beads,
    Split.TEST: corners,
}
RULINGS: Mapping[Split, Callable[[Canvas, Points], None]] = {
    Split.TRAIN: ruled,
    Split.DEV: margin,
    Split.TEST: squared,
}
