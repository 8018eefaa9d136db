"""From plan to better plan, for as long as there is time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gatepost_server.cli.tuning.plan import Plan
from gatepost_server.cli.tuning.race import Race

LEAST = 1.03  # what a challenger must gain: less is within what machines vary by
FULL = 0.95  # of the best rate: more calls at a time than reach this only wait longer


@dataclass(frozen=True, slots=True)
class Step:
    """One challenger, and how it did against the best plan so far."""

    plan: Plan
    race: Race
    won: bool


def climb(
    start: Plan,
    neighbours: Callable[[Plan], Iterable[Plan]],
    challenge: Callable[[Plan, Plan], Race],
    time_left: Callable[[], bool],
) -> Iterator[Step]:
    """Tries the neighbours of the best plan so far, no plan twice; a winner becomes the best at once.

    Ends when no neighbour is left that was not tried, or when there is no time left.
    """
    best, tried = start, {start}
    while (plan := next((each for each in neighbours(best) if each not in tried), None)) is not None and time_left():
        tried.add(plan)
        result = challenge(best, plan)
        won = result.won(LEAST)
        yield Step(plan, result, won)
        if won:
            best = plan


def enough_calls(rates: Mapping[int, float]) -> int:
    """The fewest calls at a time that give (nearly) the best rate; `rates` by calls at a time."""
    best = max(rates.values())
    return min(calls for calls, rate in rates.items() if rate >= FULL * best)


def places(calls: int, rate: float, deadline_s: float) -> int:
    """How many images to let in: as many as are judged in half the time that callers wait, and all that pay."""
    return max(calls, round(rate * deadline_s / 2))
