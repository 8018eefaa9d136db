"""A Scorer that keeps the models' batches free for whoever waits.

Triton's priorities order its queues, and no more: a batch that runs is not interrupted, and a batch with one urgent
image is filled up with others. Where a batch of eight takes eight times as long as one image (any CPU), an urgent
image would wait for as many as are inside. So only a few are, for which nobody waits; the others queue here. While
an urgent image is inside hardly any image of a re-scan begins, but some always do: a steady load must not stop it for
good.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.scoring.base import Priority, Scorer


@dataclass(order=True, slots=True)
class _Waiter:
    priority: Priority
    turn: int
    place: asyncio.Future[None] = field(compare=False)


class PacedScorer:
    """Lets interactive images through at once, and at most `places` of all others: the more urgent first.

    While an interactive image is inside, one of a re-scan begins only where fewer than `beside` are inside, or
    `patience_s` seconds after the last one began. Belongs to one event loop.
    """

    def __init__(
        self,
        scorer: Scorer,
        *,
        places: int,
        beside: int = 0,
        patience_s: float = 5.0,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`waited` is told how long each image waited for its turn, in seconds."""
        self._scorer = scorer
        self._waited = waited
        self._places = places
        self._beside = beside
        self._patience_s = patience_s
        self._inside = 0  # of those for which nobody waits
        self._urgent = 0
        self._begun = time.monotonic()  # when the last one for which nobody waits was let in
        self._look_again: asyncio.TimerHandle | None = None
        self._waiting: list[_Waiter] = []  # a heap
        self._turn = itertools.count()

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score; the time that an image waits here is part of its own."""
        if priority is Priority.INTERACTIVE:
            self._urgent += 1
            try:
                return await self._scorer.score(request, timeout_s=timeout_s, priority=priority)
            finally:
                self._urgent -= 1
                self._hand_over()
        started = time.monotonic()
        await self._enter(timeout_s, priority)
        try:
            waited_s = time.monotonic() - started
            self._waited(waited_s)
            left_s = timeout_s - waited_s
            return await self._scorer.score(request, timeout_s=left_s, priority=priority)
        finally:
            self._leave()

    async def ready(self) -> bool:
        """As Scorer.ready."""
        return await self._scorer.ready()

    async def close(self) -> None:
        """As Scorer.close."""
        await self._scorer.close()

    async def _enter(self, timeout_s: float, priority: Priority) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiter(priority, next(self._turn), place))
        self._hand_over()
        try:
            await asyncio.wait({place}, timeout=max(0.0, timeout_s))
        except asyncio.CancelledError:
            self._give_up(place)
            raise
        if not place.done():
            self._give_up(place)
            raise GatepostError(
                ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "the deadline passed before it was the image's turn"
            )

    def _give_up(self, place: asyncio.Future[None]) -> None:
        if place.done():
            self._leave()
        else:
            place.cancel()  # _hand_over passes over it

    def _leave(self) -> None:
        self._inside -= 1
        self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting and (self._waiting[0].place.done() or self._may_begin(self._waiting[0].priority)):
            first = heapq.heappop(self._waiting)
            if not first.place.done():
                self._inside += 1
                self._begun = time.monotonic()
                first.place.set_result(None)

    def _may_begin(self, priority: Priority) -> bool:
        if self._inside >= self._places:
            return False
        if not self._urgent or priority is not Priority.RESCAN or self._inside < self._beside:
            return True
        left_s = self._begun + self._patience_s - time.monotonic()
        if left_s > 0.0 and (self._look_again is None or self._look_again.when() <= asyncio.get_running_loop().time()):
            self._look_again = asyncio.get_running_loop().call_later(left_s, self._hand_over)
        return left_s <= 0.0
