"""How lines are written into a place of the card: the styles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.cards.canvas import Box, Canvas
from benchmarks.cards.lettering import Ink, Layer, along, arc, column, lay, straight, wave
from benchmarks.cards.manners import measure
from benchmarks.cards.rows import Row, broken, columns_in, rows_in


@dataclass(frozen=True, slots=True)
class Place:
    """Where lines go."""

    box: Box
    lines: tuple[str, ...]
    upright: bool = False  # a column each, the first on the right
    largest: float = 0.11  # of the side
    hand: str | None = None  # the layout's own kind of hand
    degrees: float = 0.0  # the paper lies aslant


_FAR_END = 13  # pixels: no line shrinks to less towards its far end
Inker = Callable[[Canvas, Box, int], Ink]  # for text of a size in a box
Shape = Callable[[Canvas, Place, "Look"], None]


@dataclass(frozen=True, slots=True)
class Look:
    """A style: how letters stand, how they are inked, and what happens to the lines."""

    shape: Shape
    ink: Inker
    hand: str = "plain"
    busy: bool = False  # needs a busy ground, without paper under the text
    even: bool = False  # needs an even ground
    tiny: bool = False
    split: bool = False
    sliced: bool = False
    veiled: bool = False
    bends: bool = False  # needs a wide place
    rises: bool = False  # needs a tall place


def clear(canvas: Canvas, box: Box, _size: int) -> Ink:
    """Dark on light or light on dark."""
    return canvas.ink(box)


def edged(canvas: Canvas, box: Box, size: int) -> Ink:
    """Light with a dark edge, or dark with a light one where the ground is light: read on any picture."""
    mean, _ = canvas.tone(box)
    dark, light = canvas.dark, canvas.light
    fill, edge = (dark, light) if mean.mean() > 165 else (light, dark)
    return Ink(fill, edge, max(2, round(size * 0.07)))


def outlined(canvas: Canvas, _box: Box, size: int) -> Ink:
    """Any fill, an edge of the opposite tone."""
    dark, light = canvas.dark, canvas.light
    fill, edge = (dark, light) if canvas.rng.random() < 0.5 else (light, dark)
    return Ink(fill, edge, max(2, round(size * measure(canvas.rng, canvas.manners.stroke))))


def glowing(canvas: Canvas, _box: Box, _size: int) -> Ink:
    """A halo of the opposite tone."""
    dark, light = canvas.dark, canvas.light
    return Ink(light, glow=dark) if canvas.rng.random() < 0.5 else Ink(dark, glow=light)


def faint(canvas: Canvas, box: Box, _size: int) -> Ink:
    """Near the ground's own colour."""
    mean, _ = canvas.tone(box)
    levels = measure(canvas.rng, canvas.manners.contrast) * (1 if mean.mean() < 128 else -1)
    red, green, blue = (int(np.clip(value + levels, 0, 255)) for value in mean)
    return Ink((red, green, blue))


def straight_rows(canvas: Canvas, place: Place, look: Look, degrees: float = 0.0) -> None:
    """Rows below each other, the block turned around its middle."""
    degrees += place.degrees
    box = _turned_box(place.box, degrees)
    x, y = place.box.centre
    turn = math.radians(degrees)
    for row, part in _rows(canvas, replace(place, box=box), look):
        off = part.centre[1] - box.centre[1]
        at = x - math.sin(turn) * off, y + math.cos(turn) * off
        reach = Box(at[0] - row.width / 2, at[1] - row.size / 2, at[0] + row.width / 2, at[1] + row.size / 2)
        if abs(math.sin(turn)) > 0.7:
            reach = Box(at[0] - row.size / 2, at[1] - row.width / 2, at[0] + row.size / 2, at[1] + row.width / 2)
        layer = straight(row.text, row.hand, row.size, look.ink(canvas, reach, row.size))
        _write(canvas, look, row, lambda layer=layer, at=at: canvas.put(layer, *at, degrees))


def upside_down(canvas: Canvas, place: Place, look: Look) -> None:
    straight_rows(canvas, place, look, 180.0)


def turned(canvas: Canvas, place: Place, look: Look) -> None:
    """A quarter turn either way, or aslant."""
    slant = canvas.rng.choice([-1, 1]) * measure(canvas.rng, canvas.manners.tilt)
    straight_rows(canvas, place, look, canvas.rng.choice([90.0, 270.0, slant]))


def columns(canvas: Canvas, place: Place, look: Look) -> None:
    """Columns from right to left."""
    size, written = columns_in(canvas, place.box, place.lines, _kind(place, look), _largest(canvas, place, look))
    pitch = size * canvas.rng.uniform(1.35, 1.7)
    right = place.box.centre[0] + pitch * (len(written) - 1) / 2
    for index, (text, hand) in enumerate(written):
        x, y = right - index * pitch, place.box.centre[1]
        tall = size * 1.1 * len(hand.parts(text))
        reach = Box(x - size / 2, y - tall / 2, x + size / 2, y + tall / 2)
        layer = column(text, hand, size, look.ink(canvas, reach, size))
        row = Row(text, hand, size, tall)
        _write(canvas, look, row, lambda layer=layer, x=x, y=y: canvas.put(layer, x, y, place.degrees))


