"""Readings against what a card says: recall, character error rate, exact lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import unary_union

from benchmarks.cards import Card, Written
from benchmarks.paddle_reference import Line

BELONGS = 0.3  # share of a reading's outline inside a written line, from which it is a reading of it
FOUND = 0.6  # share of a written line's outline that its readings cover, from which it counts as found


@dataclass(slots=True)
class Tally:
    """Counts over written lines. `stray` counts readings where nothing is written."""

    lines: int = 0
    found: int = 0
    exact: int = 0
    characters: int = 0
    errors: int = 0
    stray: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.lines + other.lines,
            self.found + other.found,
            self.exact + other.exact,
            self.characters + other.characters,
            self.errors + other.errors,
            self.stray + other.stray,
        )

    @property
    def recall(self) -> float:
        """Per cent of the written lines that were found."""
        return 100 * self.found / self.lines

    @property
    def cer(self) -> float:
        """Character error rate in per cent: edits over characters, at most 100 a line."""
        return 100 * self.errors / self.characters

    @property
    def exact_share(self) -> float:
        """Per cent of the written lines whose text is right to the last character."""
        return 100 * self.exact / self.lines


def tally(card: Card, readings: Sequence[Line]) -> Tally:
    """Compare `readings` with what `card` says. Case, spaces and punctuation are not compared."""
    written = [_polygon(line.outline) for line in card.lines]
    belonging: list[list[Line]] = [[] for _ in written]
    result = Tally()
    for reading in readings:
        outline = _polygon(reading.polygon)
        shares = [outline.intersection(line).area / max(outline.area, 1.0) for line in written]
        best = int(np.argmax(shares))
        if shares[best] > BELONGS:
            belonging[best].append(reading)
        else:
            result.stray += 1
    for line, outline, parts in zip(card.lines, written, belonging, strict=True):
        result += _line(line, outline, parts)
    return result


def _line(line: Written, outline: Polygon, parts: Sequence[Line]) -> Tally:
    covered = unary_union([_polygon(part.polygon) for part in parts]).intersection(outline).area / outline.area
    middle = LineString(line.middle)
    ordered = sorted(parts, key=lambda part: float(middle.project(Point(part.polygon.mean(axis=0)))))
    read, said = plain("".join(part.text for part in ordered)), plain(line.text)
    errors = min(Levenshtein.distance(read, said), len(said))
    return Tally(1, int(covered >= FOUND), int(errors == 0), len(said), errors)


def plain(text: str) -> str:
    """Letters and digits alone, compatibility forms and case folded."""
    return "".join(character for character in unicodedata.normalize("NFKC", text).lower() if character.isalnum())


def _polygon(points: np.ndarray) -> Polygon:
    polygon = Polygon(points)
    return polygon if polygon.is_valid else polygon.buffer(0)
