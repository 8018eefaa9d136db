"""The known-good and the known-bad card of the day.

The date chooses the words and where they stand; every drawing has tints and a place of its own within some pixels, so
that no two are the same file and no cache can answer for the models. All words were checked against the shipped
models on many drawings (`python -m benchmarks.canaries`).
"""

from __future__ import annotations

import asyncio
import colorsys
import functools
import io
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.resources import files

from PIL import Image, ImageDraw, ImageFont

from gatepost_server.moderate.canary import Canary

WIDTH, HEIGHT = 480, 320  # pixels; small, for every card costs what a caller's would
_LETTERS = 40  # pixels
_SWAY = 8  # pixels by which a drawing may stand aside of the day's place
_MARGIN = 28

LANGUAGES = ("zh", "en")
TEXTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "good": {
        "zh": ("生日快乐", "新年快乐", "恭喜发财", "阖家幸福"),
        "en": ("Happy Birthday", "Best Wishes", "Thank You", "Congratulations"),
    },
    "bad": {
        "zh": ("你这个蠢货", "闭嘴吧废物", "去死吧人渣", "你就是个白痴"),
        "en": ("You worthless idiot", "Shut up you stupid bitch", "I will kill you", "You are pathetic trash"),
    },
}


class CardsOfTheDay:
    """Draws rounds of a good and a bad card, in Chinese and in English by turns."""

    def __init__(self, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._today = today
        self._rng = random.Random()
        self._turn = itertools.cycle(LANGUAGES)

    async def __call__(self) -> Sequence[Canary]:
        """The cards of one round."""
        return await asyncio.to_thread(self._round, next(self._turn), self._today())

    def _round(self, language: str, day: date) -> Sequence[Canary]:
        return [
            Canary(f"{kind}-{language}", draw(text_of_the_day(texts[language], day), day, self._rng), kind == "good")
            for kind, texts in TEXTS.items()
        ]


def text_of_the_day(texts: Sequence[str], day: date) -> str:
    """One of `texts`."""
    return random.Random(f"{day.isoformat()} {texts[0]}").choice(texts)


def draw(text: str, day: date, rng: random.Random) -> bytes:
    """One card as PNG: `text` where the date puts it, with small differences by `rng`."""
    of_the_day = random.Random(f"{day.isoformat()} {text}")
    paper, ink, edge = _colours(of_the_day, rng)
    picture = Image.new("RGB", (WIDTH, HEIGHT), paper)
    pen = ImageDraw.Draw(picture)
    inset = rng.randint(6, 14)
    pen.rectangle((inset, inset, WIDTH - inset, HEIGHT - inset), outline=edge, width=rng.randint(2, 5))
    font = _font(_LETTERS + rng.randint(-3, 3))
    left, top, right, bottom = font.getbbox(text)
    free_x, free_y = WIDTH - (right - left) - 2 * _MARGIN, HEIGHT - (bottom - top) - 2 * _MARGIN
    x = _MARGIN + of_the_day.uniform(0.1, 0.9) * free_x + rng.uniform(-_SWAY, _SWAY)
    y = _MARGIN + of_the_day.uniform(0.1, 0.9) * free_y + rng.uniform(-_SWAY, _SWAY)
    pen.text((x - left, y - top), text, font=font, fill=ink)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _colours(of_the_day: random.Random, rng: random.Random) -> tuple[tuple[int, int, int], ...]:
    """Pale paper, dark ink and an edge between them; all of the day's hue, each a little off."""
    hue = of_the_day.random()

    def colour(saturation: float, value: float) -> tuple[int, int, int]:
        near = (hue + rng.uniform(-0.03, 0.03)) % 1.0
        red, green, blue = colorsys.hsv_to_rgb(near, saturation, value + rng.uniform(-0.03, 0.03))
        return round(255 * red), round(255 * green), round(255 * blue)

    return colour(0.12, 0.95), colour(0.85, 0.25), colour(0.4, 0.7)


@functools.cache
def _font_file() -> bytes:
    return (files("gatepost_client") / "fonts" / "gatepost-sans-sc.otf").read_bytes()


@functools.lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(_font_file()), size)
