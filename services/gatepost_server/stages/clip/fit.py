"""Prompts and levels of a CLIP model, fitted to labelled pictures (gatepostd calibrate, training/clip).

A picture is described by its logits: for each of its looks (the whole and the tiles), the scaled cosine to every entry
of prompts.yaml. Each category first drops the entries that tell its pictures from kind ones worse than the others do
alone. Then Platt's line (Platt 1999) makes a probability of its raw scores, a frequency on such a mixture; where too
many kind pictures would still reach 0.5, the line moves down until no more do than may.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Logits = NDArray[np.float32]  # pictures x looks x entries

_TAIL = 0.1  # of the kind pictures, for the extrapolation
_WORTH = 0.002  # of the area under the curve, for which an entry is dropped


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of one category: the places of its entries that stay, its line, and the area under its ROC curve."""

    entries: tuple[int, ...]
    slope: float
    intercept: float
    auc: float


def fit(kind: Logits, risky: Logits, entries: Sequence[int], negatives: slice, alarms: float) -> Fit:
    """One category, from kind pictures and its own. `entries` are its places along the last axis.

    `alarms` is the share of kind pictures that may reach 0.5. Raises ValueError where either kind is missing.
    """
    if not len(kind) or not len(risky):
        raise ValueError("both kind pictures and pictures of the category are needed")
    chosen = choose_entries(kind, risky, entries, negatives)
    ordinary, harmful = raw_scores(kind, chosen, negatives), raw_scores(risky, chosen, negatives)
    slope, intercept = platt(ordinary, harmful)
    intercept = min(intercept, -slope * reached_by(ordinary, alarms))
    return Fit(tuple(chosen), slope, intercept, area_under_curve(ordinary, harmful))


def raw_scores(logits: Logits, entries: Sequence[int], negatives: slice) -> Scores:
    """Each picture's worst look: the log odds of "one of these entries" against "one of the negatives", (N,)."""
    found: Scores = (
        np.logaddexp.reduce(logits[..., list(entries)], axis=-1) - np.logaddexp.reduce(logits[..., negatives], axis=-1)
    ).max(axis=1)
    return found


def choose_entries(kind: Logits, risky: Logits, entries: Sequence[int], negatives: slice) -> list[int]:
    """Backward elimination: while leaving an entry out tells the pictures apart better, the worst one goes."""
    chosen = list(entries)
    best = _area(kind, risky, chosen, negatives)
    while len(chosen) > 1:
        without = [[other for other in chosen if other != entry] for entry in chosen]
        areas = [_area(kind, risky, rest, negatives) for rest in without]
        if max(areas) < best + _WORTH:
            break
        best, chosen = max(areas), without[int(np.argmax(areas))]
    return chosen


def platt(kind: Scores, risky: Scores) -> tuple[float, float]:
    """Slope and intercept of the log odds of "risky", from the raw scores of both."""
    from sklearn.linear_model import LogisticRegression  # of the extra `training`

    raw = np.concatenate([kind, risky])[:, None]
    fitted = LogisticRegression(C=1e6).fit(raw, np.repeat([0, 1], [len(kind), len(risky)]))
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def reached_by(kind: Scores, share: float) -> float:
    """The raw score that `share` of kind pictures reach.

    What is rare is not counted but extrapolated: the highest tenth falls off about exponentially (peaks over
    threshold, Pickands 1975).
    """
    start = float(np.quantile(kind, 1 - _TAIL))
    beyond = kind[kind > start] - start
    return start + (float(beyond.mean()) if len(beyond) else 0.0) * math.log(_TAIL / share)


def area_under_curve(kind: Scores, risky: Scores) -> float:
    """The chance that a risky picture scores above a kind one (Mann and Whitney 1947); ties count half."""
    ordered = np.sort(kind)
    below = np.searchsorted(ordered, risky, side="left") + np.searchsorted(ordered, risky, side="right")
    return float(below.mean() / (2 * len(kind)))


def _area(kind: Logits, risky: Logits, entries: Sequence[int], negatives: slice) -> float:
    return area_under_curve(raw_scores(kind, entries, negatives), raw_scores(risky, entries, negatives))
