"""Scores for acrostics: what the lines of a card say down their edges.

Any lines begin with something. So an acrostic counts only by entries of the word lists that are all of it, or too long
to be met by chance, or that go over several lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.text.acrostics import Acrostic, acrostics
from gatepost_server.text.characters import count_letters
from gatepost_server.text.lexicon import Form, Match, Strength
from gatepost_server.text.reading_order import join
from gatepost_server.text.scorer import TextScorer, floor

# Measured on kind lines put together at random, two to four on a card, and on written acrostics.
_LONG_TERM = 3  # characters of an entry that are hardly ever met by chance
_UNLIKELY = -0.7  # rarity gained, below which shorter entries are taken for chance
_HINT = 0.6  # where all of an acrostic is an insult that may be harmless

Scores = NDArray[np.float32]


def read_edges(scorer: TextScorer, lines: Sequence[str], order: Sequence[int], trust: float) -> Scores:
    """The worst acrostic of normalised `lines` in reading order, shape (C,); `trust` (0 to 1) scales it."""
    said = [lines[index] for index in order if count_letters(lines[index])]
    matches = [(match, acrostic) for acrostic in acrostics(said) for match in _written(scorer, acrostic.text)]
    worst = np.zeros(len(CATEGORIES), np.float32)
    if not matches:
        return worst
    known = {match.entry for line in said for match in _written(scorer, line)}
    rarity = scorer.model.rarity(join(said, range(len(said))))
    for match, acrostic in matches:
        gained = rarity - scorer.model.rarity(acrostic.text)
        if match.entry not in known and _is_said(match, acrostic, gained):
            worst = np.maximum(worst, trust * _score(match))
    return worst


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
