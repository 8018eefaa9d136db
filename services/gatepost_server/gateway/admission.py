"""How many images may be inside at once. Refuses early: a request that cannot be served soon costs nothing."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.scoring.base import Priority


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """`bulk_images` is the share of `images` for which nobody waits, so that they never keep the others out."""

    images: int = 32
    bulk_images: int = 24
    bytes: int = 256 << 20
    retry_after_s: float = 0.5


class Ticket:
    """One image's place inside. Left by `with`."""

    def __init__(self, admission: Admission, size: int, *, bulk: bool) -> None:
        self._admission = admission
        self.size = size
        self.bulk = bulk

    def known(self, size: int, priority: Priority) -> None:
        """Once the size in bytes and the urgency are known. Raises GatepostError (RESOURCE_EXHAUSTED)."""
        self._admission.known(self, size, bulk=is_bulk(priority))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.leave(self)


class Admission:
    """Counts images and their bytes; belongs to one event loop."""

    def __init__(self, limits: AdmissionLimits, *, waited: Callable[[float], None] = lambda _: None) -> None:
        """`waited` is told how long each image of a stream waited, in seconds."""
        self._limits = limits
        self._waited = waited
        self._tickets: set[Ticket] = set()
        self._bytes = 0
        self._bulk = 0
        self._waiting: list[_Waiter] = []  # a heap
        self._turn = itertools.count()
        self._closed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def images(self) -> int:
        """How many images are inside."""
        return len(self._tickets)

    @property
    def bytes(self) -> int:
        """How many bytes they have."""
        return self._bytes

    @property
    def waiting(self) -> int:
        """How many images of streams wait for a place."""
        return sum(not waiter.place.done() for waiter in self._waiting)

    @property
    def closed(self) -> asyncio.Event:
        """Set once the gateway drains."""
        return self._closed

    def enter(self, size: int = 0) -> Ticket:
        """A place for one image now. Raises GatepostError: RESOURCE_EXHAUSTED, or UNAVAILABLE while draining."""
        self._check_open()
        if not self._fits(size, bulk=False):
            raise self._overloaded()
        return self._admit(size, bulk=False)

    async def wait(self, size: int, priority: Priority = Priority.RESCAN) -> Ticket:
        """A place for one image of a stream: the most urgent first, among equals in order of asking.

        Raises GatepostError (UNAVAILABLE, draining).
        """
        self._check_open()
        asked = time.monotonic()
        place: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiter(priority, next(self._turn), size, place))
        self._hand_over()
        try:
            ticket = await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.leave(place.result())
            raise
        self._waited(time.monotonic() - asked)
        return ticket

    def known(self, ticket: Ticket, size: int, *, bulk: bool) -> None:
        """As Ticket.known."""
        alone = len(self._tickets) == 1
        if self._bytes - ticket.size + size > self._limits.bytes and not alone:
            raise self._overloaded()
        if bulk and not ticket.bulk and self._bulk >= self._limits.bulk_images and not alone:
            raise self._overloaded()
        self._bytes += size - ticket.size
        self._bulk += bulk - ticket.bulk
        ticket.size, ticket.bulk = size, bulk
        self._hand_over()

    def leave(self, ticket: Ticket) -> None:
        """Give a place back; the first that waits gets it."""
        self._tickets.discard(ticket)
        self._bytes -= ticket.size
        self._bulk -= ticket.bulk
        self._hand_over()
        if not self._tickets:
            self._empty.set()

    def close(self) -> None:
        """Let nobody in any more; those inside finish."""
        self._closed.set()
        for waiter in self._waiting:
            if not waiter.place.done():
                waiter.place.set_exception(draining())
        self._waiting.clear()

    async def emptied(self) -> None:
        """Return once nobody is inside."""
        await self._empty.wait()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise draining()

    def _fits(self, size: int, *, bulk: bool) -> bool:
        limits = self._limits
        if not self._tickets:
            return True  # one image alone always fits, whatever the byte limit
        return (
            len(self._tickets) < limits.images
            and (not bulk or self._bulk < limits.bulk_images)
            and self._bytes + size <= limits.bytes
        )

    def _admit(self, size: int, *, bulk: bool) -> Ticket:
        ticket = Ticket(self, size, bulk=bulk)
        self._tickets.add(ticket)
        self._bytes += size
        self._bulk += bulk
        self._empty.clear()
        return ticket

    def _hand_over(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            bulk = is_bulk(first.priority)
            if not first.place.done() and not self._fits(first.size, bulk=bulk):
                return
            heapq.heappop(self._waiting)
            if not first.place.done():
                first.place.set_result(self._admit(first.size, bulk=bulk))

    def _overloaded(self) -> GatepostError:
        return GatepostError(
            ErrorCode.RESOURCE_EXHAUSTED,
            ErrorReason.OVERLOADED,
            "too many images are being judged at the moment",
            retry_after_s=self._limits.retry_after_s,
        )


@dataclass(order=True, slots=True)
class _Waiter:
    priority: Priority
    turn: int
    size: int = field(compare=False)
    place: asyncio.Future[Ticket] = field(compare=False)


def is_bulk(priority: Priority) -> bool:
    """Whether nobody waits for it."""
    return priority is not Priority.INTERACTIVE


def draining() -> GatepostError:
    """This gateway is about to stop; another one, or this one restarted, will answer."""
    return GatepostError(ErrorCode.UNAVAILABLE, ErrorReason.DRAINING, "the gateway is shutting down", retry_after_s=1.0)
