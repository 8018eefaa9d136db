"""How many images may be inside at once. Refuses early: a request that cannot be served soon costs nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """`bulk_images` is the streams' share of `images`, so that they never keep single requests out."""

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

    def resize(self, size: int) -> None:
        """Once the size in bytes is known. Raises GatepostError (RESOURCE_EXHAUSTED)."""
        self._admission.resize(self, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.leave(self)


class Admission:
    """Counts images and their bytes; belongs to one event loop."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self._limits = limits
        self._tickets: set[Ticket] = set()
        self._bytes = 0
        self._bulk = 0
        self._waiting: deque[tuple[int, asyncio.Future[Ticket]]] = deque()
        self._closed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def images(self) -> int:
        """How many images are inside."""
        return len(self._tickets)

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

    async def wait(self, size: int) -> Ticket:
        """A place for one image of a stream, in order of asking. Raises GatepostError (UNAVAILABLE, draining)."""
        self._check_open()
        if not self._waiting and self._fits(size, bulk=True):
            return self._admit(size, bulk=True)
        place: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, place))
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.leave(place.result())
            raise

    def resize(self, ticket: Ticket, size: int) -> None:
        """As Ticket.resize."""
        if self._bytes - ticket.size + size > self._limits.bytes and len(self._tickets) > 1:
            raise self._overloaded()
        self._bytes += size - ticket.size
        ticket.size = size
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
        for _, place in self._waiting:
            if not place.done():
                place.set_exception(draining())
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
            size, place = self._waiting[0]
            if not place.done() and not self._fits(size, bulk=True):
                return
            self._waiting.popleft()
            if not place.done():
                place.set_result(self._admit(size, bulk=True))

    def _overloaded(self) -> GatepostError:
        return GatepostError(
            ErrorCode.RESOURCE_EXHAUSTED,
            ErrorReason.OVERLOADED,
            "too many images are being judged at the moment",
            retry_after_s=self._limits.retry_after_s,
        )


def draining() -> GatepostError:
    """This gateway is about to stop; another one, or this one restarted, will answer."""
    return GatepostError(ErrorCode.UNAVAILABLE, ErrorReason.DRAINING, "the gateway is shutting down", retry_after_s=1.0)
