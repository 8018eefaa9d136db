"""Figures with the intervals that their number of cards allows. Shares are between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import binomtest, norm, rankdata

CONFIDENCE = 0.95
BINS = 15  # of the reliability diagram, as in Guo et al. (2017)
LEAST_IN_A_BIN = 20
RESAMPLES = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """A value between `low` and `high` with 95 % confidence, over `n` cases; `hits` of them where it is a share."""

    value: float
    low: float
    high: float
    n: int
    hits: int | None = None


def share(hits: int, n: int) -> Figure:
    """`hits` of `n`: Wilson's interval, and Clopper and Pearson's where all or none hit and Wilson's is too narrow.

    ValueError for n = 0: a share of nothing is not known.
    """
    if n <= 0:
        raise ValueError("a share of no cases is not known")
    method = "exact" if hits in (0, n) else "wilson"
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method=method)
    return Figure(hits / n, float(interval.low), float(interval.high), n, hits)


def auc(positive: ArrayLike, negative: ArrayLike) -> Figure:
    """Area under the ROC curve, with DeLong's variance (1988) on the logit scale.

    At 0 or 1 DeLong's variance is 0; the interval is then Clopper and Pearson's over the smaller class, which is wide.
    """
    above, below = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    if not len(above) or not len(below):
        raise ValueError("AUC needs positive and negative cases")
    ranks = rankdata(np.concatenate([above, below]))
    wins = (ranks[: len(above)] - rankdata(above)) / len(below)  # share of negatives below each positive
    losses = 1 - (ranks[len(above) :] - rankdata(below)) / len(above)
    area, count = float(wins.mean()), len(above) + len(below)
    least = min(len(above), len(below))
    variance = _variance(wins) / len(above) + _variance(losses) / len(below)
    if area in (0.0, 1.0) or variance == 0.0:
        bound = share(round(area * least), least)
        return Figure(area, bound.low, bound.high, count)
    spread = float(norm.ppf(0.5 + CONFIDENCE / 2)) * variance**0.5 / (area * (1 - area))
    low, high = expit(logit(area) + np.array([-spread, spread]))
    return Figure(area, float(low), float(high), count)


def mean(figures: Sequence[Figure]) -> Figure:
    """The unweighted mean of independent figures; half-widths add in quadrature."""
    values = np.array([figure.value for figure in figures])
    below = np.array([figure.value - figure.low for figure in figures])
    above = np.array([figure.high - figure.value for figure in figures])
    value, count = float(values.mean()), len(figures)
    low, high = (float(np.sqrt((side**2).sum()) / count) for side in (below, above))
    return Figure(value, value - low, value + high, sum(figure.n for figure in figures))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: mean predicted probability, share that was so, how many."""

    predicted: float
    observed: float
    n: int


def reliability(probabilities: ArrayLike, outcomes: ArrayLike) -> tuple[Bin, ...]:
    """Bins of equal mass in the order of their probabilities; fewer than 15 where there are few cases."""
    said, was = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    order = np.argsort(said, kind="stable")
    bins = max(1, min(BINS, len(said) // LEAST_IN_A_BIN))
    return tuple(
        Bin(float(said[part].mean()), float(was[part].mean()), len(part)) for part in np.array_split(order, bins)
    )


def calibration_error(probabilities: ArrayLike, outcomes: ArrayLike) -> Figure:
    """Expected calibration error over bins of equal mass (Nguyen and O'Connor, 2015), percentile bootstrap interval.

    It is biased upwards: a perfectly calibrated score has an error above 0 over finitely many cases.
    """
    said, was = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    if not len(said):
        raise ValueError("the calibration of no cases is not known")
    noise = np.random.default_rng(0)
    drawn = (noise.integers(0, len(said), len(said)) for _ in range(RESAMPLES))
    resampled = [_error(said[rows], was[rows]) for rows in drawn]
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    value = _error(said, was)
    return Figure(value, min(float(low), value), max(float(high), value), len(said))


def roc(positive: ArrayLike, negative: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true positive rates as the threshold falls, from (0, 0) to (1, 1)."""
    above, below = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([above, below]))[::-1]])
    rates = [1 - np.searchsorted(np.sort(scores), thresholds, side="left") / len(scores) for scores in (below, above)]
    return rates[0], rates[1]


def threshold_at(negative: ArrayLike, false_positives: float) -> float:
    """The least threshold at which at most this share of `negative` scores reaches it (score >= threshold)."""
    below = np.sort(np.asarray(negative, np.float64))[::-1]
    allowed = int(np.floor(false_positives * len(below)))
    return float(np.nextafter(below[allowed], np.inf)) if allowed < len(below) else 0.0


def _variance(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _error(said: NDArray[np.float64], was: NDArray[np.float64]) -> float:
    return sum(one.n * abs(one.predicted - one.observed) for one in reliability(said, was)) / len(said)
