"""Greedy CTC decoding (Graves et al., Connectionist Temporal Classification, ICML 2006, section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANK = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A text and the probabilities of its characters. `confidence` is their mean, 0 for an empty text.

    `evidence` is the sum of (probability - 1/2): it grows with every character that is more likely
    right than wrong and falls with every guess, so readings of different lengths can be compared
    where a mean would prefer three sure characters to ten nearly sure ones.
    """

    text: str
    confidence: float
    evidence: float


NOTHING = Reading("", 0.0, 0.0)
BROKEN = Reading("", math.nan, math.nan)  # the net gave no numbers; what is there stays unknown


def decode(classes: NDArray[np.int32], probabilities: NDArray[np.float32], alphabet: Sequence[str]) -> Reading:
    """The reading of one crop: best class and its probability at each time step, both of shape (T,).

    Class 0 is the blank, class i is alphabet[i - 1]; a run of one class is one character. NaN among the
    probabilities makes the reading BROKEN: the best class may be the blank then, whatever the crop shows.
    """
    if not (probabilities >= 0).all():
        return BROKEN
    starts = np.concatenate(([True], classes[1:] != classes[:-1]))
    kept = starts & (classes != BLANK)
    if not kept.any():
        return NOTHING
    text = "".join(alphabet[index - 1] for index in classes[kept]).strip()
    if not text:
        return NOTHING
    sure = probabilities[kept].astype(np.float64)
    return Reading(text, float(sure.mean()), float((sure - 0.5).sum()))
