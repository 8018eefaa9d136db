"""The styles: ways in which text stands on a card, from easy to hard."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cards import backgrounds, phrases
from benchmarks.cards.card import Card
from benchmarks.cards.fonts import CHINESE, CHINESE_BRUSH, LATIN_SCRIPT, Face, choose
from benchmarks.cards.lettering import Colour, Ink, Layer, Written, along, arc, column, lay, moved, straight, wave

SIDE = backgrounds.SIDE
DARK: tuple[Colour, ...] = ((20, 20, 20), (120, 10, 30), (10, 40, 110), (90, 20, 90))
LIGHT: tuple[Colour, ...] = ((255, 255, 255), (255, 236, 170), (255, 215, 80))


@dataclass(slots=True)
class Drawing:
    """A card in the making, and the dice."""

    card: Card
    rng: random.Random
    noise: np.random.Generator

    def put(self, layer: Layer, x: float, y: float, degrees: float = 0.0) -> None:
        """Lay the layer's text with its centre at x, y, turned clockwise."""
        centre = layer.written.outline.mean(axis=0)
        turn = np.vstack([cv2.getRotationMatrix2D(tuple(centre), -degrees, 1.0), [0, 0, 1]])
        shift = np.array([[1, 0, x - centre[0]], [0, 1, y - centre[1]], [0, 0, 1]], dtype=np.float64)
        self.card.lines.append(lay(self.card.pixels, layer, shift @ turn))

    def phrase(self, chinese: float = 0.55) -> tuple[str, Face]:
        """A text in one of the two languages, and a plain face for it."""
        if self.rng.random() < chinese:
            text = self.rng.choice(phrases.CHINESE_SHORT + phrases.CHINESE_LONG)
        else:
            text = self.rng.choice(phrases.ENGLISH_SHORT + phrases.ENGLISH_LONG)
        return text, choose(self.rng, CHINESE, text)

    def contrasting(self, x: float, y: float, reach: float = 150) -> Colour:
        """A colour that reads well on the card around x, y."""
        return self.rng.choice(LIGHT if self._around(x, y, reach) @ (0.3, 0.59, 0.11) < 140 else DARK)

    def beside(self, levels: int, x: float, y: float, reach: float) -> Colour:
        """A colour that many levels from the card's own around x, y, towards the middle."""
        ground = self._around(x, y, reach)
        step = levels * (1 if ground @ (0.3, 0.59, 0.11) < 128 else -1)
        red, green, blue = (int(np.clip(value + step, 0, 255)) for value in ground)
        return red, green, blue

    def _around(self, x: float, y: float, reach: float) -> NDArray[np.float64]:
        left, right = int(max(0, x - 2 * reach)), int(x + 2 * reach)
        top, bottom = int(max(0, y - reach / 2)), int(y + reach / 2)
        return np.asarray(self.card.pixels[top:bottom, left:right].reshape(-1, 3).mean(axis=0))


Style = Callable[[Drawing], None]


def draw(style: str, seed: int) -> Card:
    """The card of `style` that `seed` gives, always the same. Raises KeyError for a style that is not in STYLES."""
    rng, noise = random.Random(f"{style}:{seed}"), np.random.default_rng([seed, *style.encode()])
    ground = rng.choice(backgrounds.CALM if style.endswith("low contrast") else backgrounds.ALL)
    drawing = Drawing(Card(style, ground(rng, noise)), rng, noise)
    STYLES[style](drawing)
    quality = [cv2.IMWRITE_JPEG_QUALITY, rng.choice([80, 90, 95])]
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(drawing.card.pixels[..., ::-1]), quality)[1]
    drawing.card.pixels = np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])
    return drawing.card


def fitted(text: str, face: Face, size: int, width: float) -> int:
    """The largest size, at most `size`, at which the text is no longer than `width`."""
    while face.at(size).getlength(text) > width:
        size -= 1
    return size


def _rows(count: int) -> Sequence[float]:
    return [SIDE * (index + 0.5) / count for index in range(count)]


def plain(drawing: Drawing) -> None:
    for y in _rows(3):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([48, 64, 80, 100]), SIDE * 0.86)
        drawing.put(straight(text, face, size, Ink(drawing.contrasting(SIDE / 2, y))), SIDE / 2, y)


