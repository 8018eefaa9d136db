"""Who comes when: a steady stream with a burst, and callers who come again as soon as they have their verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.simulation.fleet import Fleet, Seen, Steps

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Images a second over time: `base`, and `peak` from `begins` for `lasts` seconds; all ends at `ends`."""

    base: float
    peak: float
    begins: float = 180.0
    lasts: float = 120.0
    ends: float = 480.0

    def rate(self, now: float) -> float:
        """Images a second at a moment."""
        return self.peak if self.inside(now) else self.base

    def inside(self, now: float) -> bool:
        """Whether it is the burst."""
        return self.begins <= now < self.begins + self.lasts


def open_loop(fleet: Fleet, burst: Burst) -> Sequence[Seen]:
    """Images come whether or not there is room: a Poisson process, thinned (Lewis and Shedler, 1979)."""
    world, chance = fleet.world, fleet.chance
    most = max(burst.base, burst.peak)

    def arrivals() -> Steps:
        while True:
            yield world.timeout(chance.expovariate(most))
            if world.now >= burst.ends:
                return
            if chance.random() * most < burst.rate(world.now):
                world.process(fleet.call())

    world.process(arrivals())
    world.run()
    return fleet.seen


def closed_loop(fleet: Fleet, callers: int, seconds: float) -> Sequence[Seen]:
    """So many callers, each with one image at a time, as in `make bench PART=latency`.

    For fleets that have room for all of them: who is refused for good would ask again in the same moment.
    """
    world = fleet.world

    def caller() -> Steps:
        while world.now < seconds:
            yield world.process(fleet.call())

    for _ in range(callers):
        world.process(caller())
    world.run()
    return fleet.seen
