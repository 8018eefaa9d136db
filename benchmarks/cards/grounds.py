"""Backgrounds of whole cards, by split: calm ones, and busy pictures."""

from __future__ import annotations

import colorsys
import random
from collections.abc import Callable, Mapping
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cards.lettering import Colour
from benchmarks.cards.splits import Split

Pixels = NDArray[np.uint8]  # side, side, 3 RGB
Ground = Callable[[random.Random, int], Pixels]


def tone(rng: random.Random, light: tuple[float, float], vivid: tuple[float, float] = (0.25, 0.8)) -> Colour:
    """A colour of any hue, with lightness and saturation in the given intervals."""
    red, green, blue = colorsys.hls_to_rgb(rng.random(), rng.uniform(*light), rng.uniform(*vivid))
    return round(255 * red), round(255 * green), round(255 * blue)


def slanting(rng: random.Random, side: int) -> Pixels:
    """Two related colours, slantwise."""
    light = rng.choice([(0.2, 0.35), (0.7, 0.92)])
    corners = [tone(rng, light) for _ in range(2)]
    middle = tuple((a + b) // 2 for a, b in zip(*corners, strict=True))
    return _enlarged([[corners[0], middle], [middle, corners[1]]], side)


def rings(rng: random.Random, side: int) -> Pixels:
    """Festive paper with rings."""
    base = rng.choice([(176, 18, 22), (200, 30, 40), (150, 10, 20), (20, 60, 40)])
    canvas = _plain(base, side)
    for _ in range(36):
        brighter = tuple(min(255, value + rng.randint(10, 40)) for value in base)
        cv2.circle(canvas, _spot(rng, side), round(rng.uniform(0.01, 0.05) * side), brighter, 3, cv2.LINE_AA)
    return canvas


def scraps(rng: random.Random, side: int) -> Pixels:
    """Confetti on a light ground."""
    canvas = _plain(tone(rng, (0.9, 0.97)), side)
    for _ in range(150):
        x, y = _spot(rng, side)
        size = rng.randint(5, 15) * side // 1024
        cv2.rectangle(canvas, (x, y), (x + size, y + size // 2 + 1), tone(rng, (0.5, 0.75)), cv2.FILLED)
    return canvas


def parchment(rng: random.Random, side: int) -> Pixels:
    """Nearly white paper."""
    return _plain((rng.randint(236, 252), rng.randint(230, 245), rng.randint(210, 235)), side)


def dotted(rng: random.Random, side: int) -> Pixels:
    """Rows of dots."""
    base = tone(rng, (0.82, 0.92))
    canvas, step = _plain(base, side), side // rng.randint(14, 22)
    softer = tuple(max(0, value - 22) for value in base)
    for y in range(step // 2, side, step):
        for x in range(step // 2, side, step):
            cv2.circle(canvas, (x, y), step // 6, softer, cv2.FILLED, cv2.LINE_AA)
    return canvas


def vignette(rng: random.Random, side: int) -> Pixels:
    """One colour, darker towards the corners."""
    base = np.array(tone(rng, rng.choice([(0.25, 0.35), (0.75, 0.88)])))
    y, x = np.mgrid[-1:1:33j, -1:1:33j]
    shade = 1 - 0.28 * np.clip(np.hypot(x, y) - 0.4, 0, 1)
    return _enlarged(base * shade[..., None], side)


def sunrays(rng: random.Random, side: int) -> Pixels:
    """Beams from a point."""
    base = tone(rng, rng.choice([(0.3, 0.42), (0.72, 0.85)]))
    canvas = _plain(base, side)
    brighter = tuple(min(255, value + 20) for value in base)
    centre = np.array([side * rng.uniform(0.3, 0.7), side * rng.uniform(0.3, 1.0)])
    count, start = rng.randint(9, 16), rng.random()
    for ray in range(count):
        angles = 2 * np.pi * (np.array([ray, ray + 0.5]) + start) / count
        ends = centre + 2 * side * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(canvas, [np.round([centre, *ends]).astype(np.int32)], brighter, cv2.LINE_AA)
    return canvas


def washes(rng: random.Random, side: int) -> Pixels:
    """Water colours running into each other."""
    cells = [[tone(rng, (0.76, 0.93), (0.4, 0.9)) for _ in range(4)] for _ in range(4)]
    return _enlarged(cells, side)


def striped(rng: random.Random, side: int) -> Pixels:
    """Broad stripes, two close shades."""
    base = tone(rng, rng.choice([(0.22, 0.32), (0.8, 0.9)]))
    canvas, width = _plain(base, side), side // rng.randint(10, 18)
    other = tuple(int(np.clip(value + (14 if sum(base) < 380 else -14), 0, 255)) for value in base)
    for x in range(0, side, 2 * width):
        canvas[:, x : x + width] = other
    return canvas


def kraft(rng: random.Random, side: int) -> Pixels:
    """Brown wrapping paper."""
    return _plain((rng.randint(196, 214), rng.randint(164, 182), rng.randint(124, 146)), side)


def blurred(rng: random.Random, side: int) -> Pixels:
    """Busy: lights and leaves out of focus."""
    canvas = _cloud(rng, 256, ((5, 0.5), (14, 0.3), (40, 0.2)), 1.7)
    for _ in range(26):
        cv2.circle(canvas, _spot(rng, 256), rng.randint(5, 34), tone(rng, (0.2, 0.8)), cv2.FILLED, cv2.LINE_AA)
    return _enlarged(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(1.0, 2.5)), side)


def mosaic(rng: random.Random, side: int) -> Pixels:
    """Busy: panes of many colours."""
    canvas = _cloud(rng, 192, ((7, 0.6), (24, 0.4)), 1.5)
    for _ in range(60):
        x, y = _spot(rng, 192)
        cv2.ellipse(canvas, (x, y), (rng.randint(4, 26), rng.randint(4, 26)), rng.randint(0, 180), 0, 360,
                    tone(rng, (0.25, 0.8)), cv2.FILLED)  # fmt: skip
    return _enlarged(canvas, side)


def skyline(rng: random.Random, side: int) -> Pixels:
    """Busy: a street at dusk, with lit windows, below a clouded sky."""
    canvas = _enlarged([[tone(rng, (0.25, 0.5))] * 2, [tone(rng, (0.5, 0.75))] * 2], side)
    for _ in range(9):
        size = (rng.randint(side // 16, side // 6), rng.randint(side // 60, side // 24))
        cv2.ellipse(canvas, _spot(rng, side), size, 0, 0, 360, tone(rng, (0.6, 0.9)), cv2.FILLED, cv2.LINE_AA)
    x = 0
    while x < side:
        width, height = rng.randint(side // 16, side // 7), rng.randint(side // 4, 3 * side // 4)
        cv2.rectangle(canvas, (x, side - height), (x + width, side), tone(rng, (0.12, 0.35), (0.1, 0.5)), cv2.FILLED)
        step = side // 40
        for top in range(side - height + step, side - step, 2 * step):
            for left in range(x + step // 2, x + width - step, 2 * step):
                if rng.random() < 0.6:
                    glow = tone(rng, (0.5, 0.85), (0.5, 0.9))
                    cv2.rectangle(canvas, (left, top), (left + step, top + step), glow, cv2.FILLED)
        x += width + rng.randint(0, side // 40)
    return canvas


def meadow(rng: random.Random, side: int) -> Pixels:
    """Busy: hills with flowers, many colours and hard edges."""
    canvas = _enlarged([[tone(rng, (0.6, 0.85))] * 2, [tone(rng, (0.5, 0.8))] * 2], side)
    for depth in range(5):
        level = side * (0.25 + 0.16 * depth)
        xs = np.linspace(0, side, 24)
        ys = level + side * 0.07 * np.sin(xs / side * rng.uniform(4, 10) + rng.uniform(0, 6))
        outline = np.stack([[*xs, side, 0], [*ys, side, side]], axis=1).round().astype(np.int32)
        cv2.fillPoly(canvas, [outline], tone(rng, (0.25, 0.6), (0.3, 0.7)), cv2.LINE_AA)
        for _ in range(34):
            x, y = rng.randint(0, side), rng.randint(round(level), side)
            cv2.circle(canvas, (x, y), rng.randint(side // 160, side // 50), tone(rng, (0.3, 0.9)), cv2.FILLED)
    return canvas


CALM: Mapping[Split, tuple[Ground, ...]] = {
    Split.TRAIN: (slanting, rings, scraps, parchment),
    Split.DEV: (dotted, vignette),
    Split.TEST: (sunrays, washes, striped, kraft),
}
EVEN: Mapping[Split, tuple[Ground, ...]] = {
    Split.TRAIN: (parchment,),
    Split.DEV: (vignette,),
    Split.TEST: (kraft,),
}
"""Those on which low contrast can still be read."""
BUSY: Mapping[Split, tuple[Ground, ...]] = {
    Split.TRAIN: (blurred,),
    Split.DEV: (mosaic,),
    Split.TEST: (skyline, meadow),
}


def grained(pixels: Pixels, rng: random.Random) -> Pixels:
    """With the noise of a camera or of paper."""
    side, strength = pixels.shape[0], rng.choice([0, 1, 2])
    if not strength:
        return pixels
    x, y = rng.randrange(256), rng.randrange(256)
    grain = np.roll(_grain(strength), (y, x), axis=(0, 1))
    times = -(-side // 256)
    tiled = np.tile(grain, (times, times, 1))[:side, :side]
    return np.asarray(cv2.add(pixels, tiled, dtype=cv2.CV_8U))


@lru_cache(maxsize=2)
def _grain(strength: int) -> NDArray[np.int16]:
    return np.random.default_rng(strength).normal(0, 2.2 * strength, (256, 256, 3)).round().astype(np.int16)


def _cloud(rng: random.Random, side: int, octaves: tuple[tuple[int, float], ...], contrast: float) -> Pixels:
    noise = np.random.default_rng(rng.getrandbits(32))
    picture = np.zeros((side, side, 3), dtype=np.float32)
    for cells, weight in octaves:
        coarse = noise.integers(0, 256, (cells, cells, 3)).astype(np.float32)
        picture += weight * cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip((picture - 128) * contrast + 128, 0, 255).astype(np.uint8)


def _plain(colour: tuple[int, ...], side: int) -> Pixels:
    return np.full((side, side, 3), colour, dtype=np.uint8)


def _enlarged(cells: object, side: int) -> Pixels:
    coarse = np.asarray(cells, dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8))


def _spot(rng: random.Random, side: int) -> tuple[int, int]:
    return rng.randrange(side), rng.randrange(side)
