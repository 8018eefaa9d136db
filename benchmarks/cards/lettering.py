"""Lines of text on transparent layers: straight, as a column, or along a path."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Colour = tuple[int, int, int]
Points = NDArray[np.float64]  # N, 2
Path = Callable[[float], tuple[float, float, float]]  # distance from the middle -> x, y, angle


class Pen(Protocol):
    """Something that writes: one face (fonts.Face), or several with pictograms between them (hands.Hand)."""

    def parts(self, text: str) -> Sequence[str]:
        """What stands below each other in a column and turns by itself on a curve: mostly single characters."""
        ...

    def length(self, text: str, size: int) -> float:
        """How far the pen moves, in pixels."""
        ...

    def box(self, text: str, size: int) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the ink, from the start of the base line."""
        ...

    def write(self, image: Image.Image, at: tuple[float, float], text: str, size: int, ink: Ink, anchor: str) -> None:
        """Write on an RGBA image; `anchor` as Pillow's: "ls" (start of the base line) or "mm" (middle)."""
        ...


@dataclass(frozen=True, slots=True)
class Ink:
    """How letters are coloured in."""

    fill: Colour
    outline: Colour | None = None
    outline_width: int = 0
    glow: Colour | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One line of a card: what it says, its outline (clockwise from its start), its middle in reading direction."""

    text: str
    outline: Points
    middle: Points


@dataclass(frozen=True, slots=True)
class Layer:
    """Letters on a transparent ground, and where they are on it, in pixels of the layer."""

    pixels: NDArray[np.uint8]  # height, width, 4 RGBA
    written: Written
    corner: tuple[int, int] = (0, 0)  # of `pixels`, where `written` counts from elsewhere


def straight(text: str, pen: Pen, size: int, ink: Ink) -> Layer:
    """A horizontal line."""
    pad = _padding(size, ink)
    left, top, right, bottom = pen.box(text, size)
    width, height = right - left, bottom - top
    image = Image.new("RGBA", (int(width) + 2 * pad, int(height) + 2 * pad))
    pen.write(image, (pad - left, pad - top), text, size, ink, "ls")
    return Layer(_finished(image, size, ink), _box(text, pad, pad, width, height, vertical=False))


def column(text: str, pen: Pen, size: int, ink: Ink) -> Layer:
    """A vertical line, upright characters below each other."""
    pad, step, parts = _padding(size, ink), size * 1.1, pen.parts(text)
    image = Image.new("RGBA", (size + 2 * pad, int(step * len(parts)) + 2 * pad))
    for index, part in enumerate(parts):
        pen.write(image, (pad + size / 2, pad + step * (index + 0.5)), part, size, ink, "mm")
    return Layer(_finished(image, size, ink), _box(text, pad, pad, size, step * len(parts), vertical=True))


def along(text: str, pen: Pen, size: int, ink: Ink, path: Path, side: int) -> Layer:
    """Characters one after another along `path`, each turned to its angle, on a square layer."""
    parts = pen.parts(text)
    advances = [pen.length(part, size) * 1.08 for part in parts]
    image = Image.new("RGBA", (side, side))
    at = -sum(advances) / 2
    upper, lower, middle = [], [], []
    for part, advance in zip(parts, advances, strict=True):
        x, y, angle = path(at + advance / 2)
        glyph = Image.new("RGBA", (2 * size, 2 * size))
        pen.write(glyph, (size, size), part, size, ink, "mm")
        glyph = glyph.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        image.alpha_composite(glyph, (max(0, round(x - size)), max(0, round(y - size))))
        for distance in (at, at + advance):
            x, y, angle = path(distance)
            across = np.array([-math.sin(angle), math.cos(angle)]) * size * 0.55
            middle.append(np.array([x, y]))
            upper.append(middle[-1] - across)
            lower.append(middle[-1] + across)
        at += advance
    written = Written(text, np.array(upper + lower[::-1]), np.array(middle))
    left, top, right, bottom = image.getbbox() or (0, 0, 1, 1)
    pad = _padding(size, ink)
    left, top = max(0, left - pad), max(0, top - pad)
    image = image.crop((left, top, min(side, right + pad), min(side, bottom + pad)))
    return Layer(_finished(image, size, ink), written, (left, top))


def arc(radius: float, centre: tuple[float, float], *, above: bool) -> Path:
    """A circle's top (letters point outwards) or bottom (letters point inwards), read left to right."""

    def at(distance: float) -> tuple[float, float, float]:
        angle = distance / radius
        up = -1 if above else 1
        return centre[0] + radius * math.sin(angle), centre[1] + up * radius * math.cos(angle), -up * angle

    return at


def wave(height: float, length: float, phase: float, centre: tuple[float, float]) -> Path:
    """A sine of amplitude `height` and period `length`."""

    def at(distance: float) -> tuple[float, float, float]:
        turn = 2 * math.pi * distance / length + phase
        slope = height * 2 * math.pi / length * math.cos(turn)
        return centre[0] + distance, centre[1] + height * math.sin(turn), math.atan(slope)

    return at


def lay(card: NDArray[np.uint8], layer: Layer, matrix: NDArray[np.float64]) -> Written:
    """Blend the layer into `card` (RGB, changed in place) through a 3 x 3 matrix; the line in the card's pixels."""
    height, width = layer.pixels.shape[:2]
    onto = matrix @ np.array([[1, 0, layer.corner[0]], [0, 1, layer.corner[1]], [0, 0, 1]], dtype=np.float64)
    corners = moved(np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64), onto)
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, (card.shape[1], card.shape[0]))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 3, 0, (card.shape[1], card.shape[0]))
    if right > left and bottom > top:
        there = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], dtype=np.float64) @ onto
        size = (int(right - left), int(bottom - top))
        warped = cv2.warpPerspective(_premultiplied(layer.pixels), there, size, flags=cv2.INTER_CUBIC).clip(0, 255)
        under = card[top:bottom, left:right]
        blended = warped[..., :3] + under * (1 - warped[..., 3:] / 255)
        under[:] = blended.round().clip(0, 255).astype(np.uint8)
    written = layer.written
    return Written(written.text, moved(written.outline, matrix), moved(written.middle, matrix))


def moved(points: Points, matrix: NDArray[np.float64]) -> Points:
    """Points through a homography."""
    return np.asarray(cv2.perspectiveTransform(points.reshape(-1, 1, 2), matrix).reshape(-1, 2))


def _premultiplied(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    floats = pixels.astype(np.float32)
    floats[..., :3] *= floats[..., 3:] / 255
    return floats


def _padding(size: int, ink: Ink) -> int:
    return ink.outline_width + (size if ink.glow else size // 4) + 4


def _finished(image: Image.Image, size: int, ink: Ink) -> NDArray[np.uint8]:
    if ink.glow is None:
        return np.asarray(image)
    halo = Image.new("RGBA", image.size, ink.glow)
    halo.putalpha(
        image.getchannel("A").filter(ImageFilter.GaussianBlur(size / 6)).point(lambda value: min(255, value * 2))
    )
    return np.asarray(Image.alpha_composite(halo, image))


def _box(text: str, x: float, y: float, width: float, height: float, *, vertical: bool) -> Written:
    outline = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float64)
    ends = (
        [[x + width / 2, y], [x + width / 2, y + height]]
        if vertical
        else [[x, y + height / 2], [x + width, y + height / 2]]
    )
    return Written(text, outline, np.array(ends, dtype=np.float64))
