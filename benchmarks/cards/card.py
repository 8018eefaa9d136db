"""What a card is asked to show, and what was drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.cards.lettering import Written


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be on a card. Whatever is None is drawn by the seed."""

    lines: tuple[str, ...]  # as laid out: one string a line, or a column
    pictures: tuple[str, ...] = ()  # emoji code points ("1F52A") or English emoji names ("kitchen knife")
    style: str | None = None
    layout: str | None = None
    side: int = 1024  # pixels of the square card


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on a card: its name, its box as left, top, right, bottom in pixels, and whether it was asked for."""

    name: str
    box: tuple[float, float, float, float]
    wanted: bool


@dataclass(slots=True)
class Card:
    """A drawn card (RGB), its lines of text and its pictures, in pixels.

    A text too long for its place is written in several rows, and so is one in the style "split": then `lines` holds
    the rows, in reading order, while what was asked for stands in Wanted.lines.
    """

    style: str
    pixels: NDArray[np.uint8]  # height, width, 3
    lines: list[Written] = field(default_factory=list)
    layout: str = ""
    background: str = ""
    pictures: list[Picture] = field(default_factory=list)
