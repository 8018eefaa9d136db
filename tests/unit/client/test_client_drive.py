"""How a stream's call is ended: in good order when all is answered, by cancelling when the caller leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

from gatepost.v1 import moderation_pb2
from gatepost_client import _stream_async, _stream_sync
from gatepost_client._retry import RetryPolicy
from gatepost_client._stream import StreamLimits, StreamSession
from gatepost_client.testing import verdict

IMAGES = [b"image"] * 3


def session() -> StreamSession:
    limits = StreamLimits(window=2, ordered=False, stall_timeout=10.0)
    return StreamSession(limits, RetryPolicy(), 10**6, lambda: 1.0)


def answer_to(request: moderation_pb2.ModerateStreamRequest) -> moderation_pb2.ModerateStreamResponse:
    message = verdict()
    message.request_id = request.request.request_id
    return moderation_pb2.ModerateStreamResponse(request_id=message.request_id, verdict=message)


class BlockingCall:
    """Answers each request, ends when they end, and notes which of that and cancelling came first."""

    def __init__(self, requests: Iterator[moderation_pb2.ModerateStreamRequest]) -> None:
        self._requests = requests
        self.events: list[str] = []
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[moderation_pb2.ModerateStreamResponse]:
        yield from map(answer_to, self._requests)
        self.events.append("ended")
        self.ended.set()

    def cancel(self) -> None:
        self.events.append("cancelled")


class AsyncCall:
    """As BlockingCall."""

    def __init__(self, requests: AsyncIterator[moderation_pb2.ModerateStreamRequest]) -> None:
        self._requests = requests
        self.events: list[str] = []

    async def __aiter__(self) -> AsyncIterator[moderation_pb2.ModerateStreamResponse]:
        async for request in self._requests:
            yield answer_to(request)
        self.events.append("ended")

    def cancel(self) -> None:
        self.events.append("cancelled")


def test_a_blocking_stream_that_is_done_ends_its_call_before_it_lets_go() -> None:
    calls: list[BlockingCall] = []

    def start(requests: Iterator[moderation_pb2.ModerateStreamRequest]) -> BlockingCall:
        calls.append(BlockingCall(requests))
        return calls[-1]

    results = list(_stream_sync.drive(session(), IMAGES, start))
    assert [result.allowed for result in results] == [True] * 3
    assert [call.events for call in calls] == [["ended", "cancelled"]]


def test_a_blocking_stream_that_is_left_cancels_its_call_first() -> None:
    calls: list[BlockingCall] = []

    def start(requests: Iterator[moderation_pb2.ModerateStreamRequest]) -> BlockingCall:
        calls.append(BlockingCall(requests))
        return calls[-1]

    stream = _stream_sync.drive(session(), IMAGES, start)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert calls[0].ended.wait(10)  # the sending thread is let go as well
    assert calls[0].events == ["cancelled", "ended"]


async def test_an_async_stream_that_is_done_ends_its_call_before_it_lets_go() -> None:
    calls: list[AsyncCall] = []

    def start(requests: AsyncIterator[moderation_pb2.ModerateStreamRequest]) -> AsyncCall:
        calls.append(AsyncCall(requests))
        return calls[-1]

    results = [result async for result in _stream_async.drive(session(), IMAGES, start)]
    assert [result.allowed for result in results] == [True] * 3
    assert [call.events for call in calls] == [["ended", "cancelled"]]


async def test_an_async_stream_that_is_left_cancels_its_call_and_leaves_no_task() -> None:
    calls: list[AsyncCall] = []

    def start(requests: AsyncIterator[moderation_pb2.ModerateStreamRequest]) -> AsyncCall:
        calls.append(AsyncCall(requests))
        return calls[-1]

    stream = _stream_async.drive(session(), IMAGES, start)
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    await asyncio.sleep(0.05)
    assert calls[0].events == ["cancelled"]
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
