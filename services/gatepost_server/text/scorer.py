"""Scores of a normalised text: by its form alone, or by form and meaning together, floored by the lexicon."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.text.characters import HAN
from gatepost_server.text.classifier import LinearModel
from gatepost_server.text.combination import Combination
from gatepost_server.text.lexicon import Form, Lexicon, Match, Strength
from gatepost_server.text.normalize import compact

Scores = NDArray[np.float32]

# What a strong entry says alone. By its sound or initials only, something harmless stays possible; a guess is for
# somebody to look at.
_FLOOR = {Form.WRITTEN: 0.95, Form.SOUND: 0.85, Form.INITIALS: 0.85, Form.GUESSED: 0.6}
# Where form and meaning together find this little in what an entry as written stands in, it only asks for somebody to
# look. What is spelled by sound or by initials means nothing to the encoder, so its doubt does not count there.
_DOUBTED, _DOUBTED_FLOOR = 0.1, 0.6

# Up to three Chinese characters or two Latin letters, ornaments aside, and no mask such as *. Occasions and names of
# people ("元旦", "龙年", "女人") stand in unkind training lines, too, and stars and hearts are read as such pieces;
# alone they hold too little for the model to judge by.
_ORNAMENT = r"[^\w*#@$]*"
_FRAGMENT = re.compile(rf"{_ORNAMENT}(?:(?:[{HAN}]{_ORNAMENT}){{1,3}}|(?:[a-z0-9]{_ORNAMENT}){{1,2}})")
FRAGMENT_AT_MOST = 0.2


@dataclass(frozen=True, slots=True)
class Reading:
    """What form says of one normalised text: lexicon matches, and the linear model's log odds (k,)."""

    text: str
    matches: tuple[Match, ...]
    margins: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextScorer:
    """The lexicon and the linear model, and how they go together with what a text means."""

    lexicon: Lexicon
    model: LinearModel
    combination: Combination

    def read(self, normalized: str, without: Collection[Match] = ()) -> Reading:
        """Form alone; about a fifth of a millisecond for a card line. Matches of `without` are not believed."""
        matches = tuple(match for match in self.lexicon.find(normalized) if match not in without)
        return Reading(normalized, matches, self.model.margins(normalized, matches))

    def by_form(self, reading: Reading) -> Scores:
        """Probabilities (C,) where nobody asked what the text means."""
        scores = _fragments_say_little(reading, self.model.calibrated(reading.text, reading.margins))
        return np.maximum(scores, floor(reading.matches))

    def meant(self, reading: Reading, logits: NDArray[np.float32]) -> Scores:
        """Probabilities (C,) by form and meaning, whatever its length and what the lists say of it."""
        return self.combination.probabilities(reading.text, reading.matches, logits, reading.margins)

    def with_meaning(self, reading: Reading, logits: NDArray[np.float32]) -> Scores:
        """Probabilities (C,), given the encoder's logits (k,)."""
        scores = _fragments_say_little(reading, self.meant(reading, logits))
        written = floor([match for match in reading.matches if match.form is Form.WRITTEN])
        others = floor([match for match in reading.matches if match.form is not Form.WRITTEN])
        written = np.where(scores < _DOUBTED, np.minimum(written, _DOUBTED_FLOOR), written)
        least = np.maximum(written, others)
        return np.maximum(scores, least).astype(np.float32)


def _fragments_say_little(reading: Reading, scores: Scores) -> Scores:
    if reading.matches or not _FRAGMENT.fullmatch(compact(reading.text)):
        return scores
    return np.minimum(scores, np.float32(FRAGMENT_AT_MOST))


def floor(matches: Sequence[Match]) -> Scores:
    """The least score that strong matches allow, shape (C,)."""
    scores = np.zeros(len(CATEGORIES), np.float32)
    for match in matches:
        if match.entry.strength is Strength.STRONG:
            column = CATEGORIES.index(match.entry.category)
            scores[column] = max(scores[column], _FLOOR[match.form])
    return scores
