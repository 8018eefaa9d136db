"""Scores for acrostics: what the lines of a card say down their edges.

Any lines begin with something. So an acrostic counts by entries of the word lists that are all of it, or too long
to be met by chance, or that go over several lines; and by what it means, where it reads far more like language than
its card does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.text.acrostics import Acrostic, acrostics
from gatepost_server.text.characters import count_han, count_letters
from gatepost_server.text.lexicon import Form, Match, Strength
from gatepost_server.text.reading_order import join
from gatepost_server.text.scorer import TextScorer, floor

# Measured on kind lines put together at random, two to four on a card, and on written acrostics.
_LONG_TERM = 3  # characters of an entry that are hardly ever met by chance
_UNLIKELY = -0.7  # rarity gained, below which shorter entries are taken for chance
_HINT = 0.6  # where all of an acrostic is an insult that may be harmless

# The same by meaning: of 354 kind training cards of three lines or more none, of 1,500 sets of kind lines drawn by lot
# two reach both; of 500 English ones none.
_LIKE_CHINESE, _LIKE_ENGLISH, _MEANT = 0.3, 0.0, 0.7
_MEANT_AT_MOST = 0.79  # a guess: for a person to look at
_FEWEST_MEANT, _FEWEST_SPELT = 3, 6  # Chinese characters; Latin letters

Scores = NDArray[np.float32]
# Normalised texts to log odds (n, k), in the order of the linear model's categories.
Meaning = Callable[[Sequence[str]], Scores]


def read_edges(
    scorer: TextScorer, meaning: Meaning, lines: Sequence[str], order: Sequence[int], trust: float
) -> Scores:
    """The worst acrostic of normalised `lines` in reading order, shape (C,); `trust` (0 to 1) scales it."""
    said = [lines[index] for index in order if count_letters(lines[index])]
    found = list(acrostics(said))
    worst = np.zeros(len(CATEGORIES), np.float32)
    if not found:
        return worst
    known = {match.entry for line in said for match in _written(scorer, line)}
    rarity = scorer.model.rarity(join(said, range(len(said))))
    for acrostic in found:
        gained = rarity - scorer.model.rarity(acrostic.text)
        for match in _written(scorer, acrostic.text):
            if match.entry not in known and _is_said(match, acrostic, gained):
                worst = np.maximum(worst, trust * _score(match))
        if _reads_like_language(acrostic, gained):
            worst = np.maximum(worst, trust * _meant(scorer, meaning, acrostic.text))
    return worst


def _reads_like_language(acrostic: Acrostic, gained: float) -> bool:
    if acrostic.of_words:
        return False
    if characters := count_han(acrostic.text):
        return characters >= _FEWEST_MEANT and gained >= _LIKE_CHINESE
    return count_letters(acrostic.text) >= _FEWEST_SPELT and gained >= _LIKE_ENGLISH


def _meant(scorer: TextScorer, meaning: Meaning, text: str) -> Scores:
    """What an acrostic means, zeros where that is not sure."""
    scores = scorer.meant(scorer.read(text), meaning([text])[0])
    return np.where(scores >= _MEANT, np.minimum(scores, np.float32(_MEANT_AT_MOST)), np.float32(0.0))


def _written(scorer: TextScorer, text: str) -> list[Match]:
    return [match for match in scorer.lexicon.find(text) if match.form is Form.WRITTEN]


def _is_said(match: Match, acrostic: Acrostic, gained: float) -> bool:
    term = match.entry.term
    if acrostic.of_words:
        return match.entry.strength is Strength.STRONG and " " in term  # a word of one line says nothing down
    if match.entry.strength is Strength.WEAK:
        said = term.isascii() or gained >= 0  # four letters that are a word are no chance; rarity knows pairs
        return term == acrostic.text and said and match.entry.category is Category.INSULT
    return len(term) >= _LONG_TERM or (term == acrostic.text and gained >= _UNLIKELY)


def _score(match: Match) -> Scores:
    scores = floor([match])
    if match.entry.strength is Strength.WEAK:
        scores[CATEGORIES.index(match.entry.category)] = _HINT
    return scores
