"""What the cards are printed on."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # height, width, 3 RGB

SIDE = 1024


def gradient(rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Two colours, slantwise."""
    first, second = (np.array([rng.randint(60, 255) for _ in range(3)], dtype=np.float64) for _ in range(2))
    across, down = np.meshgrid(np.linspace(0, 0.4, SIDE), np.linspace(0, 0.6, SIDE))
    share = (across + down)[..., None]
    return _grained(first * (1 - share) + second * share, rng, noise)


def photo(rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Blurred blobs at several scales, as out-of-focus lights and leaves."""
    picture = np.zeros((SIDE, SIDE, 3))
    for cells, weight in ((4, 0.5), (12, 0.3), (40, 0.15), (160, 0.05)):
        coarse = noise.integers(0, 256, (cells, cells, 3)).astype(np.float32)
        picture += weight * cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    canvas = np.clip((picture - 128) * 1.5 + 128, 0, 255).astype(np.uint8)
    for _ in range(18):
        _disc(canvas, rng, 20, 160, tuple(rng.randint(0, 255) for _ in range(3)), cv2.FILLED)
    return _grained(cv2.GaussianBlur(canvas, (0, 0), rng.choice([3, 6, 12])), rng, noise)


def festive(rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Red (or green) paper with rings."""
    base = rng.choice([(176, 18, 22), (200, 30, 40), (150, 10, 20), (20, 60, 40)])
    canvas = np.full((SIDE, SIDE, 3), base, dtype=np.uint8)
    for _ in range(40):
        _disc(canvas, rng, 8, 50, tuple(min(255, value + rng.randint(10, 45)) for value in base), 3)
    return _grained(canvas, rng, noise)


def confetti(rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Small coloured scraps on a light ground."""
    canvas = np.full((SIDE, SIDE, 3), [rng.randint(225, 255) for _ in range(3)], dtype=np.uint8)
    for _ in range(220):
        x, y, size = rng.randint(0, SIDE), rng.randint(0, SIDE), rng.randint(4, 16)
        colour = tuple(rng.randint(60, 255) for _ in range(3))
        cv2.rectangle(canvas, (x, y), (x + size, y + size // 2 + 1), colour, cv2.FILLED)
    return _grained(canvas, rng, noise)


def paper(rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Nearly white, grainy."""
    tone = np.array([rng.randint(225, 252), rng.randint(220, 245), rng.randint(200, 235)], dtype=np.float64)
    return _grained(tone + noise.normal(0, 6, (SIDE, SIDE, 1)), rng, noise)


ALL = (gradient, photo, festive, confetti, paper)
CALM = (gradient, festive, paper)


def _disc(canvas: Pixels, rng: random.Random, least: int, most: int, colour: tuple[int, ...], thickness: int) -> None:
    centre = (rng.randint(0, SIDE), rng.randint(0, SIDE))
    cv2.circle(canvas, centre, rng.randint(least, most), colour, thickness, cv2.LINE_AA)


def _grained(picture: NDArray[np.generic], rng: random.Random, noise: np.random.Generator) -> Pixels:
    """`picture` with the noise of a camera or of paper."""
    grain = noise.normal(0, rng.choice([0.0, 2.0, 5.0]), (SIDE, SIDE, 3))
    return np.clip(picture + grain, 0, 255).astype(np.uint8)
