"""One run of `gatepostd tune`, from the defaults to what suits the machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from gatepost_server.cli.tuning.plan import Plan, neighbours
from gatepost_server.cli.tuning.race import Race, Turn, race
from gatepost_server.cli.tuning.search import LEAST, climb, enough_calls, places

PAIRS, LAST_PAIRS = 3, 5
CALLS = (1, 2, 4, 8, 16, 32, 64)  # at a time
ROUNDS = 2  # of these


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long to look and how far. `deadline_s` is how long callers wait for a verdict."""

    minutes: float
    turn_s: float
    deadline_s: float
    cores: int


@dataclass(frozen=True, slots=True)
class Found:
    """What suits the machine. `gain` is over the defaults, None where they suit it best."""

    plan: Plan
    gain: Race | None
    rates: dict[int, float]  # images a second by calls at a time
    calls: int  # the fewest that give it all
    places: int  # images to let in


class Runner(Protocol):
    """Judges images with some plan."""

    def rate(self, calls: int, seconds: float) -> float:
        """Images a second with `calls` at a time, over about `seconds`."""
        ...


Start = Callable[[Plan], AbstractContextManager[Runner]]
Tell = Callable[[str, float], None]  # a line, and the share of the time that is gone


class _Best:
    """The best plan so far, which runs all the while."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.plan = Plan()
        self.runner: Runner

    def become(self, plan: Plan, runner: Runner, stack: ExitStack) -> None:
        """Let go of the one before; `stack` ends the new one."""
        self._stack.close()
        self.plan, self.runner, self._stack = plan, runner, stack

    def close(self) -> None:
        self._stack.close()


def tune(start: Start, bounds: Bounds, tell: Tell, clock: Callable[[], float] = time.monotonic) -> Found:
    """Search, hold the best against the defaults once more, and find how many calls at a time it wants.

    `start` gives a running plan; two run at a time. Raises what that raises.
    """
    calls = max(8, 4 * bounds.cores)  # so that no core waits for its next image

    def turn(runner: Runner) -> Turn:
        return lambda: runner.rate(calls, bounds.turn_s)

    with closing(_Best()) as best:
        _switch(best, Plan(), start)
        begun, available_s = clock(), 60.0 * bounds.minutes

        def say(line: str) -> None:
            tell(line, min(1.0, (clock() - begun) / available_s))

        say(f"the defaults: {best.runner.rate(calls, bounds.turn_s):.3g} images/s, {calls} at a time")

        def challenge(_: Plan, plan: Plan) -> Race:
            with ExitStack() as stack:
                challenger = stack.enter_context(start(plan))
                result = race(turn(best.runner), turn(challenger), PAIRS)
                if result.won(LEAST):
                    best.become(plan, challenger, stack.pop_all())
            return result

        for step in climb(
            best.plan, lambda plan: neighbours(plan, bounds.cores), challenge, lambda: clock() - begun < available_s
        ):
            say(f"{step.race} {'better' if step.won else 'no'}: {step.plan}")
        gain = None
        if best.plan != Plan():
            with start(Plan()) as defaults:
                gain = race(turn(defaults), turn(best.runner), LAST_PAIRS)
            say(f"{gain} the best, once more beside the defaults: {best.plan}")
            if not gain.won(LEAST):
                gain = None
                _switch(best, Plan(), start)
        rates = _rates(best.runner, bounds.turn_s)
    few = enough_calls(rates)
    return Found(best.plan, gain, rates, few, places(few, rates[few], bounds.deadline_s))


def _switch(best: _Best, plan: Plan, start: Start) -> None:
    with ExitStack() as stack:
        runner = stack.enter_context(start(plan))
        best.become(plan, runner, stack.pop_all())


def _rates(runner: Runner, seconds: float) -> dict[int, float]:
    rounds: Sequence[dict[int, float]] = [
        {calls: runner.rate(calls, seconds) for calls in CALLS} for _ in range(ROUNDS)
    ]
    return {calls: median(each[calls] for each in rounds) for calls in CALLS}
