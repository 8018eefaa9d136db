"""Fitting lines into a place: sizes, rows, columns, and breaking a text over several lines."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.cards.canvas import Box, Canvas
from benchmarks.cards.hands import Hand

_SMALL = 0.04  # of the side, and at least
_SMALL_PIXELS = 25  # from here down a line is broken before it is written still smaller
_FLOOR = 9  # pixels: nothing is written smaller
_MEASURED = 100  # the size at which lengths are measured, so that few fonts are loaded


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text with its hand and size, and its length in pixels."""

    text: str
    hand: Hand
    size: int
    width: float


def rows_in(
    canvas: Canvas, box: Box, lines: Sequence[str], kind: str, largest: float, room: float, *, loose: bool
) -> list[tuple[Row, Box]]:
    """Rows of one size and hand that fill the box, from the top; `room` is a row's height in sizes.

    `loose` rows keep their size and lie far apart.
    """
    hands = _hands(canvas, lines, kind)
    size = round(largest)
    while True:
        pieces = [
            (piece, hand)
            for line, hand in zip(lines, hands, strict=True)
            for piece in _wrapped(hand, line, box.width, size, allowed=loose or size <= _small(canvas))
        ]
        fits = all(_length(hand, piece, size) <= box.width for piece, hand in pieces)
        if loose or size <= _FLOOR or (fits and len(pieces) * room * size <= box.height):
            break
        size = max(_FLOOR, round(size * 0.94) - 1)
    step = box.height / len(pieces) if loose else min(box.height / len(pieces), size * room * 1.15)
    top = box.centre[1] - step * len(pieces) / 2
    parts = [Box(box.left, top + i * step, box.right, top + (i + 1) * step) for i in range(len(pieces))]
    return [
        (Row(piece, hand, size, hand.length(piece, size)), part)
        for (piece, hand), part in zip(pieces, parts, strict=True)
    ]


def columns_in(
    canvas: Canvas, box: Box, lines: Sequence[str], kind: str, largest: float
) -> tuple[int, list[tuple[str, Hand]]]:
    """A size, and the columns with their hands, that fit the box."""
    hands = _hands(canvas, lines, kind)
    size = round(largest)
    while True:
        most = max(1, int(box.height / (1.1 * size)))
        pieces = [
            (piece, hand)
            for line, hand in zip(lines, hands, strict=True)
            for piece in _packed(line, lambda text, hand=hand, most=most: len(hand.parts(text)) <= most, hand)
        ]
        whole = len(pieces) == len(lines) or size <= _small(canvas)
        if size <= _FLOOR or (whole and (len(pieces) * 1.7 - 0.7) * size <= box.width):
            return size, pieces
        size = max(_FLOOR, round(size * 0.94) - 1)


def broken(lines: Sequence[str], rng: random.Random) -> tuple[str, ...]:
    """Each line in pieces: two or three Chinese characters, a word or two."""
    pieces = []
    for line in lines:
        atoms, at = _atoms(line), 0
        while at < len(atoms):
            count = rng.choice([2, 3]) if len(atoms[at].strip()) == 1 else rng.choice([1, 2])
            pieces.append("".join(atoms[at : at + count]).strip())
            at += count
    return tuple(piece for piece in pieces if piece)


def _small(canvas: Canvas) -> int:
    return max(_SMALL_PIXELS, round(_SMALL * canvas.side))


def _length(hand: Hand, text: str, size: int) -> float:
    return hand.length(text, _MEASURED) * size / _MEASURED


def _atoms(text: str) -> list[str]:
    """Words with the space after them, single characters of scripts without spaces; marks stay with what precedes."""
    return re.findall(r"(?:[^\s\u2e80-\u9fff\uff00-\uffef]+|\S)[，。！？、；：]?\s*", text) or [text]


def _wrapped(hand: Hand, line: str, width: float, size: int, *, allowed: bool) -> list[str]:
    if not allowed:
        return [line]
    return _packed(line, lambda text: _length(hand, text, size) <= width, hand)


def _packed(line: str, fits: Callable[[str], bool], hand: Hand) -> list[str]:
    """The line in as few pieces as fit, broken between words where it can be."""
    if fits(line):
        return [line]
    pieces, current = [], ""
    for atom in _atoms(line):
        for part in [atom] if fits(atom.rstrip()) else hand.parts(atom):
            if current and not fits((current + part).rstrip()):
                pieces.append(current.strip())
                current = ""
            current += part
    return [piece for piece in (*pieces, current.strip()) if piece]


def _hands(canvas: Canvas, lines: Sequence[str], kind: str) -> list[Hand]:
    """One hand for all lines where one face has everything, else one for each line."""
    together = canvas.hand("".join(lines), kind)
    return [together if together.face.can_write(line) else canvas.hand(line, kind) for line in lines]