def script(drawing: Drawing) -> None:
    for y in _rows(3):
        chinese = drawing.rng.random() < 0.5
        texts = (
            phrases.CHINESE_SHORT + phrases.CHINESE_LONG if chinese else phrases.ENGLISH_SHORT + phrases.ENGLISH_LONG
        )
        text = drawing.rng.choice(texts)
        face = choose(drawing.rng, CHINESE_BRUSH if chinese else LATIN_SCRIPT, text)
        size = fitted(text, face, drawing.rng.choice([48, 64, 80, 100]), SIDE * 0.86)
        drawing.put(straight(text, face, size, Ink(drawing.contrasting(SIDE / 2, y))), SIDE / 2, y)


def mixed(drawing: Drawing) -> None:
    for y, text in zip(_rows(3), drawing.rng.sample(phrases.MIXED, 3), strict=True):
        face = choose(drawing.rng, CHINESE + CHINESE_BRUSH, text)
        size = fitted(text, face, drawing.rng.choice([48, 64, 80]), SIDE * 0.86)
        drawing.put(straight(text, face, size, Ink(drawing.contrasting(SIDE / 2, y))), SIDE / 2, y)


def outline(drawing: Drawing) -> None:
    for y in _rows(3):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([64, 80, 100]), SIDE * 0.82)
        fill: Colour = (drawing.rng.randint(0, 255), drawing.rng.randint(0, 255), drawing.rng.randint(0, 255))
        edge = drawing.rng.choice(LIGHT if sum(fill) < 380 else DARK)
        drawing.put(straight(text, face, size, Ink(fill, edge, drawing.rng.choice([2, 4, 6]))), SIDE / 2, y)


def glow(drawing: Drawing) -> None:
    for y in _rows(3):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([64, 80, 100]), SIDE * 0.8)
        light, dark = drawing.rng.choice(LIGHT), drawing.rng.choice(DARK)
        ink = Ink(light, glow=dark) if drawing.rng.random() < 0.5 else Ink(dark, glow=light)
        drawing.put(straight(text, face, size, ink), SIDE / 2, y)


def couplet(drawing: Drawing) -> None:
    first, second, heading = drawing.rng.choice(phrases.COUPLETS)
    face = choose(drawing.rng, CHINESE + CHINESE_BRUSH, first + second + heading)
    size = drawing.rng.choice([60, 72, 84])
    strips = drawing.rng.random() < 0.6
    for text, x in ((first, SIDE * 0.85), (second, SIDE * 0.15)):
        ink = Ink(drawing.contrasting(x, SIDE / 2, size))
        if strips:
            half_width, half_height = int(size * 0.8), int(size * 0.62 * len(text))
            corner, opposite = (
                (int(x) - half_width, SIDE // 2 - half_height),
                (int(x) + half_width, SIDE // 2 + half_height),
            )
            cv2.rectangle(drawing.card.pixels, corner, opposite, (190, 20, 25), cv2.FILLED)
            ink = Ink(drawing.rng.choice([(20, 10, 10), (255, 220, 120)]))
        drawing.put(column(text, face, size, ink), x, SIDE / 2)
    drawing.put(straight(heading, face, size, Ink(drawing.contrasting(SIDE / 2, 90))), SIDE / 2, 90)


def columns(drawing: Drawing) -> None:
    poem = drawing.rng.choice(phrases.POEMS)
    face = choose(drawing.rng, CHINESE + CHINESE_BRUSH, "".join(poem))
    size = drawing.rng.choice([48, 60, 72])
    pitch = size * drawing.rng.uniform(1.3, 1.7)
    ink = Ink(drawing.contrasting(SIDE / 2, SIDE / 2, 200))
    for index, text in enumerate(poem):  # the first line stands on the right
        drawing.put(column(text, face, size, ink), SIDE / 2 + (1.5 - index) * pitch, SIDE / 2)


def turned(drawing: Drawing) -> None:
    for degrees, x in ((90, SIDE * 0.15), (180, SIDE * 0.5), (270, SIDE * 0.85)):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([48, 56, 64]), SIDE * (0.45 if degrees == 180 else 0.8))
        drawing.put(straight(text, face, size, Ink(drawing.contrasting(x, SIDE / 2))), x, SIDE / 2, degrees)


def slanted(drawing: Drawing) -> None:
    for x, y in ((SIDE * 0.3, SIDE * 0.3), (SIDE * 0.68, SIDE * 0.7)):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([48, 56, 64]), SIDE * 0.5)
        degrees = drawing.rng.choice([-1, 1]) * drawing.rng.randint(30, 45)
        drawing.put(straight(text, face, size, Ink(drawing.contrasting(x, y))), x, y, degrees)