def curved(canvas: Canvas, place: Place, look: Look) -> None:
    """Arcs around one middle, all over it or all under it; or the first line over and the last one under."""
    rows = [row for row, _ in _rows(canvas, replace(place, box=_narrower(place.box, 0.92)), look)]
    if len(rows) == 2 and canvas.rng.random() < 0.5:
        upper, lower = place.box.rows(2)
        _arcs(canvas, look, rows[:1], upper, above=True)
        _arcs(canvas, look, rows[1:], lower, above=False)
    else:
        _arcs(canvas, look, rows, place.box, above=canvas.rng.random() < 0.6)


def _arcs(canvas: Canvas, look: Look, rows: Sequence[Row], box: Box, *, above: bool) -> None:
    """Rows on circles with one middle, as large as they fit the box."""
    sweep = math.radians(measure(canvas.rng, canvas.manners.sweep))
    size = rows[0].size
    while True:
        step, lengths = 1.4 * size, [1.08 * row.width * size / row.size for row in rows]
        inwards = 1 if above else -1  # over the middle the first line is the outermost
        radius = max(length / sweep + inwards * index * step for index, length in enumerate(lengths))
        outermost = radius if above else radius + (len(rows) - 1) * step
        rise = (outermost + size / 2) * (1 - math.cos(sweep / 2))
        height = rise + len(rows) * step
        wide = 2 * (outermost + size / 2) * math.sin(min(sweep, math.pi) / 2)
        if size <= 12 or (wide <= box.width and height <= box.height):
            break
        size -= 1
    x, y = box.centre
    first = y - height / 2 + size * 0.7
    centre = (x, first + radius if above else first + rise - radius)
    for index, row in enumerate(rows):
        path = arc(radius - inwards * index * step, centre, above=above)
        _along(canvas, look, Row(row.text, row.hand, size, lengths[index]), box, path)


def waving(canvas: Canvas, place: Place, look: Look) -> None:
    for row, part in _rows(canvas, replace(place, box=_narrower(place.box, 0.88)), look, room=2.6):
        manners = canvas.manners
        height = row.size * measure(canvas.rng, manners.amplitude)
        length = row.size * measure(canvas.rng, manners.period)
        _along(canvas, look, row, part, wave(height, length, canvas.rng.uniform(0, 2 * math.pi), part.centre))


def leaning(canvas: Canvas, place: Place, look: Look) -> None:
    """Seen from the side, or sheared."""
    for row, part in _rows(canvas, place, look, room=1.9):
        layer = straight(row.text, row.hand, row.size, look.ink(canvas, part, row.size))
        outline = layer.written.outline
        width, height = np.ptp(outline, axis=0)
        corners = outline - outline.mean(axis=0)
        if canvas.rng.random() < 0.5:
            end = [0, 3] if canvas.rng.random() < 0.5 else [1, 2]
            corners[end] *= (1, max(measure(canvas.rng, canvas.manners.far_end), _FAR_END / row.size))
        else:
            aside = canvas.rng.choice([-1, 1]) * measure(canvas.rng, canvas.manners.lean) * height / 2
            corners += np.array([[aside, 0], [aside, 0], [-aside, 0], [-aside, 0]])
        rise = canvas.rng.uniform(-0.12, 0.12) * width / 2
        corners += np.array([[0, -rise], [0, rise], [0, rise], [0, -rise]])
        corners *= min(1.0, part.width / np.ptp(corners[:, 0]), part.height / np.ptp(corners[:, 1]))
        target = (corners + np.array(part.centre)).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(outline.astype(np.float32), target)
        _write(canvas, look, row, lambda layer=layer, matrix=matrix: _lay(canvas, layer, matrix))


def _along(canvas: Canvas, look: Look, row: Row, part: Box, path: Callable[..., tuple[float, float, float]]) -> None:
    ink = look.ink(canvas, part, row.size)
    layer = along(row.text, row.hand, row.size, ink, path, canvas.side)
    _write(canvas, look, row, lambda: _lay(canvas, layer, np.eye(3)))


def _lay(canvas: Canvas, layer: Layer, matrix: np.ndarray) -> None:
    canvas.card.lines.append(lay(canvas.pixels, layer, matrix))


def _rows(canvas: Canvas, place: Place, look: Look, room: float = 1.45) -> Sequence[tuple[Row, Box]]:
    """The lines as rows that fit the place; `room` is a row's height in sizes."""
    lines = broken(place.lines, canvas.rng) if look.split else place.lines
    largest = _largest(canvas, place, look)
    return rows_in(canvas, place.box, lines, _kind(place, look), largest, room, loose=look.tiny)


def _narrower(box: Box, share: float) -> Box:
    x, half = box.centre[0], box.width * share / 2
    return Box(x - half, box.top, x + half, box.bottom)


def _kind(place: Place, look: Look) -> str:
    """The layout's own hand, but where it would be hard to read."""
    return place.hand if place.hand and look.hand == "plain" and not (look.tiny or look.ink in _HEAVY) else look.hand


