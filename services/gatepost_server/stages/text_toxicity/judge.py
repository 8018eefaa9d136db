"""Scores for the lines of one request, alone and read together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.stages.text_toxicity.across import Across, read_across
from gatepost_server.stages.text_toxicity.hidden import Meaning, read_edges
from gatepost_server.stages.text_toxicity.passages import passages
from gatepost_server.text.characters import count_han, count_letters
from gatepost_server.text.grids import Grid
from gatepost_server.text.lexicon import Match, Strength
from gatepost_server.text.normalize import normalize
from gatepost_server.text.respaced import respaced
from gatepost_server.text.scorer import FRAGMENT_AT_MOST, Reading, TextScorer, floor
from gatepost_server.text.windows import MAX_WINDOWS, Window, windows

Scores = NDArray[np.float32]
# Normalised texts to probabilities (n, C), NaN in the columns that it does not judge.
SecondOpinion = Callable[[Sequence[str]], Scores]

LEAST_CONFIDENCE = 0.3  # a reading below it is taken for a stray one: shown, but neither scored nor joined

# Trust in other lines by the recogniser's mean character probability: it grows from _NOISE to _CLEAR.
_NOISE, _CLEAR = 0.2, 0.6
# Of up to three Latin letters alone it grows later: ornaments are read as "SB" or "GHB", and then unsurely.
_SHORT_NOISE, _SHORT_CLEAR = 0.5, 0.9

_WHOLE_LINE, _NEXT_TO_NOTHING = 3, 3  # letters
_SURE = 0.8  # confidence; ornaments that are read as two or three letters seldom reach it

# Form reads every window and takes some for what they are not. Meaning reads whole passages, and the windows that
# form finds worth asking about: most cards have none, and a score below this holds no card.
_WORTH_ASKING = 0.25
_MOST_ASKED = 48  # windows; those beyond keep the score of their form
_MOST_PASSAGES = 12
# Several readings of one card are tried, so a reading must say more than a line before it holds one: odds are divided.
_READINGS_TRIED = 1.3


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
    """Scores lines by form and meaning and, where there is one, a second classifier."""

    def __init__(self, scorer: TextScorer, meaning: Meaning, second: SecondOpinion | None = None) -> None:
        self._scorer = scorer
        self._meaning = meaning
        self._second = second

    def lines(self, texts: Sequence[str], confidences: Sequence[float]) -> Lines:
        """Every line alone; scores shrink with the reading's confidence, those of a few Latin letters sooner."""
        normalized = tuple(normalize(text) for text in texts)
        readings = [self._scorer.read(text) for text in normalized]
        scores = np.maximum(self._decided(readings), self._respaced(normalized))
        short = np.array([count_letters(text) <= _WHOLE_LINE and not count_han(text) for text in normalized], bool)
        trusts = np.where(short, trust(confidences, _SHORT_NOISE, _SHORT_CLEAR), trust(confidences))
        # What half is believed alone is not to become a whole by standing beside other lines.
        least = np.where(short, 0.5, 0.0)
        believed = tuple(
            _strong(reading) if weight > enough else ()
            for reading, weight, enough in zip(readings, trusts, least, strict=True)
        )
        return Lines(normalized, scores * trusts[:, None], believed)

    def joined(self, lines: Lines, confidences: Sequence[float], orders: Sequence[Sequence[int]]) -> Joined:
        """Neighbouring lines read together; zeros where fewer than two lines hold text."""
        found = list(islice(windows(lines.normalized, orders), MAX_WINDOWS + 1))
        short = {window.text: window for window in found[:MAX_WINDOWS]}
        whole = {one.text: one for order in orders for one in islice(passages(lines.normalized, order), _MOST_PASSAGES)}
        # A passage that is a window as well is judged as that: windows know which short entries may be meant.
        kept = list({**{text: short.get(text, one) for text, one in whole.items()}, **short}.values())
        if not kept:
            return Joined(np.zeros(len(CATEGORIES), np.float32), 0, truncated=False)
        readings = [self._read(window, lines) for window in kept]
        rows = np.stack([self._scorer.by_form(reading) for reading in readings])
        asked = _asked(rows, always=len(whole))
        rows[asked] = self._decided([readings[place] for place in asked])
        trusts = trust(confidences)
        worst = np.zeros(len(CATEGORIES), np.float32)
        for window, reading, row in zip(kept, readings, rows, strict=True):
            if not _strong(reading):
                row = _tempered(row)
                # What stands around a break was cut out of its lines: what it means, the passage of both tells.
                if window.cut or _by_strays(window, lines.normalized, confidences):
                    row = np.minimum(row, np.float32(FRAGMENT_AT_MOST))
            worst = np.maximum(worst, row * _window_trust(window, lines.normalized, trusts))
        return Joined(worst, len(kept), truncated=len(found) > MAX_WINDOWS)

    def across(self, lines: Lines, confidences: Sequence[float], grid: Grid) -> Across:
        """A grid of lines read across them, by the model and lexicon alone."""
        return read_across(self._scorer, grid, lines.normalized, trust(confidences).tolist())

    def edges(self, lines: Lines, confidences: Sequence[float], order: Sequence[int]) -> Scores:
        """What lines say down their first and last characters, letters and words, shape (C,)."""
        trusts = trust(confidences)
        least = float(min((trusts[index] for index in order), default=0.0))
        return read_edges(self._scorer, self._meaning, lines.normalized, order, least)

    def _respaced(self, normalized: Sequence[str]) -> Scores:
        """What lines say with their spaces where words end, (L, C); zeros where they are there already."""
        scores = np.zeros((len(normalized), len(CATEGORIES)), np.float32)
        found = [(place, words) for place, text in enumerate(normalized) if (words := respaced(text))]
        readings = [self._scorer.read(words) for _, words in found]
        for (place, _), reading, row in zip(found, readings, self._decided(readings), strict=True):
            scores[place] = row if _strong(reading) else _tempered(row)
        return scores

    def _read(self, window: Window, lines: Lines) -> Reading:
        """A window, without strong entries that only met at a line break or were cut out of a line."""
        reading = self._scorer.read(window.text)
        known = {match.entry for index in window.indices for match in lines.matches[index]}
        # Where a line was cut, what made an entry of it harmless may be gone ("死海" without "海").
        cut = {match.entry for text in window.cut for match in self._scorer.lexicon.find(text)}
        chance = [
            match
            for match in _strong(reading)
            if match.entry not in known and (len(match.entry.term) < window.shortest_term or match.entry in cut)
        ]
        return self._scorer.read(window.text, without=chance) if chance else reading

    def _decided(self, readings: Sequence[Reading]) -> Scores:
        """Form, meaning and the second opinion together, (n, C)."""
        if not readings:
            return np.zeros((0, len(CATEGORIES)), np.float32)
        texts = [reading.text for reading in readings]
        pairs = zip(readings, self._meaning(texts), strict=True)
        scores = np.stack([self._scorer.with_meaning(reading, logits) for reading, logits in pairs])
        return scores if self._second is None else _blend(readings, scores, self._second(texts))


