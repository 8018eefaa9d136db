"""Scores for the lines of one request, alone and read together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.stages.text_toxicity.across import Across, read_across
from gatepost_server.text.characters import count_letters
from gatepost_server.text.grids import Grid
from gatepost_server.text.lexicon import Match, Strength
from gatepost_server.text.normalize import normalize
from gatepost_server.text.scorer import FRAGMENT_AT_MOST, TextScorer, floor
from gatepost_server.text.windows import MAX_WINDOWS, Window, windows

Scores = NDArray[np.float32]
# Normalised texts to probabilities (n, C), NaN in the columns that it does not judge.
SecondOpinion = Callable[[Sequence[str]], Scores]

LEAST_CONFIDENCE = 0.3  # a reading below it is taken for a stray one: shown, but neither scored nor joined

# Trust in other lines by the recogniser's mean character probability: it grows from _NOISE to _CLEAR.
_NOISE, _CLEAR = 0.2, 0.6

_WHOLE_LINE, _NEXT_TO_NOTHING = 3, 3  # letters


@dataclass(frozen=True, slots=True)
class Lines:
    """Judged lines: scores (L, C), and the lexicon's strong entries found in each."""

    normalized: tuple[str, ...]
    scores: Scores
    matches: tuple[tuple[Match, ...], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """The worst of the lines read together (C,), and whether there were too many ways to read them."""

    scores: Scores
    windows: int
    truncated: bool


class Judge:
    """Scores lines with the model and lexicon and, where there is one, a second classifier."""

    def __init__(self, scorer: TextScorer, second: SecondOpinion | None = None) -> None:
        self._scorer = scorer
        self._second = second

    def lines(self, texts: Sequence[str], confidences: Sequence[float]) -> Lines:
        """Every line alone; scores shrink with the reading's confidence."""
        normalized = tuple(normalize(text) for text in texts)
        scores, matches = self._score(normalized)
        trusts = trust(confidences)
        believed = tuple(found if weight else () for found, weight in zip(matches, trusts, strict=True))
        return Lines(normalized, scores * trusts[:, None], believed)

    def joined(self, lines: Lines, confidences: Sequence[float], orders: Sequence[Sequence[int]]) -> Joined:
        """Neighbouring lines read together; zeros where fewer than two lines hold text."""
        found = list(islice(windows(lines.normalized, orders), MAX_WINDOWS + 1))
        kept = found[:MAX_WINDOWS]
        if not kept:
            return Joined(np.zeros(len(CATEGORIES), np.float32), 0, truncated=False)
        known = [{match.entry for index in window.indices for match in lines.matches[index]} for window in kept]
        scores, matches = self._score([window.text for window in kept])
        trusts = trust(confidences)
        worst = np.zeros(len(CATEGORIES), np.float32)
        for window, seen, row, terms in zip(kept, known, scores, matches, strict=True):
            # Where a line was cut, what made an entry of it harmless may be gone ("死海" without "海").
            cut = {match.entry for text in window.cut for match in self._scorer.lexicon.find(text)}
            chance = [
                m for m in terms if m.entry not in seen and (len(m.entry.term) < window.shortest_term or m.entry in cut)
            ]
            if chance:
                row = self._without(window, chance)
            if len(chance) == len(terms) and _by_a_stray_character(window, lines.normalized):
                row = np.minimum(row, np.float32(FRAGMENT_AT_MOST))
            worst = np.maximum(worst, row * _window_trust(window, lines.normalized, trusts))
        return Joined(worst, len(kept), truncated=len(found) > MAX_WINDOWS)

    def across(self, lines: Lines, confidences: Sequence[float], grid: Grid) -> Across:
        """A grid of lines read across them, by the model and lexicon alone."""
        return read_across(self._scorer, grid, lines.normalized, trust(confidences).tolist())

    def _score(self, normalized: Sequence[str]) -> tuple[Scores, tuple[tuple[Match, ...], ...]]:
        scored = [self._scorer.score(text) for text in normalized]
        strong = tuple(tuple(m for m in one.matches if m.entry.strength is Strength.STRONG) for one in scored)
        scores = np.zeros((len(scored), len(CATEGORIES)), np.float32)
        for row, one in enumerate(scored):
            scores[row] = one.scores
        if self._second is not None and scored:
            scores = _blend(normalized, scores, strong, self._second(normalized))
        return scores, strong

    def _without(self, window: Window, chance: Sequence[Match]) -> Scores:
        """A window's scores when entries that only met at a line break, or were cut out of a line, are not believed."""
        matches = [match for match in self._scorer.lexicon.find(window.text) if match not in chance]
        return self._scorer.probabilities(window.text, matches)


def _blend(normalized: Sequence[str], scores: Scores, strong: Sequence[Sequence[Match]], opinion: Scores) -> Scores:
    """The mean of both opinions where the second has one, still floored by the lexicon; 0 for empty texts."""
    blended = np.where(np.isnan(opinion), scores, (scores + opinion) / 2)
    floors = np.stack([floor(matches) for matches in strong])
    empty = np.array([not text for text in normalized])
    return np.where(empty[:, None], 0.0, np.maximum(blended, floors)).astype(np.float32)


def trust(confidences: Sequence[float]) -> Scores:
    """Factor 0 to 1 for each line, so that noise read as text never becomes a confident score; 0 for stray readings."""
    values = np.nan_to_num(np.asarray(confidences, np.float32))
    grown = np.clip((values - _NOISE) / (_CLEAR - _NOISE), 0.0, 1.0)
    return np.where(values < LEAST_CONFIDENCE, 0.0, grown).astype(np.float32)


def _by_a_stray_character(window: Window, normalized: Sequence[str]) -> bool:
    """Whether a window hangs on a line of one character beside whole lines, or on next to nothing.

    Ornaments are read as such characters; what they make of a greeting is the model's guess alone.
    """
    sizes = [count_letters(normalized[index]) for index in window.indices]
    return min(sizes) == 1 and (max(sizes) >= _WHOLE_LINE or sum(sizes) <= _NEXT_TO_NOTHING)


def _window_trust(window: Window, normalized: Sequence[str], trusts: Scores) -> float:
    indices = list(window.indices)
    return float(np.average(trusts[indices], weights=[len(normalized[index]) for index in indices]))