def curved(drawing: Drawing) -> None:
    for above in (True, False):
        text, face = drawing.phrase(chinese=0.5)
        radius = drawing.rng.choice([300, 360, 420])
        size = fitted(text, face, drawing.rng.choice([48, 60, 70]), radius * 2.2)
        y = 110.0 if above else SIDE - 110.0
        centre = (SIDE / 2, y + radius if above else y - radius)
        layer = along(text, face, size, Ink(drawing.contrasting(SIDE / 2, y)), arc(radius, centre, above=above), SIDE)
        drawing.card.lines.append(lay(drawing.card.pixels, layer, np.eye(3)))


def wavy(drawing: Drawing) -> None:
    for y in _rows(3):
        text = drawing.rng.choice(phrases.CHINESE_LONG + phrases.ENGLISH_LONG)
        face = choose(drawing.rng, CHINESE, text)
        size = fitted(text, face, drawing.rng.choice([48, 56, 64]), SIDE * 0.75)
        path = wave(
            drawing.rng.uniform(25, 50),
            drawing.rng.uniform(350, 600),
            drawing.rng.uniform(0, 2 * math.pi),
            (SIDE / 2, y),
        )
        layer = along(text, face, size, Ink(drawing.contrasting(SIDE / 2, y)), path, SIDE)
        drawing.card.lines.append(lay(drawing.card.pixels, layer, np.eye(3)))


def low_contrast(drawing: Drawing, levels: Sequence[int] = (28, 36, 44)) -> None:
    for y in _rows(3):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([48, 64, 80]), SIDE * 0.86)
        reach = face.at(size).getlength(text) / 4
        drawing.put(
            straight(text, face, size, Ink(drawing.beside(drawing.rng.choice(levels), SIDE / 2, y, reach))), SIDE / 2, y
        )


def faint(drawing: Drawing) -> None:
    low_contrast(drawing, levels=(10, 14, 18))


def tiny(drawing: Drawing) -> None:
    for y in _rows(8):
        text, face = drawing.phrase()
        x = drawing.rng.uniform(0.25, 0.75) * SIDE
        size = drawing.rng.choice([9, 10, 11])
        drawing.put(straight(text, face, size, Ink(drawing.contrasting(x, y, 40))), x, y)


def perspective(drawing: Drawing) -> None:
    for y in _rows(3):
        text, face = drawing.phrase()
        size = fitted(text, face, drawing.rng.choice([56, 64, 80]), SIDE * 0.7)
        layer = straight(text, face, size, Ink(drawing.contrasting(SIDE / 2, y)))
        box = layer.written.outline
        width, height = np.ptp(box, axis=0)
        corners = box - box.mean(axis=0)
        if drawing.rng.random() < 0.5:  # seen from the side: one end is smaller
            corners[[0, 3] if drawing.rng.random() < 0.5 else [1, 2]] *= (1, drawing.rng.uniform(0.35, 0.65))
        else:  # leaning
            corners[:2] += (drawing.rng.choice([-1, 1]) * drawing.rng.uniform(0.5, 1.2) * height, 0)
        rise = drawing.rng.uniform(-0.12, 0.12) * width / 2
        corners += np.array([[0, -rise], [0, rise], [0, rise], [0, -rise]])
        target = np.clip(corners + np.array([SIDE / 2, y]), 4, SIDE - 4).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(box.astype(np.float32), target)
        drawing.card.lines.append(lay(drawing.card.pixels, layer, matrix))


def low_resolution(drawing: Drawing) -> None:
    plain(drawing)
    scale = drawing.rng.choice([320, 384, 448]) / SIDE
    card = drawing.card
    card.pixels = cv2.resize(card.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    shrink = np.diag([scale, scale, 1.0])
    card.lines = [Written(line.text, moved(line.outline, shrink), moved(line.middle, shrink)) for line in card.lines]


STYLES: Mapping[str, Style] = {
    "plain": plain,
    "script": script,
    "mixed zh and en": mixed,
    "outline": outline,
    "glow": glow,
    "low resolution": low_resolution,
    "30-45 degrees": slanted,
    "vertical couplets": couplet,
    "adjacent columns": columns,
    "90, 180, 270 degrees": turned,
    "curved": curved,
    "wave": wavy,
    "low contrast": low_contrast,
    "very low contrast": faint,
    "tiny, 9-11 px": tiny,
    "perspective, shear": perspective,
}
