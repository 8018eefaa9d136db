"""Images that grow in one respect: their side, the lines of text on them, their frames."""

from __future__ import annotations

import io
import itertools
import random

from PIL import Image, ImageDraw

from benchmarks.cards import backgrounds, draw, phrases
from benchmarks.cards.fonts import CHINESE

SIDE = backgrounds.SIDE
MOST_PIXELS = 64_000_000  # of one frame: stages/decode/limits.py
_ROWS = 50  # lines below one another; more go into further columns
_TEXTS = phrases.CHINESE_SHORT + phrases.ENGLISH_SHORT
_PLAIN = "plain"


def card_of_side(side: int, seed: int) -> bytes:
    """The same plain card at another size; a JPEG. Above 8,000 pixels it is cut to what decode takes."""
    card = Image.fromarray(draw(_PLAIN, seed).pixels).resize((side, side), Image.Resampling.BICUBIC)
    return _jpeg(card.crop((0, 0, side, min(side, MOST_PIXELS // side))))


def card_of_lines(lines: int, seed: int) -> bytes:
    """So many short lines on white, in columns; a JPEG of 1024x1024."""
    chance = random.Random(seed)
    card = Image.new("RGB", (SIDE, SIDE), "white")
    pen, columns = ImageDraw.Draw(card), max(1, -(-lines // _ROWS))
    rows = -(-lines // columns) if lines else 1
    pitch = SIDE / rows
    size = int(min(0.6 * pitch, 40, 0.09 * SIDE / columns))
    for number in range(lines):
        column, row = divmod(number, rows)
        at = (20 + column * SIDE / columns, (row + 0.5) * pitch)
        pen.text(at, chance.choice(_TEXTS), fill=(20, 20, 60), font=CHINESE[0].at(size), anchor="lm")
    return _jpeg(card)


def card_of_frames(frames: int, seed: int) -> bytes:
    """An animation whose frames say different things; a GIF of 512x512."""
    chance = random.Random(seed)
    texts = itertools.islice(itertools.cycle(chance.sample(_TEXTS, len(_TEXTS))), frames)
    drawn = []
    for number, text in enumerate(texts):
        frame = Image.new("RGB", (SIDE // 2, SIDE // 2), (200 + number, 230, 255 - 3 * number))
        ImageDraw.Draw(frame).text(
            (40, 30 + 13 * number), text, fill=(90, 0, 20), font=CHINESE[number % len(CHINESE)].at(48)
        )
        drawn.append(frame)
    file = io.BytesIO()
    drawn[0].save(file, "GIF", save_all=True, append_images=drawn[1:], duration=120, loop=0, comment=b"%d" % seed)
    return file.getvalue()


def _jpeg(card: Image.Image) -> bytes:
    file = io.BytesIO()
    card.save(file, "JPEG", quality=90)
    return file.getvalue()
