"""Fitting lines into a place: sizes, rows, columns, and breaking a text over several lines."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cards.canvas import Box, Canvas
from benchmarks.cards.hands import Hand

_LEAST = 0.026  # of the side: smaller, and the line is broken rather than shrunk


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
    """Rows of one size and hand that fill the box, from the top. `loose` rows keep their size and lie far apart."""
    hands = _hands(canvas, lines, kind)
    size = round(largest)
    least = size if loose else max(10, round(_LEAST * canvas.side))
    while True:
        pieces = [
            (piece, hand)
            for line, hand in zip(lines, hands, strict=True)
            for piece in _wrapped(line, hand, size, box.width, allowed=size <= least * 1.6)
        ]
        fits = all(hand.length(piece, size) <= box.width for piece, hand in pieces)
        if (fits and len(pieces) * room * size <= box.height) or size <= least:
            break
        size = max(least, round(size * 0.94) - 1)
    step = box.height / len(pieces) if loose else min(box.height / len(pieces), size * room * 1.15)
    top = box.centre[1] - step * len(pieces) / 2
    return [
        (
            Row(piece, hand, size, hand.length(piece, size)),
            Box(box.left, top + i * step, box.right, top + (i + 1) * step),
        )
        for i, (piece, hand) in enumerate(pieces)
    ]


def columns_in(
    canvas: Canvas, box: Box, lines: Sequence[str], kind: str, largest: float
) -> tuple[int, list[tuple[str, Hand]]]:
    """A size, and the columns with their hands, that fit the box."""
    hands = _hands(canvas, lines, kind)
    size, least = round(largest), max(10, round(_LEAST * canvas.side))
    while True:
        most = max(1, int(box.height / (1.1 * size)))
        pieces = [
            ("".join(hand.parts(line)[start : start + most]).strip(), hand)
            for line, hand in zip(lines, hands, strict=True)
            for start in range(0, len(hand.parts(line)), most)
        ]
        whole = len(pieces) == len(lines) or size <= least * 1.6
        if (whole and len(pieces) * 1.7 * size <= box.width) or size <= least:
            return size, [(text, hand) for text, hand in pieces if text]
        size = max(least, round(size * 0.94) - 1)


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


def _atoms(text: str) -> list[str]:
    """Words with the space after them, or single characters of scripts without spaces."""
    return re.findall(r"[^\s\u2e80-\u9fff\uff00-\uffef]+\s*|\S\s*", text) or [text]


def _wrapped(line: str, hand: Hand, size: int, width: float, *, allowed: bool) -> list[str]:
    if not allowed or hand.length(line, size) <= width:
        return [line]
    rows, current = [], ""
    for atom in _atoms(line):
        if current and hand.length((current + atom).rstrip(), size) > width:
            rows.append(current.strip())
            current = ""
        current += atom
    return [row for row in (*rows, current.strip()) if row]


def _hands(canvas: Canvas, lines: Sequence[str], kind: str) -> list[Hand]:
    """One hand for all lines where one face has everything, else one for each line."""
    together = canvas.hand("".join(lines), kind)
    return [together if together.face.can_write(line) else canvas.hand(line, kind) for line in lines]
