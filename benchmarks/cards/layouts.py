"""Where a card's lines and pictures go: papers, strips and spots for pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.cards.canvas import Box, Canvas
from benchmarks.cards.looks import Place
from benchmarks.cards.ornaments import RULINGS

Spot = tuple[float, float, float]  # middle and size of a picture, in pixels
Paint = Callable[[Canvas, tuple[str, ...], bool], "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Places for the lines; spots for pictures, the most prominent ones first."""

    places: Sequence[Place]
    spots: Sequence[Spot]


@dataclass(frozen=True, slots=True)
class Layout:
    """`paint` draws papers and strips (`bare`: none under the text) and says where things go."""

    paint: Paint
    least: int = 1  # lines
    most: int = 8
    wide: bool = True  # has room for lines that bend
    tall: bool = True  # has room for columns and for lines that are turned
    upright: bool = False  # its lines stand in columns
    paper: bool = False  # has paper under the text, always
    framed: bool = True  # a border looks well around it


def centred(canvas: Canvas, lines: tuple[str, ...], bare: bool) -> Plan:
    """Text in the middle, pictures above and below."""
    box = canvas.box(0.08, 0.3, 0.92, 0.7)
    if not bare and canvas.rng.random() < 0.3:
        canvas.panel(box.shrunk(-0.02 * canvas.side), _paper(canvas), 0.85)
    return Plan([Place(box, lines)], _grid(canvas, (0.15, 0.85), 0.17, (3, 4, 5)))


def banner(canvas: Canvas, lines: tuple[str, ...], bare: bool) -> Plan:
    """A ribbon across with the first line, the others below it, a picture in the middle."""
    low = canvas.rng.random() < 0.35
    top, bottom = (0.72, 0.9) if low else (0.1, 0.28)
    ribbon = canvas.box(0.04, top, 0.96, bottom)
    if not bare:
        colour = canvas.rng.choice(canvas.manners.dark[1:])
        fold = canvas.side * 0.03
        canvas.panel(Box(0, ribbon.top + fold, canvas.side, ribbon.bottom + fold), _darker(colour))
        canvas.panel(ribbon, colour)
    places = [Place(ribbon.shrunk(0.015 * canvas.side), lines[:1])]
    middle = 0.4 if low else 0.52
    if lines[1:]:
        rest = canvas.box(0.1, 0.06, 0.9, 0.3) if low else canvas.box(0.1, 0.68, 0.9, 0.94)
        places.append(Place(rest, lines[1:], largest=0.075))
        middle = 0.51 if low else 0.49
    size = 0.26 * canvas.side
    return Plan(places, [(x * canvas.side, middle * canvas.side, size) for x in (0.5, 0.2, 0.8)])


def couplets(canvas: Canvas, lines: tuple[str, ...], bare: bool) -> Plan:
    """Two columns, the first on the right, and a heading over them."""
    right, left, heading = canvas.box(0.8, 0.2, 0.94, 0.95), canvas.box(0.06, 0.2, 0.2, 0.95), lines[2:]
    if not bare:
        colour = canvas.rng.choice([(190, 20, 25), (170, 10, 20), (205, 35, 30)])
        for strip in (right, left) if lines[1:] else (right,):
            canvas.panel(strip, colour)
    pad = 0.01 * canvas.side
    places = [
        Place(strip.shrunk(pad), (line,), upright=True, largest=0.1)
        for strip, line in zip((right, left), lines, strict=False)
    ]
    if heading:
        top = canvas.box(0.2, 0.03, 0.8, 0.17)
        if not bare:
            canvas.panel(top, colour)
        places.append(Place(top.shrunk(pad), heading, largest=0.1))
    side = canvas.side
    spots = [(x * side, y * side, size * side) for x, y, size in ((0.5, 0.5, 0.34), (0.37, 0.8, 0.2), (0.63, 0.8, 0.2))]
    return Plan(places, spots)


