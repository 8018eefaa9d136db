"""What the report says, read out of the shards one after another: memory does not grow with the job."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category, Decision
from gatepost_server.policy.evaluate import GRAVITY
from gatepost_server.rescan.job import Destination, Done
from gatepost_server.rescan.sink import read_shard

BINS = 20  # of a histogram, from 0 to 1
_COLUMNS = ["number", "id", "uri", "decision", "scores", "error", "duplicate_of"]
_EXAMPLES = 3  # of each error


@dataclass(frozen=True, slots=True, order=True)
class Offender:
    """One of the images that should be looked at first."""

    gravity: int
    score: float  # the highest of its categories
    number: int


@dataclass(slots=True)
class Gathered:
    """Counts over all rows. Histograms hold one count for each bin; duplicates count as often as they are there."""

    histograms: dict[Category, NDArray[np.int64]] = field(
        default_factory=lambda: {category: np.zeros(BINS, np.int64) for category in CATEGORIES}
    )
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)  # uris by error
    worst: list[Offender] = field(default_factory=list)  # the worst first


def gather(destination: Destination, done: Sequence[Done], *, worst: int) -> Gathered:
    """Reads every shard once, a few columns of it. Raises SourceError, CredentialsError."""
    found = Gathered()
    heap: list[Offender] = []
    for each in done:
        rows = read_shard(destination, each.shard, _COLUMNS)
        scores = _count_scores(found, rows)
        _count_errors(found, rows)
        for offender in _offenders(rows, scores):
            heapq.heappush(heap, offender) if len(heap) < worst else heapq.heappushpop(heap, offender)
    found.worst = sorted(heap, reverse=True)
    return found


def _count_scores(found: Gathered, rows: pa.Table) -> NDArray[np.float64]:
    """Every row's scores, shape (rows, categories), NaN where there are none."""
    table = np.full((len(rows), len(CATEGORIES)), np.nan)
    scores = rows["scores"].combine_chunks()
    for place, category in enumerate(CATEGORIES):
        table[:, place] = scores.field(category.value).to_numpy(zero_copy_only=False)
        table[~scores.is_valid().to_numpy(zero_copy_only=False), place] = np.nan
        counts, _ = np.histogram(table[:, place], BINS, (0.0, 1.0))
        found.histograms[category] += counts
    return table


def _count_errors(found: Gathered, rows: pa.Table) -> None:
    failed = rows.filter(rows["error"].is_valid())
    for error, uri in zip(failed["error"].to_pylist(), failed["uri"].to_pylist(), strict=True):
        found.errors[error["reason"]] += 1
        examples = found.examples.setdefault(error["reason"], [])
        if len(examples) < _EXAMPLES:
            examples.append(uri)


def _offenders(rows: pa.Table, scores: NDArray[np.float64]) -> list[Offender]:
    judged: list[Any] = rows["decision"].to_pylist()
    single = rows["duplicate_of"].is_null().to_pylist()
    numbers = rows["number"].to_pylist()
    return [
        Offender(GRAVITY[Decision(decision)], float(np.nanmax(scores[place])), numbers[place])
        for place, decision in enumerate(judged)
        if decision not in (None, Decision.ALLOW) and single[place] and not np.isnan(scores[place]).all()
    ]
