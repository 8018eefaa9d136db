"""How much may be asked of each gateway at a time: more while it answers, less as soon as it says that it is too much.

Additive increase, multiplicative decrease (Chiu and Jain 1989), the way TCP shares a line: several re-scans and the
gateway's other callers find their shares without knowing of each other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_REST_S = (0.2, 5.0)  # after a failure; doubled with each in a row


@dataclass(slots=True, eq=False)
class Lane:
    """The way to one gateway."""

    name: str
    most: int
    limit: float = 1.0
    out: int = 0  # questions asked and not answered
    resting_until: float = 0.0
    failures: int = 0  # in a row
    slowed: float = field(default=float("-inf"))

    def has_room(self, now: float) -> bool:
        """Whether another question may be asked now; one at a time always may once the rest is over."""
        return now >= self.resting_until and self.out < max(1, int(self.limit))


class Lanes:
    """Hands out the ways to gateways. Belongs to one event loop."""

    def __init__(self, names: Sequence[str], *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes = [Lane(name, most, limit=min(2.0, most)) for name in names]
        self._changed = asyncio.Condition()
        self.last_success = clock()

    @property
    def lanes(self) -> Sequence[Lane]:
        """All of them, in the order of the names."""
        return self._lanes

    async def enter(self, within_s: float) -> tuple[Lane, float] | None:
        """The way with the most room, and when it was entered; None where none has any within this time."""
        deadline = self._clock() + within_s
        async with self._changed:
            while True:
                now = self._clock()
                free = [lane for lane in self._lanes if lane.has_room(now)]
                if free:
                    lane = min(free, key=lambda each: each.out / each.limit)
                    lane.out += 1
                    return lane, now
                if now >= deadline:
                    return None
                resting = [lane.resting_until for lane in self._lanes if lane.resting_until > now]
                patience = min([deadline, *resting]) - now
                try:
                    await asyncio.wait_for(self._changed.wait(), max(0.001, patience))
                except TimeoutError:
                    continue

    async def leave(self, lane: Lane) -> None:
        """The question is answered, one way or the other."""
        async with self._changed:
            lane.out -= 1
            self._changed.notify_all()

    def went_well(self, lane: Lane) -> None:
        """An answer: there may be room for more."""
        self.last_success = self._clock()
        lane.failures = 0
        lane.limit = min(float(lane.most), lane.limit + 1.0 / lane.limit)

    def too_much(self, lane: Lane, entered: float, *, rest_s: float = 0.0) -> None:
        """The gateway has no room. What was asked before it was slowed down says nothing new."""
        now = self._clock()
        if entered >= lane.slowed:
            lane.limit = max(1.0, lane.limit / 2)
            lane.slowed = now
        lane.resting_until = max(lane.resting_until, now + rest_s)

    def away(self, lane: Lane, entered: float) -> None:
        """The gateway does not answer: try again after a while, with few questions."""
        if entered >= lane.slowed:
            lane.failures += 1
        self.too_much(lane, entered, rest_s=min(_REST_S[1], _REST_S[0] * 2 ** min(lane.failures, 8)))