def round_(canvas: Canvas, lines: tuple[str, ...], bare: bool) -> Plan:
    """A medallion with the text, pictures around it."""
    side, radius = canvas.side, 0.36 * canvas.side
    if not bare:
        centre = (side // 2, side // 2)
        cv2.circle(canvas.pixels, centre, round(radius), _paper(canvas), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(canvas.pixels, centre, round(radius), canvas.dark, max(2, side // 170), cv2.LINE_AA)
    half = radius / side * 0.8
    box = canvas.box(0.5 - half, 0.5 - half * 0.72, 0.5 + half, 0.5 + half * 0.72)
    start, count = canvas.rng.uniform(0, 0.3), canvas.rng.choice([4, 6, 8])
    angles = [2 * math.pi * (index + 0.5) / count + (start if count > 4 else 0) for index in range(count)]
    far = 0.44 * side if count > 4 else 0.56 * side
    return Plan([Place(box, lines, largest=0.1)],
                [(side / 2 + far * math.cos(a), side / 2 + far * math.sin(a), 0.13 * side if count > 4 else 0.18 * side)
                 for a in angles])  # fmt: skip


def note(canvas: Canvas, lines: tuple[str, ...], bare: bool) -> Plan:
    """A handwritten note on a sheet that lies a little aslant."""
    side, degrees = canvas.side, canvas.rng.uniform(-4, 4)
    box = canvas.box(0.14, 0.2, 0.86, 0.76)
    x, y = box.centre
    turn = math.radians(degrees)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (box.width * 0.56, box.height * 0.6)
    corners = corners @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) + (x, y)
    if not bare:
        shadow = (corners + 0.008 * side).round().astype(np.int32)
        cv2.fillPoly(canvas.pixels, [shadow], (90, 85, 80), cv2.LINE_AA)
        cv2.fillPoly(canvas.pixels, [corners.round().astype(np.int32)], _paper(canvas), cv2.LINE_AA)
        if canvas.rng.random() < 0.5:
            RULINGS[canvas.split](canvas, corners)
    return Plan(
        [Place(box, lines, largest=0.085, hand="hand", degrees=degrees)],
        [(px * side, py * side, size * side) for px, py, size in
         ((0.84, 0.86, 0.2), (0.14, 0.12, 0.16), (0.86, 0.1, 0.13), (0.16, 0.9, 0.14))],
    )  # fmt: skip


def postcard(canvas: Canvas, lines: tuple[str, ...], _bare: bool) -> Plan:
    """A picture on the left, writing on the right, a stamp and lines for the address."""
    side = canvas.side
    canvas.panel(canvas.box(0.03, 0.14, 0.97, 0.86), _paper(canvas))
    colour = canvas.rng.choice(canvas.manners.light)
    canvas.panel(canvas.box(0.06, 0.18, 0.46, 0.82), colour)
    ink = canvas.dark
    cv2.line(canvas.pixels, (side // 2, round(0.2 * side)), (side // 2, round(0.8 * side)), ink, 2)
    stamp = canvas.box(0.84, 0.18, 0.94, 0.3)
    cv2.rectangle(
        canvas.pixels, (round(stamp.left), round(stamp.top)), (round(stamp.right), round(stamp.bottom)), ink, 2
    )
    for y in (0.7, 0.75, 0.8):
        cv2.line(canvas.pixels, (round(0.56 * side), round(y * side)), (round(0.92 * side), round(y * side)), ink, 1)
    return Plan(
        [Place(canvas.box(0.53, 0.32, 0.94, 0.67), lines, largest=0.075, hand=canvas.rng.choice(["hand", None]))],
        [(0.26 * side, 0.42 * side, 0.28 * side), (0.18 * side, 0.7 * side, 0.17 * side),
         (0.35 * side, 0.71 * side, 0.17 * side), (*stamp.centre, 0.08 * side)],
    )  # fmt: skip


def meme(canvas: Canvas, lines: tuple[str, ...], bare: bool) -> Plan:
    """A big picture, text over the top and the bottom."""
    half = (len(lines) + 1) // 2
    side = canvas.side
    if not bare and canvas.rng.random() < 0.4:
        bars = [canvas.box(0, 0, 1, 0.24), canvas.box(0, 0.76, 1, 1)]
        colour = canvas.rng.choice([(255, 255, 255), (15, 15, 15)])
        for box in bars[: 2 if lines[half:] else 1]:
            canvas.panel(box, colour)
    places = [Place(canvas.box(0.05, 0.03, 0.95, 0.22), lines[:half])]
    if lines[half:]:
        places.append(Place(canvas.box(0.05, 0.78, 0.95, 0.97), lines[half:]))
    return Plan(places, [(x * side, 0.5 * side, size * side) for x, size in ((0.5, 0.46), (0.14, 0.18), (0.86, 0.18))])


LAYOUTS: Mapping[str, Layout] = {
    "centred": Layout(centred),
    "banner": Layout(banner, tall=False),
    "couplets": Layout(couplets, least=2, most=4, wide=False, upright=True),
    "round": Layout(round_, most=5),
    "note": Layout(note),
    "postcard": Layout(postcard, wide=False, tall=False, paper=True, framed=False),
    "meme": Layout(meme, most=4, tall=False, framed=False),
}


def _grid(canvas: Canvas, rows: tuple[float, float], size: float, counts: tuple[int, ...]) -> list[Spot]:
    """Spots in a row above and one below, large ones when they are few."""
    spots = []
    for y in rows:
        count = canvas.rng.choice(counts)
        across = min(size, 0.7 / count)
        spots += [((i + 0.5) / count * canvas.side, y * canvas.side, across * canvas.side) for i in range(count)]
    return sorted(spots, key=lambda spot: abs(spot[0] - canvas.side / 2))


def _paper(canvas: Canvas) -> tuple[int, int, int]:
    level = canvas.rng.randint(232, 255)
    return level, level, level - canvas.rng.randint(0, 22)


def _darker(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = colour
    return red * 2 // 3, green * 2 // 3, blue * 2 // 3
