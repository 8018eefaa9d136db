"""From times to what a part adds: the gateway with everything, less the one without that part.

Intervals (95 %) come of drawing the images, or the bursts, again and again, the same ones for both gateways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks import targets

EVERYTHING, NOTHING = "everything", "nothing"
ALL_PARTS = "all of them"

RESAMPLES = 1_000
MOST_US = 3_000.0  # of processor time, all parts together: a hundredth of what a card takes (out/bench/smoke.json)

Times = npt.NDArray[np.float64]


def compared(
    wall: Mapping[str, Sequence[float]], cpu: Mapping[str, Sequence[float]], command: str
) -> Iterator[targets.Target]:
    """What each part adds to p50 and p99, in microseconds and as a ratio; and the calls themselves."""
    for kind, by_name in (("wall", wall), ("processor", cpu)):
        times = {name: np.asarray(of) for name, of in by_name.items()}
        for q in (50, 99):
            for name in (EVERYTHING, NOTHING):
                took = float(np.percentile(times[name], q))
                yield targets.reported(f"{kind} p{q}, with {name}", took, "µs", command)
            for name in (*(each for each in times if each not in (EVERYTHING, NOTHING)), NOTHING):
                yield from _rows(times[EVERYTHING], times[name], name, kind, q, command)


def compared_under_load(bursts: Mapping[str, Sequence[Sequence[float]]], command: str) -> Iterator[targets.Target]:
    """The same for several callers at a time; whole bursts are drawn, for calls of one burst wait for each other."""
    times = {name: np.asarray(of) for name, of in bursts.items()}
    for q in (50, 99):
        for name, of in times.items():
            took = float(np.percentile(of, q))
            yield targets.reported(f"wall under load p{q}, with {name}", took, "µs", command)
        yield from _rows(times[EVERYTHING], times[NOTHING], NOTHING, "wall under load", q, command)


def _rows(full: Times, less: Times, without: str, kind: str, q: int, command: str) -> Iterator[targets.Target]:
    part = ALL_PARTS if without == NOTHING else without

    def more(of_full: Times, of_less: Times) -> float:
        return float(np.percentile(of_full, q) - np.percentile(of_less, q))

    def ratio(of_full: Times, of_less: Times) -> float:
        return float(np.percentile(of_full, q) / np.percentile(of_less, q))

    low, high = _interval(more, full, less)
    name = f"{kind} p{q}, more with {part}"
    if part == ALL_PARTS and kind == "processor" and q == 50:
        yield targets.at_most(name, more(full, less), MOST_US, "µs", command, low=low, high=high)
    else:
        yield targets.reported(name, more(full, less), "µs", command, low=low, high=high)
    low, high = _interval(ratio, full, less)
    yield targets.reported(f"{kind} p{q}, with {part} to without", ratio(full, less), "x", command, low=low, high=high)


def _interval(figure: Callable[[Times, Times], float], full: Times, less: Times) -> tuple[float, float]:
    chance = np.random.default_rng(1)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = chance.integers(0, len(full), len(full))
        drawn.append(figure(full[chosen], less[chosen]))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)
