"""Scores for grids of characters that are read across their lines, as columns that were detected as rows must be.

Two greetings of equal length are a grid too, and what stands above one another in it is chance. So a reading across
counts only as far as chance does not explain it: with strong entries as they are written, or where its pairs of
characters are met as often as those of the lines and the model is clear about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.text.grids import Grid
from gatepost_server.text.lexicon import Form, Match, Strength
from gatepost_server.text.normalize import normalize
from gatepost_server.text.reading_order import join
from gatepost_server.text.scorer import TextScorer, floor
from gatepost_server.text.windows import MAX_WINDOWS, Window, windows

# Measured on kind lines of equal length and on unkind ones laid out in columns.
_CLEAR = 0.75  # probability from which the model alone is believed
_WORTH_SCORING = 4  # characters; the model says little about fewer
_LONG_TERM = 3  # characters of an entry that hardly ever meet by chance
_UNLIKELY = -0.7  # rarity gained, below which shorter entries are taken for chance


@dataclass(frozen=True, slots=True)
class Across:
    """The worst of a grid's readings (C,); `text` is the first whole one where it says something, else empty."""

    scores: NDArray[np.float32]
    text: str
    windows: int
    truncated: bool


def read_across(scorer: TextScorer, grid: Grid, lines: Sequence[str], trusts: Sequence[float]) -> Across:
    """Judge one grid. `lines` are all lines, normalised; `trusts` (0 to 1) scale what their characters say."""
    readings = [normalize(reading) for reading in grid.readings]
    rarity = min(scorer.model.rarity(join(readings, order)) for order in grid.orders)
    gained = scorer.model.rarity(join(lines, grid.members)) - rarity
    found = list(islice(_windows(readings, grid.orders), MAX_WINDOWS + 1))
    worst = np.zeros(len(CATEGORIES), np.float32)
    for window in found[:MAX_WINDOWS]:
        through = frozenset[int]().union(*(grid.through[index] for index in window.indices))
        trust = float(np.mean([trusts[line] for line in through]))
        worst = np.maximum(worst, trust * _believed(scorer, window, gained))
    told = gained >= 0 or bool(worst.max() >= _CLEAR)
    return Across(
        scores=worst,
        text=join(grid.readings, grid.orders[0]) if told else "",
        windows=min(len(found), MAX_WINDOWS),
        truncated=len(found) > MAX_WINDOWS,
    )


def _windows(readings: Sequence[str], orders: Sequence[Sequence[int]]) -> list[Window]:
    alone = [Window((index,), text, 2) for index, text in enumerate(readings) if len(text) >= 2]
    return [*alone, *windows(readings, orders)]


def _believed(scorer: TextScorer, window: Window, gained: float) -> NDArray[np.float32]:
    written = [match for match in scorer.lexicon.find(window.text) if match.form is Form.WRITTEN]
    shortest = 2 if len(window.indices) == 1 and gained >= _UNLIKELY else _LONG_TERM
    chance = [match for match in written if _strong(match) and len(match.entry.term) < shortest]
    matches = [match for match in written if match not in chance]
    scores = floor(matches)
    if gained >= 0 and len(window.text) >= _WORTH_SCORING:
        probabilities = scorer.model.probabilities(window.text, matches)
        scores = np.maximum(scores, np.where(probabilities >= _CLEAR, probabilities, 0.0))
    return scores.astype(np.float32)


def _strong(match: Match) -> bool:
    return match.entry.strength is Strength.STRONG
