"""Colours and letters."""

from __future__ import annotations

import functools
import io
from importlib.resources import files

from PIL import ImageFont

from gatepost_client.verdict import Category, Decision

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
BAND: Colour = (24, 27, 33)
NEUTRAL: Colour = (0, 105, 180)  # a line that nothing was found in

DECISIONS: dict[Decision, Colour] = {
    Decision.ALLOW: (22, 128, 60),
    Decision.REVIEW: (217, 130, 0),
    Decision.BLOCK: (200, 30, 30),
    Decision.HOLD: (98, 98, 108),
}

CATEGORIES: dict[Category, Colour] = {
    Category.INSULT: (200, 30, 30),
    Category.HATE: (150, 20, 70),
    Category.THREAT: (175, 60, 0),
    Category.SEXUAL: (190, 40, 140),
    Category.VIOLENCE: (130, 15, 15),
    Category.WEAPONS: (95, 70, 20),
    Category.SELF_HARM: (110, 50, 170),
    Category.DRUGS: (60, 110, 20),
    Category.HATE_SYMBOL: (110, 10, 100),
    Category.SPAM: (0, 120, 130),
    Category.ILL_OMEN: (70, 60, 130),
    Category.OFF_SCRIPT: (160, 95, 0),
    Category.UNSPECIFIED: (98, 98, 108),
}


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever is easier to read on `colour` (relative luminance as in WCAG 2.1)."""
    red, green, blue = ((channel / 255) ** 2.2 for channel in colour)
    return BLACK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 else WHITE


@functools.cache
def _font_file() -> bytes:
    return (files("gatepost_client") / "fonts" / "gatepost-sans-sc.otf").read_bytes()


@functools.lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The bundled font at `size` pixels: Chinese and Latin letters, whatever the machine has."""
    return ImageFont.truetype(io.BytesIO(_font_file()), size)


def shortened(text: str, size: int, width: float) -> str:
    """`text` on one line, cut with an ellipsis where it is wider than `width` pixels."""
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    if font(size).getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest head that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font(size).getlength(text[:middle] + "…") <= width else (low, middle - 1)
    return text[:low] + "…"