def _tempered(row: Scores) -> Scores:
    """A reading that is one of several."""
    tempered: Scores = row / (row + _READINGS_TRIED * (1.0 - row))
    return tempered


def _asked(rows: Scores, always: int) -> list[int]:
    """Places of the rows that meaning is asked about: the first `always`, and those that look worst."""
    worst = rows.max(axis=1)
    doubtful = [place for place in range(always, len(rows)) if worst[place] >= _WORTH_ASKING]
    return [*range(always), *sorted(doubtful, key=lambda place: -worst[place])[:_MOST_ASKED]]


def _blend(readings: Sequence[Reading], scores: Scores, opinion: Scores) -> Scores:
    """The mean of both opinions where the second has one, still floored by the lexicon; 0 for empty texts."""
    blended = np.where(np.isnan(opinion), scores, (scores + opinion) / 2)
    floors = np.stack([floor(reading.matches) for reading in readings])
    empty = np.array([not reading.text for reading in readings])
    return np.where(empty[:, None], 0.0, np.maximum(blended, np.minimum(floors, scores))).astype(np.float32)


def trust(confidences: Sequence[float], noise: float = _NOISE, clear: float = _CLEAR) -> Scores:
    """Factor 0 to 1 for each line, so that noise read as text never becomes a confident score; 0 for stray readings."""
    values = np.nan_to_num(np.asarray(confidences, np.float32))
    grown = np.clip((values - noise) / (clear - noise), 0.0, 1.0)
    return np.where(values < LEAST_CONFIDENCE, 0.0, grown).astype(np.float32)


def _strong(reading: Reading) -> tuple[Match, ...]:
    return tuple(match for match in reading.matches if match.entry.strength is Strength.STRONG)


def _by_strays(window: Window, normalized: Sequence[str], confidences: Sequence[float]) -> bool:
    """Whether a window hangs on next to nothing, on a line of one character beside whole lines, on digits one by one,
    or on a few letters that were not read surely.

    Ornaments are read as such; what they make of a greeting is the model's guess alone.
    """
    sizes = [count_letters(normalized[index]) for index in window.indices]
    if max(sizes) == 1 and sum(normalized[index].isdigit() for index in window.indices) * 3 >= len(sizes):
        return True
    unsure = any(
        size <= _WHOLE_LINE and confidences[index] < _SURE for index, size in zip(window.indices, sizes, strict=True)
    )
    return unsure or (min(sizes) == 1 and (max(sizes) >= _WHOLE_LINE or sum(sizes) <= _NEXT_TO_NOTHING))


def _window_trust(window: Window, normalized: Sequence[str], trusts: Scores) -> float:
    indices = list(window.indices)
    return float(np.average(trusts[indices], weights=[len(normalized[index]) for index in indices]))
