"""Lines of text on transparent layers: straight, as a column, or along a path."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.cards.fonts import Face

Colour = tuple[int, int, int]
Points = NDArray[np.float64]  # N, 2
Path = Callable[[float], tuple[float, float, float]]  # distance from the middle -> x, y, angle


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


def straight(text: str, face: Face, size: int, ink: Ink) -> Layer:
    """A horizontal line."""
    font, pad = face.at(size), _padding(size, ink)
    left, top, right, bottom = font.getbbox(text)
    width, height = right - left, bottom - top
    image = Image.new("RGBA", (int(width) + 2 * pad, int(height) + 2 * pad))
    _letter(image, (pad - left, pad - top), text, face, size, ink)
    return Layer(_finished(image, size, ink), _box(text, pad, pad, width, height, vertical=False))


def column(text: str, face: Face, size: int, ink: Ink) -> Layer:
    """A vertical line, upright characters below each other."""
    pad, step = _padding(size, ink), size * 1.1
    image = Image.new("RGBA", (size + 2 * pad, int(step * len(text)) + 2 * pad))
    for index, character in enumerate(text):
        _letter(image, (pad + size / 2, pad + step * (index + 0.5)), character, face, size, ink, anchor="mm")
    return Layer(_finished(image, size, ink), _box(text, pad, pad, size, step * len(text), vertical=True))


def along(text: str, face: Face, size: int, ink: Ink, path: Path, side: int) -> Layer:
    """Characters one after another along `path`, each turned to its angle, on a square layer."""
    font = face.at(size)
    advances = [font.getlength(character) * 1.08 for character in text]
    image = Image.new("RGBA", (side, side))
    at = -sum(advances) / 2
    upper, lower, middle = [], [], []
    for character, advance in zip(text, advances, strict=True):
        x, y, angle = path(at + advance / 2)
        glyph = Image.new("RGBA", (2 * size, 2 * size))
        _letter(glyph, (size, size), character, face, size, ink, anchor="mm")
        glyph = glyph.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        image.alpha_composite(glyph, (max(0, round(x - size)), max(0, round(y - size))))
        for distance in (at, at + advance):
            x, y, angle = path(distance)
            across = np.array([-math.sin(angle), math.cos(angle)]) * size * 0.55
            middle.append(np.array([x, y]))
            upper.append(middle[-1] - across)
            lower.append(middle[-1] + across)
        at += advance
    outline = np.array(upper + lower[::-1])
    return Layer(_finished(image, size, ink), Written(text, outline, np.array(middle)))


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
    size = (card.shape[1], card.shape[0])
    warped = cv2.warpPerspective(_premultiplied(layer.pixels), matrix, size, flags=cv2.INTER_CUBIC)
    warped = np.clip(warped, 0, 255)
    card[:] = (warped[..., :3] + card * (1 - warped[..., 3:] / 255)).round().clip(0, 255).astype(np.uint8)
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


def _letter(
    image: Image.Image, at: tuple[float, float], text: str, face: Face, size: int, ink: Ink, anchor: str = "la"
) -> None:
    ImageDraw.Draw(image).text(
        at, text, ink.fill, face.at(size), anchor, stroke_width=ink.outline_width, stroke_fill=ink.outline
    )


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
