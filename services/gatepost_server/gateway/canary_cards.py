"""The known-good and the known-bad cards of the day.

The date chooses what is on them and where it stands; every drawing has tints and a place of its own within some pixels,
so that no two are the same file and no cache can answer for the models. All of it was checked with the shipped ones
on many drawings (`python -m benchmarks.coverage`).
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
_LETTERS, _PICTURE = 40, 220  # pixels
_SWAY = 8  # pixels by which a drawing may stand aside of the day's place
_MARGIN = 28

Colour = tuple[int, int, int]

# What each kind of card may show: a text, or a picture of canary_pictures/. Every kind asks other models.
SUBJECTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "zh": {
        "good": ("生日快乐", "新年快乐", "恭喜发财", "阖家幸福"),
        "bad": ("你这个蠢货", "闭嘴吧废物", "去死吧人渣", "你就是个白痴"),
    },
    "en": {
        "good": ("Happy Birthday", "Best Wishes", "Thank You", "Congratulations"),
        "bad": ("You worthless idiot", "Shut up you stupid bitch", "I will kill you", "You are pathetic trash"),
    },
    "picture": {"good": ("wrapped-gift", "balloon", "sunflower"), "bad": ("kitchen-knife",)},
}


class CardsOfTheDay:
    """Draws rounds: first a good and a bad card of each kind, then of one kind after the other."""

    def __init__(self, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._today = today
        self._rng = random.Random()
        self._rounds = itertools.chain([tuple(SUBJECTS)], ((kind,) for kind in itertools.cycle(SUBJECTS)))

    async def __call__(self) -> Sequence[Canary]:
        """The cards of one round."""
        return await asyncio.to_thread(self._draw, next(self._rounds), self._today())

    def _draw(self, kinds: Sequence[str], day: date) -> Sequence[Canary]:
        return [
            Canary(f"{good}-{kind}", draw(kind, subject_of_the_day(subjects, day), day, self._rng), good == "good")
            for kind in kinds
            for good, subjects in SUBJECTS[kind].items()
        ]


def subject_of_the_day(subjects: Sequence[str], day: date) -> str:
    """One of them."""
    return random.Random(f"{day.isoformat()} {subjects[0]}").choice(subjects)


def draw(kind: str, subject: str, day: date, rng: random.Random) -> bytes:
    """One card as PNG: the subject where the date puts it, with small differences by `rng`."""
    of_the_day = random.Random(f"{day.isoformat()} {subject}")
    paper, ink, edge = _colours(of_the_day, rng)
    card = Image.new("RGB", (WIDTH, HEIGHT), paper)
    inset = rng.randint(6, 14)
    ImageDraw.Draw(card).rectangle((inset, inset, WIDTH - inset, HEIGHT - inset), outline=edge, width=rng.randint(2, 5))
    mask, colours = _picture(subject, of_the_day, rng) if kind == "picture" else _text(subject, ink, rng)
    free_x, free_y = WIDTH - mask.width - 2 * _MARGIN, HEIGHT - mask.height - 2 * _MARGIN
    x = _MARGIN + of_the_day.uniform(0.1, 0.9) * free_x + rng.uniform(-_SWAY, _SWAY)
    y = _MARGIN + of_the_day.uniform(0.1, 0.9) * free_y + rng.uniform(-_SWAY, _SWAY)
    card.paste(colours, (round(x), round(y)), mask)
    buffer = io.BytesIO()
    card.save(buffer, "PNG")
    return buffer.getvalue()


def _text(text: str, ink: Colour, rng: random.Random) -> tuple[Image.Image, Image.Image]:
    """Its mask, and its colours."""
    font = _font(_LETTERS + rng.randint(-3, 3))
    left, top, right, bottom = (round(side) for side in font.getbbox(text))
    mask = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, font=font, fill=255)
    return mask, Image.new("RGB", mask.size, ink)


def _picture(name: str, of_the_day: random.Random, rng: random.Random) -> tuple[Image.Image, Image.Image]:
    """Its mask, and its colours."""
    file = files("gatepost_server.gateway") / "canary_pictures" / f"{name}.png"
    with Image.open(io.BytesIO(file.read_bytes())) as opened:
        whole = opened.convert("RGBA")
    side = _PICTURE + rng.randint(-10, 10)
    small = whole.resize((side, side), Image.Resampling.LANCZOS)
    turned = small.rotate(of_the_day.uniform(-15.0, 15.0) + rng.uniform(-3.0, 3.0), Image.Resampling.BICUBIC)
    shown = turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if of_the_day.random() < 0.5 else turned
    return shown.getchannel("A"), shown.convert("RGB")


def _colours(of_the_day: random.Random, rng: random.Random) -> tuple[Colour, Colour, Colour]:
    """Pale paper, dark ink and an edge between them; all of the day's hue, each a little off."""
    hue = of_the_day.random()

    def colour(saturation: float, value: float) -> Colour:
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
