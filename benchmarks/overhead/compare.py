"""From times to what a part adds: the gateway with everything, less the one without that part.

Intervals (95 %) come of drawing again and again: starts of the gateways, and in each some of its images, the same ones
for both gateways; under load whole bursts, for their calls wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks import targets

EVERYTHING, NOTHING = "everything", "nothing"
CONTROL = "control"  # a second one with everything: what two processes differ by
ALL_PARTS, SAME = "all of them", "the same once more (noise)"

RESAMPLES = 1_000
MOST_US = 3_000.0  # of processor time, all parts together: a hundredth of what a card takes (out/bench/smoke.json)

Times = npt.NDArray[np.float64]  # two dimensions


def compared(
    wall: Mapping[str, Sequence[Sequence[float]]], cpu: Mapping[str, Sequence[Sequence[float]]], command: str
) -> Iterator[targets.Target]:
    """What each part adds to p50 and p99, in microseconds and as a ratio; and the calls themselves.

    Times are microseconds, by gateway, start and image.
    """
    for kind, by_name in (("wall", wall), ("processor", cpu)):
        times = {name: np.asarray(of) for name, of in by_name.items()}
        for q in (50, 99):
            for name in (EVERYTHING, NOTHING):
                took = float(np.percentile(times[name], q))
                yield targets.reported(f"{kind} p{q}, with {name}", took, "µs", command)
            for name in (*(each for each in times if each not in (EVERYTHING, NOTHING)), NOTHING):
                yield from _rows(times[EVERYTHING], times[name], name, kind, q, command)


def compared_under_load(bursts: Mapping[str, Sequence[Sequence[float]]], command: str) -> Iterator[targets.Target]:
    """The same for several callers at a time; times by gateway, burst and call."""
    times = {name: np.asarray(of) for name, of in bursts.items()}
    for q in (50, 99):
        for name, of in times.items():
            took = float(np.percentile(of, q))
            yield targets.reported(f"wall under load p{q}, with {name}", took, "µs", command)
        yield from _rows(times[EVERYTHING], times[NOTHING], NOTHING, "wall under load", q, command)


def _rows(full: Times, less: Times, without: str, kind: str, q: int, command: str) -> Iterator[targets.Target]:
    part = ALL_PARTS if without == NOTHING else SAME if without == CONTROL else without
    more = float(np.percentile(full, q) - np.percentile(less, q))
    drawn = np.asarray([np.percentile(each, q, axis=(1, 2)) for each in _drawn(full, less, whole="load" in kind)])
    low, high = np.percentile(drawn[0] - drawn[1], (2.5, 97.5))
    name = f"{kind} p{q}, more with {part}"
    if part == ALL_PARTS and kind == "processor" and q == 50:
        yield targets.at_most(name, more, MOST_US, "µs", command, low=float(low), high=float(high))
    else:
        yield targets.reported(name, more, "µs", command, low=float(low), high=float(high))
    ratio = float(np.percentile(full, q) / np.percentile(less, q))
    low, high = np.percentile(drawn[0] / drawn[1], (2.5, 97.5))
    yield targets.reported(
        f"{kind} p{q}, with {part} to without", ratio, "x", command, low=float(low), high=float(high)
    )


def _drawn(full: Times, less: Times, *, whole: bool) -> tuple[Times, Times]:
    """RESAMPLES times as many rows as there are, drawn, and of each row, unless `whole`, as many columns, drawn."""
    chance = np.random.default_rng(1)
    rows = chance.integers(0, full.shape[0], (RESAMPLES, full.shape[0], 1))
    columns = np.arange(full.shape[1])[None, None, :]
    if not whole:
        columns = chance.integers(0, full.shape[1], (RESAMPLES, *full.shape))
    return full[rows, columns], less[rows, columns]