def _largest(canvas: Canvas, place: Place, look: Look) -> float:
    if look.tiny:
        return round(measure(canvas.rng, canvas.manners.tiny) * canvas.side / 1024)
    return place.largest * canvas.side * canvas.rng.uniform(0.75, 1.0)


def _turned_box(box: Box, degrees: float) -> Box:
    """The largest box around the same middle, seen in the turned frame, that stays inside."""
    x, y = box.centre
    turn = math.radians(degrees)
    sine, cosine = abs(math.sin(turn)), abs(math.cos(turn))
    if sine > 0.99:
        width, height = box.height, box.width
    else:
        scale = min(1.0, box.width / (box.width * cosine + 0.45 * box.height * sine),
                    box.height / (box.width * sine + 0.45 * box.height * cosine)) if sine > 0.01 else 1.0  # fmt: skip
        width, height = box.width * scale, box.height * (0.45 if sine > 0.2 else 1.0)
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _write(canvas: Canvas, look: Look, row: Row, write: Callable[[], None]) -> None:
    """Write, then cut or cover what was written."""
    before = canvas.pixels.copy() if look.sliced else None
    write()
    line = canvas.card.lines[-1]
    if before is not None:
        _slice(canvas, before, line.middle, row.size)
    if look.veiled:
        _cover(canvas, line.outline, row.size)


def _slice(canvas: Canvas, before: np.ndarray, middle: np.ndarray, size: int) -> None:
    """A thin band through the letters in which the ground shows."""
    start, end = middle[0], middle[-1]
    forth = (end - start) / max(1.0, float(np.hypot(*(end - start))))
    across = np.array([-forth[1], forth[0]])
    thick = size * measure(canvas.rng, canvas.manners.band)
    side = canvas.rng.choice([-1, 1])  # never through the middle, where the one stroke of 一 is
    lift = np.array([canvas.rng.uniform(0.12, 0.24), canvas.rng.uniform(0.12, 0.24)]) * size * side
    ends = np.array([start - forth * size + across * lift[0], end + forth * size + across * lift[1]])
    band = np.array([ends[0] - across * thick / 2, ends[1] - across * thick / 2,
                     ends[1] + across * thick / 2, ends[0] + across * thick / 2])  # fmt: skip
    mask = np.zeros(canvas.pixels.shape[:2], dtype=np.uint8)
    cv2.fillPoly(mask, [(band * 16).round().astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    left, top, width, height = cv2.boundingRect(mask)
    share = mask[top : top + height, left : left + width, None].astype(np.float32) / 255
    under = canvas.pixels[top : top + height, left : left + width]
    under[:] = (before[top : top + height, left : left + width] * share + under * (1 - share)).round().astype(np.uint8)


def _cover(canvas: Canvas, outline: np.ndarray, size: int) -> None:
    """Half-transparent colour over part of the letters: a stripe or blots."""
    left, top = outline.min(axis=0) - size * 0.2
    right, bottom = outline.max(axis=0) + size * 0.2
    mask = np.zeros((max(1, round(bottom - top)), max(1, round(right - left))), dtype=np.uint8)
    height, width = mask.shape
    if canvas.rng.random() < 0.5:
        at = canvas.rng.uniform(0.0, 0.45)
        cv2.rectangle(mask, (0, round(at * height)), (width, round((at + 0.5) * height)), 255, cv2.FILLED)
    else:
        for _ in range(3):
            centre = canvas.rng.randrange(width), canvas.rng.randrange(height)
            axes = round(width * canvas.rng.uniform(0.1, 0.25)), round(height * canvas.rng.uniform(0.3, 0.6))
            cv2.ellipse(mask, centre, axes, canvas.rng.uniform(-20, 20), 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    colour = canvas.rng.choice([(220, 40, 60), (40, 120, 220), (250, 180, 30), (60, 170, 90), (150, 70, 190)])
    canvas.veil(mask, round(left), round(top), colour, measure(canvas.rng, canvas.manners.veil))


_HEAVY = (edged, outlined, glowing)  # inks that would fill thin handwriting up

LOOKS: Mapping[str, Look] = {
    "plain": Look(straight_rows, clear),
    "artistic": Look(straight_rows, clear, hand="artistic"),
    "vertical": Look(columns, clear, rises=True),
    "turned": Look(turned, clear, bends=True, rises=True),
    "upside down": Look(upside_down, clear),
    "outlined": Look(straight_rows, outlined),
    "curved": Look(curved, clear, bends=True),
    "wave": Look(waving, clear, bends=True),
    "low contrast": Look(straight_rows, faint, even=True),
    "tiny": Look(straight_rows, clear, tiny=True),
    "perspective": Look(leaning, clear, bends=True),
    "glow": Look(straight_rows, glowing),
    "busy": Look(straight_rows, edged, busy=True),
    "split": Look(straight_rows, clear, split=True, rises=True),
    "sliced": Look(straight_rows, clear, sliced=True),
    "overlaid": Look(straight_rows, clear, veiled=True),
}
"""Styles by name. In a place for upright lines, straight rows become columns (compose.py)."""
