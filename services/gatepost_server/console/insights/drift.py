"""Whether the models' scores are what they were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.records.insights import Seen

QUANTILES = (0.5, 0.9, 0.99)

# Most scores are close to 0: equal bins would hold them all in the first.
_BINS = np.array([0.0, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, np.inf])
_NOTHING = [math.nan] * len(QUANTILES)
_MOVED, _MUCH = 0.1, 0.25  # the usual reading of the index (N. Siddiqi, Credit Risk Scorecards, 2006)


class Shift(StrEnum):
    """How far scores moved."""

    STEADY = "steady"
    MOVED = "moved"
    MUCH = "much"
    UNKNOWN = "unknown"  # too few to say


@dataclass(frozen=True, slots=True)
class Drift:
    """One category's scores. `quantiles` has a row for each stretch of time: NaN where there is nothing."""

    category: Category
    quantiles: NDArray[np.float64]  # (stretches, QUANTILES)
    index: float | None  # population stability index, the later half against the earlier one
    shift: Shift

    @property
    def highest(self) -> float:
        """The highest quantile of all; 0 where there is nothing."""
        return float(np.nanmax(self.quantiles, initial=0.0))


def drifts(samples: Sequence[Sequence[Seen]]) -> tuple[Drift, ...]:
    """Of every category, over samples of stretches of time in order."""
    return tuple(_drift(category, samples) for category in CATEGORIES)


def _drift(category: Category, samples: Sequence[Sequence[Seen]]) -> Drift:
    scores = [np.array([seen.scores[category] for seen in some if category in seen.scores]) for some in samples]
    quantiles = np.array([np.quantile(some, QUANTILES) if len(some) else _NOTHING for some in scores])
    half = len(scores) // 2
    index, shift = stability(np.concatenate([[], *scores[:half]]), np.concatenate([[], *scores[half:]]))
    return Drift(category, quantiles.reshape(len(samples), len(QUANTILES)), index, shift)


def stability(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[float | None, Shift]:
    """The population stability index of scores, and what it says.

    Small samples differ by chance: with b bins the index is then (1/n + 1/m) times chi-squared with b-1 degrees of
    freedom (B. Yurdakul, Statistical properties of population stability index, 2018), of which the 95 % quantile is
    taken by its normal approximation. UNKNOWN where that alone is as much as a move.
    """
    if not len(before) or not len(after):
        return None, Shift.UNKNOWN
    shares = []
    for scores in (before, after):
        counts = np.histogram(scores, _BINS)[0] + 0.5  # no bin is empty
        shares.append(counts / counts.sum())
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    free = len(_BINS) - 2
    chance = (1 / len(before) + 1 / len(after)) * (free + 1.645 * math.sqrt(2 * free))
    if index <= max(chance, _MOVED):
        return index, Shift.UNKNOWN if chance > _MUCH else Shift.STEADY
    return index, Shift.MUCH if index > _MUCH else Shift.MOVED
