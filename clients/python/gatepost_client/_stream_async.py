"""Drives a StreamSession with tasks: one takes items in, one for each connection reads, the caller's does the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import grpc

from gatepost.v1 import moderation_pb2
from gatepost_client._status import error_from_rpc
from gatepost_client._stream import OpenItem, StreamResult, StreamSession
from gatepost_client.images import ImageSource
from gatepost_client.requests import Item

FAREWELL = 1.0  # seconds

Images = AsyncIterable[ImageSource | Item] | Iterable[ImageSource | Item]
Requests = AsyncIterator[moderation_pb2.ModerateStreamRequest]


class Call(Protocol):
    """A bidirectional gRPC call."""

    def __aiter__(self) -> AsyncIterator[moderation_pb2.ModerateStreamResponse]: ...
    def cancel(self) -> object: ...


@dataclass(frozen=True, slots=True)
class _News:
    """Something that a connection brought: an answer, or its end, well (both None) or not."""

    connection: _Connection
    answer: moderation_pb2.ModerateStreamResponse | None = None
    error: grpc.RpcError | None = None


class _Connection:
    """One call: what is sent to it is sent, what it brings is put into the inbox."""

    def __init__(self, start: Callable[[Requests], Call], inbox: asyncio.Queue[_News]) -> None:
        self._inbox = inbox
        # No longer than the session's window, for nothing else is ever put in.
        self._outbox: asyncio.Queue[moderation_pb2.ModerateStreamRequest | None] = asyncio.Queue()
        self._call = start(self._requests())
        self._reader = asyncio.create_task(self._read(), name="gatepost-stream")

    def send(self, request: moderation_pb2.ModerateStreamRequest) -> None:
        self._outbox.put_nowait(request)

    async def finish(self) -> None:
        """Says that nothing more will come, and gives the server a moment to end the call in good order."""
        self._outbox.put_nowait(None)
        await asyncio.wait({self._reader}, timeout=FAREWELL)

    def close(self) -> None:
        self._call.cancel()
        self._reader.cancel()

    async def _requests(self) -> Requests:
        while (request := await self._outbox.get()) is not None:
            yield request

    async def _read(self) -> None:
        try:
            async for answer in self._call:
                self._inbox.put_nowait(_News(self, answer=answer))
            self._inbox.put_nowait(_News(self))
        except grpc.RpcError as error:
            self._inbox.put_nowait(_News(self, error=error))


async def drive(
    session: StreamSession, items: Images, start: Callable[[Requests], Call]
) -> AsyncIterator[StreamResult]:
    """Hands out the results of `items` over calls made by `start`, which may break and be made anew."""
    source, more = _asynchronous(items), True
    inbox: asyncio.Queue[_News] = asyncio.Queue()
    connection: _Connection | None = None
    taking: asyncio.Task[OpenItem | None] | None = None
    hearing: asyncio.Task[_News] | None = None
    try:
        while True:
            if taking is not None and taking.done():
                entry, taking = taking.result(), None
                if entry is None:
                    more = False
                else:
                    session.enter(entry, time.monotonic())
            for request in session.outgoing(time.monotonic()):
                connection = connection or _Connection(start, inbox)
                connection.send(request)
            for result in session.results():
                yield result
            if not more and session.is_empty:
                if connection:
                    await connection.finish()
                return
            if taking is None and more and session.has_room:
                taking = asyncio.create_task(_take(session, source))
            hearing = hearing or asyncio.create_task(inbox.get())
            await asyncio.wait(
                {hearing, taking} if taking else {hearing},
                timeout=session.patience(time.monotonic()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not hearing.done():
                if connection and session.has_stalled(time.monotonic()):
                    connection.close()
                    connection = None
                    session.stalled(time.monotonic())
                continue
            news, hearing = hearing.result(), None
            if news.connection is not connection:
                continue  # of a connection that was given up
            if news.answer is not None:
                session.answered(news.answer, time.monotonic())
            else:
                news.connection.close()
                connection = None
                session.broke(error_from_rpc(news.error, "") if news.error else None, time.monotonic())
    finally:
        for task in (taking, hearing):
            if task:
                task.cancel()
        if connection:
            connection.close()


async def _take(session: StreamSession, source: AsyncIterator[ImageSource | Item]) -> OpenItem | None:
    """The next item, loaded; None at the end of the input."""
    try:
        image = await anext(source)
    except StopAsyncIteration:
        return None
    entry = session.take(image)
    if isinstance(entry.item.image, bytes):
        session.load(entry)
    else:  # a file to read or pixels to encode: not on the event loop
        await asyncio.to_thread(session.load, entry)
    return entry


async def _asynchronous(items: Images) -> AsyncIterator[ImageSource | Item]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
