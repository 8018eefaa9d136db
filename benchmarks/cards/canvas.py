"""A card in the making: what layouts and styles draw on."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cards import pictures
from benchmarks.cards.card import Card, Picture
from benchmarks.cards.fonts import Face
from benchmarks.cards.hands import Hand
from benchmarks.cards.lettering import Colour, Ink, Layer, lay
from benchmarks.cards.manners import MANNERS, Manners
from benchmarks.cards.splits import FACES, Split

_LUMA = np.array([0.3, 0.59, 0.11])


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the card."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def rows(self, count: int) -> list[Box]:
        """As many rows of equal height, from the top."""
        step = self.height / count
        return [Box(self.left, self.top + i * step, self.right, self.top + (i + 1) * step) for i in range(count)]

    def shrunk(self, by: float) -> Box:
        return Box(self.left + by, self.top + by, self.right - by, self.bottom - by)


@dataclass(slots=True)
class Canvas:
    """The card so far, its split, and the dice."""

    card: Card
    split: Split
    rng: random.Random
    dark: Colour = (0, 0, 0)
    light: Colour = (255, 255, 255)
    faces: list[Face] = field(default_factory=list)  # used so far

    def __post_init__(self) -> None:
        """A card keeps to one dark and one light ink."""
        self.dark, self.light = self.rng.choice(self.manners.dark), self.rng.choice(self.manners.light)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        return self.card.pixels

    @property
    def side(self) -> int:
        return int(self.card.pixels.shape[0])

    @property
    def manners(self) -> Manners:
        return MANNERS[self.split]

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """A rectangle given in shares of the side."""
        return Box(*(value * self.side for value in (left, top, right, bottom)))

    def hand(self, text: str, kind: str) -> Hand:
        """A hand of one kind ("plain", "artistic", "hand") that can write the whole text, if there is one."""
        faces = FACES[self.split]
        chinese, latin = {
            "plain": (faces.chinese, faces.latin),
            "artistic": (faces.chinese_artistic, faces.latin_artistic),
            "hand": (faces.chinese_hand, faces.latin_hand),
        }[kind]
        asked = chinese if _has_chinese(text) else (*latin, *chinese[:1])
        able: tuple[Face, ...] = tuple(face for face in asked if face.can_write(text))
        able = able or tuple(face for face in (*chinese, *faces.chinese) if face.can_write(text))
        able = tuple(face for face in able if face in self.faces) or able  # a card keeps to few faces
        face = self.rng.choice(able or (_most(faces.chinese, text),))
        self.faces.append(face)
        return Hand(face, self.split)

    def put(self, layer: Layer, x: float, y: float, degrees: float = 0.0) -> None:
        """Lay the layer's text with its centre at x, y, turned clockwise."""
        centre = layer.written.outline.mean(axis=0)
        turn = np.vstack([cv2.getRotationMatrix2D(tuple(centre), -degrees, 1.0), [0, 0, 1]])
        place = np.array([x, y]) if degrees else np.round(np.array([x, y]) - centre) + centre  # whole pixels stay sharp
        shift = np.array([[1, 0, place[0] - centre[0]], [0, 1, place[1] - centre[1]], [0, 0, 1]], dtype=np.float64)
        self.card.lines.append(lay(self.pixels, layer, shift @ turn))

    def picture(self, name: str, x: float, y: float, size: float, *, wanted: bool = False, degrees: float = 0) -> None:
        """A pictogram with its middle at x, y."""
        drawn = pictures.sprite(name, self.split, round(size), self.rng)
        if degrees:
            turn = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 0.8)
            drawn = cv2.warpAffine(drawn, turn, drawn.shape[1::-1], flags=cv2.INTER_LINEAR)
        left, top = round(x - size / 2), round(y - size / 2)
        if self.split in pictures.BLACK:
            drawn = drawn.copy()
            drawn[..., :3] = self.ink(Box(left, top, left + size, top + size)).fill
        box = blend(self.pixels, drawn, left, top)
        self.card.pictures.append(Picture(name, box, wanted))

    def panel(self, box: Box, colour: Colour, opacity: float = 1.0) -> None:
        """A sheet of paper, or a coloured strip."""
        left, top = (max(0, round(value)) for value in (box.left, box.top))
        right, bottom = (min(self.side, round(value)) for value in (box.right, box.bottom))
        under = self.pixels[top:bottom, left:right]
        under[:] = cv2.addWeighted(np.full_like(under, colour), opacity, under, 1 - opacity, 0)

    def veil(self, mask: NDArray[np.uint8], left: int, top: int, colour: Colour, opacity: float) -> None:
        """Colour where the mask (one channel) is, its corner at left, top."""
        sheet = np.empty((*mask.shape, 4), dtype=np.uint8)
        sheet[..., :3] = colour
        sheet[..., 3] = cv2.convertScaleAbs(mask, alpha=opacity)
        blend(self.pixels, sheet, left, top)

    def ink(self, box: Box) -> Ink:
        """Ink that reads well in the box; on an uneven ground with a thin edge of the opposite tone."""
        mean, spread = self.tone(box)
        fill, edge = (self.light, self.dark) if float(mean @ _LUMA) < 135 else (self.dark, self.light)
        return Ink(fill) if spread < 30 else Ink(fill, edge, max(2, self.side // 340))

    def tone(self, box: Box) -> tuple[NDArray[np.float64], float]:
        """Mean colour of the box, and how much its brightness varies."""
        part = self.pixels[
            max(0, int(box.top)) : int(box.bottom) + 1 : 4, max(0, int(box.left)) : int(box.right) + 1 : 4
        ].reshape(-1, 3)
        return np.asarray(part.mean(axis=0)), float((part @ _LUMA).std())


def blend(card: NDArray[np.uint8], sheet: NDArray[np.uint8], left: int, top: int) -> tuple[float, float, float, float]:
    """Lay an RGBA sheet on the card, cut at its edges; the box that it takes."""
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(card.shape[1], left + sheet.shape[1]), min(card.shape[0], top + sheet.shape[0])
    if x1 > x0 and y1 > y0:
        part = sheet[y0 - top : y1 - top, x0 - left : x1 - left]
        under = card[y0:y1, x0:x1]
        alpha = part[..., 3:].astype(np.uint16)
        mixed = part[..., :3] * alpha + under * (255 - alpha)
        under[:] = ((mixed + 127) // 255).astype(np.uint8)
    return float(x0), float(y0), float(x1), float(y1)


def _has_chinese(text: str) -> bool:
    return any(0x2E80 <= ord(character) <= 0x9FFF or 0xFF00 <= ord(character) <= 0xFFEF for character in text)


def _most(faces: tuple[Face, ...], text: str) -> Face:
    return max(faces, key=lambda face: sum(face.can_write(character) for character in text))
