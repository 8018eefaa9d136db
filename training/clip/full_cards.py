"""Whole greeting cards as the service meets them, for calibration and measurement."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from training.clip import sources, sprites
from training.clip.cards import dress, ground, write
from training.clip.risk import CATEGORIES, KIND, held_out

_INTERFACE_SETS = (*sources.ICONIFY_ICONS_TRAIN, *sources.ICONIFY_ICONS_CALIBRATE)  # mostly symbols that no card shows
_SIZES = ((512, 512), (512, 512), (384, 512), (512, 384), (288, 512))  # width, height: what decode sends


@dataclass(frozen=True, slots=True)
class FullCard:
    """A card and the one risky thing on it: a category and how large it is ("whole" or "corner"), or ""."""

    pixels: NDArray[np.uint8]  # [height, width, 3]
    category: str
    size: str


class FullCardMaker:
    """Draws cards from sprite sets; the same seed and category give the same card.

    With `apart`, risky drawings are those that were held out of training, instead of the others.
    """

    def __init__(self, cache: Path, sets: tuple[str, ...], *, apart: bool = False) -> None:
        labels = {held_out(name) if apart else name: name for name in CATEGORIES}
        self._risky: dict[str, list[tuple[NDArray[np.uint8], bool]]] = {name: [] for name in CATEGORIES}
        self._kind: list[tuple[NDArray[np.uint8], bool]] = []
        self._other: list[tuple[NDArray[np.uint8], bool]] = []
        for name in sets:
            chosen = sprites.load(cache, name)
            for pixels, sprite, risk in zip(chosen.pixels, chosen.sprites, chosen.risks, strict=True):
                if risk in labels:
                    self._risky[labels[risk]].append((pixels, sprite.mono))
                elif risk == KIND:
                    self._kind.append((pixels, sprite.mono))
                elif risk == "" and name not in _INTERFACE_SETS:
                    self._other.append((pixels, sprite.mono))
        font = sources.cjk_font(cache)
        self._fonts = [ImageFont.truetype(str(font), size, index=2) for size in (28, 40, 56, 80)]

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories that these sets have drawings of."""
        return tuple(name for name, drawn in self._risky.items() if drawn)

    def draw(self, seed: int, category: str = "") -> FullCard:
        """A card of kind things and a greeting; with a category, one drawing of it as well."""
        rng = random.Random(f"{seed} {category}")
        width, height = rng.choice(_SIZES)
        card = ground(rng).resize((width, height))
        size = rng.choice(("whole", "corner")) if category else ""
        short = min(width, height)
        if rng.random() < 0.8:
            write(card, rng, rng.choice(self._fonts))
        if size == "whole":
            side = int(short * rng.uniform(0.5, 0.85))
            self._put(
                card, rng, self._risky[category], side, rng.randint(0, width - side), rng.randint(0, height - side)
            )
            return FullCard(np.asarray(card), category, size)
        corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
        rng.shuffle(corners)
        if not category and rng.random() < 0.3:  # one large kind thing
            side = int(short * rng.uniform(0.5, 0.85))
            self._put(card, rng, self._harmless(rng), side, rng.randint(0, width - side), rng.randint(0, height - side))
            return FullCard(np.asarray(card), "", "")
        for turn, (right, low) in enumerate(corners[: rng.randint(2, 4)]):
            side = int(short * rng.uniform(0.2, 0.38))
            left = (
                rng.randint(0, width // 2 - side) + right * (width // 2)
                if width // 2 > side
                else right * (width - side)
            )
            top = (
                rng.randint(0, height // 2 - side) + low * (height // 2)
                if height // 2 > side
                else low * (height - side)
            )
            things = self._risky[category] if category and turn == 0 else self._harmless(rng)
            self._put(card, rng, things, side, left, top)
        return FullCard(np.asarray(card), category, size)

    def _harmless(self, rng: random.Random) -> list[tuple[NDArray[np.uint8], bool]]:
        return self._kind if rng.random() < 0.6 else self._other

    @staticmethod
    def _put(
        card: Image.Image,
        rng: random.Random,
        things: list[tuple[NDArray[np.uint8], bool]],
        side: int,
        left: int,
        top: int,
    ) -> None:
        pixels, mono = rng.choice(things)
        drawn = dress(pixels, mono, side, rng)
        card.paste(drawn, (left, top), drawn)
