"""Scores of a normalised text: the linear model's probabilities, raised to a floor by strong lexicon entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.text.characters import HAN
from gatepost_server.text.classifier import LinearModel
from gatepost_server.text.lexicon import Form, Lexicon, Match, Strength
from gatepost_server.text.normalize import compact

# What a strong entry says alone. By its sound or initials only, something harmless stays possible; a guess is for
# somebody to look at.
_FLOOR = {Form.WRITTEN: 0.95, Form.SOUND: 0.85, Form.INITIALS: 0.85, Form.GUESSED: 0.6}

# Up to three Chinese characters or two Latin letters, ornaments aside, and no mask such as *. Occasions and names of
# people ("元旦", "龙年", "女人") stand in unkind training lines, too, and stars and hearts are read as such pieces;
# alone they hold too little for the model to judge by.
_ORNAMENT = r"[^\w*#@$]*"
_FRAGMENT = re.compile(rf"{_ORNAMENT}(?:(?:[{HAN}]{_ORNAMENT}){{1,3}}|(?:[a-z0-9]{_ORNAMENT}){{1,2}})")
FRAGMENT_AT_MOST = 0.2


@dataclass(frozen=True, slots=True)
class Scored:
    """One text's probabilities in the order of CATEGORIES (shape (C,)) and its lexicon matches."""

    scores: NDArray[np.float32]
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class TextScorer:
    """The lexicon and the linear model together; about a fifth of a millisecond for a card line."""

    lexicon: Lexicon
    model: LinearModel

    def score(self, normalized: str) -> Scored:
        """Probabilities and matches of one normalised text; all 0 for an empty one."""
        matches = tuple(self.lexicon.find(normalized))
        return Scored(self.probabilities(normalized, matches), matches)

    def probabilities(self, normalized: str, matches: Sequence[Match]) -> NDArray[np.float32]:
        """Shape (C,), given the matches to believe. Without any, a fragment is never more than suspicious."""
        scores = self.model.probabilities(normalized, matches)
        if not matches and _FRAGMENT.fullmatch(compact(normalized)):
            scores = np.minimum(scores, np.float32(FRAGMENT_AT_MOST))
        return np.maximum(scores, floor(matches))


def floor(matches: Sequence[Match]) -> NDArray[np.float32]:
    """The least score that strong matches allow, shape (C,)."""
    scores = np.zeros(len(CATEGORIES), np.float32)
    for match in matches:
        if match.entry.strength is Strength.STRONG:
            column = CATEGORIES.index(match.entry.category)
            scores[column] = max(scores[column], _FLOOR[match.form])
    return scores
