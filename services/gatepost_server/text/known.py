"""How like known texts what was drawn is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from gatepost_server.text.characters import count_han, count_letters

_LEAST_HAN, _LEAST_LETTERS = 2, 5


def says_enough(text: str) -> bool:
    """Whether a text is long enough to be looked for anywhere; "ass" is in "glass"."""
    return count_han(text) >= _LEAST_HAN or count_letters(text) >= _LEAST_LETTERS


def resemblance(known: Sequence[str], drawn: Sequence[str]) -> NDArray[np.float64]:
    """Shape (known, drawn), 0 to 1: how like a known text the best place of a drawn one is; 1 where it stands in it.

    A drawn text that is shorter than a known one is held against all of it. Both sides are normalised already.
    """
    if not known or not drawn:
        return np.zeros((len(known), len(drawn)))
    lengths = np.array([len(text) for text in known])[:, None], np.array([len(text) for text in drawn])[None, :]
    inside = process.cdist(known, drawn, scorer=fuzz.partial_ratio, dtype=np.float64)
    whole = process.cdist(known, drawn, scorer=fuzz.ratio, dtype=np.float64)
    found: NDArray[np.float64] = np.where(lengths[1] >= lengths[0], inside, whole) / 100.0
    return found
