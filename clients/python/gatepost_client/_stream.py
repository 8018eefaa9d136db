"""One moderate_stream(), without its input and output: what is open, what to send when, what to hand out.

Both clients drive the same object: they take items from the caller, send what `outgoing` gives, and tell
it of answers, broken connections and silence. Time comes in as an argument.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc

from gatepost.v1 import moderation_pb2
from gatepost_client._answers import verdict_of
from gatepost_client._retry import RetryPolicy
from gatepost_client._status import error_from_stream
from gatepost_client.errors import DeadlineExceeded, GatepostError, InvalidRequest, Unavailable
from gatepost_client.images import ImageSource
from gatepost_client.requests import Item, build_request, check_item, new_request_id
from gatepost_client.verdict import Verdict


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What became of one image of a stream: a verdict or an error, never both."""

    index: int  # place in the input, from 0
    item: Item
    request_id: str
    verdict: Verdict | None = None
    error: GatepostError | None = None

    @property
    def allowed(self) -> bool:
        """Whether the image may be shown."""
        return self.verdict is not None and self.verdict.allowed


@dataclass(slots=True)
class OpenItem:
    """An item that was taken and not yet handed out."""

    index: int
    item: Item
    request_id: str
    request: moderation_pb2.ModerateRequest | None = None
    attempts: int = 0
    result: StreamResult | None = None


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much a stream may hold and how long it waits.

    window: images taken from the input and not yet handed out, at most.
    ordered: hand results out in the order of the input.
    stall_timeout: seconds without any answer after which the stream counts as dead.
    """

    window: int
    ordered: bool
    stall_timeout: float

    def __post_init__(self) -> None:
        if self.window < 1 or self.stall_timeout <= 0:
            raise ValueError("window must be at least 1, stall_timeout positive")


class StreamSession:
    """The book of one stream."""

    def __init__(
        self, limits: StreamLimits, retry: RetryPolicy, max_message_bytes: int, dice: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._retry = retry
        self._max_message_bytes = max_message_bytes
        self._dice = dice
        self._open: dict[int, OpenItem] = {}
        self._in_flight: dict[str, OpenItem] = {}
        self._due: list[tuple[float, int]] = []  # heap of (when, index) to be sent
        self._last_progress = 0.0
        self._indices = itertools.count()

    @property
    def has_room(self) -> bool:
        """Whether another item may be taken."""
        return len(self._open) < self._limits.window

    @property
    def is_empty(self) -> bool:
        """Whether everything that was taken has been handed out."""
        return not self._open

    def take(self, image: ImageSource | Item) -> OpenItem:
        """Takes the next item; `load` and `enter` come after.

        Errors: TypeError or ValueError for arguments that no server could take.
        """
        item = image if isinstance(image, Item) else Item(image)
        check_item(item)
        entry = OpenItem(next(self._indices), item, item.request_id or new_request_id())
        if any(other.request_id == entry.request_id for other in self._open.values()):
            self._finish(entry, error=_duplicate(entry.request_id))
        self._open[entry.index] = entry
        return entry

    def load(self, entry: OpenItem) -> None:
        """Reads and encodes the item's image; touches nothing but `entry`, so any thread may do it."""
        if entry.result is not None:
            return
        try:
            entry.request = build_request(
                entry.item, request_id=entry.request_id, max_message_bytes=self._max_message_bytes
            )
        except GatepostError as error:
            error.request_id = entry.request_id
            self._finish(entry, error=error.detached())

    def enter(self, entry: OpenItem, now: float) -> None:
        """Makes what was loaded ready to be sent."""
        if entry.result is None:
            heapq.heappush(self._due, (now, entry.index))

    def outgoing(self, now: float) -> Iterator[moderation_pb2.ModerateStreamRequest]:
        """The requests to send now."""
        while self._due and self._due[0][0] <= now:
            entry = self._open[heapq.heappop(self._due)[1]]
            if not self._in_flight:
                self._last_progress = now
            entry.attempts += 1
            self._in_flight[entry.request_id] = entry
            yield moderation_pb2.ModerateStreamRequest(request=entry.request)

    def patience(self, now: float) -> float | None:
        """Seconds until there is something to do without news: a request to send, or silence to end. None: never."""
        due = self._due[0][0] if self._due else math.inf
        stalled = self._last_progress + self._limits.stall_timeout if self._in_flight else math.inf
        soonest = min(due, stalled)
        return None if math.isinf(soonest) else max(0.0, soonest - now)

    def has_stalled(self, now: float) -> bool:
        """Whether the server owes answers and has been silent for too long."""
        return bool(self._in_flight) and now >= self._last_progress + self._limits.stall_timeout

    def answered(self, response: moderation_pb2.ModerateStreamResponse, now: float) -> None:
        """Books an answer. One that nobody waits for is dropped: its request was given up or never made."""
        self._last_progress = now
        entry = self._in_flight.pop(response.request_id, None)
        if entry is None:
            return
        if response.HasField("error"):
            self._failed(entry, error_from_stream(response.error, entry.request_id), now)
            return
        try:
            self._finish(entry, verdict=verdict_of(response, entry.request_id))
        except GatepostError as error:
            self._finish(entry, error=error)

    def broke(self, error: GatepostError | None, now: float) -> None:
        """Books the end of a connection: what was in flight is sent again, or has failed. None: it ended well."""
        error = error or Unavailable(
            "the server ended the stream without answering", reason="STREAM_ENDED", code=grpc.StatusCode.UNAVAILABLE
        )
        entries, self._in_flight = list(self._in_flight.values()), {}
        for entry in entries:
            own = copy.copy(error)
            own.request_id = entry.request_id
            self._failed(entry, own, now)

    def stalled(self, now: float) -> None:
        """Books a silence that was too long."""
        message = f"no answer for {self._limits.stall_timeout:g} s"
        self.broke(DeadlineExceeded(message, reason="STALLED", code=grpc.StatusCode.DEADLINE_EXCEEDED), now)

    def results(self) -> Iterator[StreamResult]:
        """The results that may be handed out now; each makes room for another item."""
        for index in list(self._open):  # in the order of the input
            result = self._open[index].result
            if result is not None:
                del self._open[index]
                yield result
            elif self._limits.ordered:
                return

    def _failed(self, entry: OpenItem, error: GatepostError, now: float) -> None:
        delay = self._retry.delay(error, attempts=entry.attempts, left=math.inf, dice=self._dice())
        if delay is None:
            self._finish(entry, error=error)
        else:
            heapq.heappush(self._due, (now + delay, entry.index))

    def _finish(self, entry: OpenItem, *, verdict: Verdict | None = None, error: GatepostError | None = None) -> None:
        entry.request = None  # the encoded image is the greater part of what a stream holds
        entry.result = StreamResult(entry.index, entry.item, entry.request_id, verdict, error)


def _duplicate(request_id: str) -> InvalidRequest:
    return InvalidRequest(
        "another image of this stream bears the same id and is not yet answered",
        reason="REQUEST_ID_DUPLICATE",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        field="request_id",
        request_id=request_id,
    )
