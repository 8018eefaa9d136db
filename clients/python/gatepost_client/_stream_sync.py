"""Drives a StreamSession with threads: one of gRPC's sends, one of ours reads, the caller's does the rest."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import grpc

from gatepost.v1 import moderation_pb2
from gatepost_client._status import error_from_rpc
from gatepost_client._stream import StreamResult, StreamSession
from gatepost_client.images import ImageSource
from gatepost_client.requests import Item

FAREWELL = 1.0  # seconds

Requests = Iterator[moderation_pb2.ModerateStreamRequest]


class Call(Protocol):
    """A bidirectional gRPC call."""

    def __iter__(self) -> Iterator[moderation_pb2.ModerateStreamResponse]: ...
    def cancel(self) -> object: ...


@dataclass(frozen=True, slots=True)
class _News:
    """Something that a connection brought: an answer, or its end, well (both None) or not."""

    connection: _Connection
    answer: moderation_pb2.ModerateStreamResponse | None = None
    error: grpc.RpcError | None = None


class _Connection:
    """One call: what is sent to it is sent, what it brings is put into the inbox."""

    def __init__(self, start: Callable[[Requests], Call], inbox: queue.SimpleQueue[_News]) -> None:
        self._inbox = inbox
        # No longer than the session's window, for nothing else is ever put in.
        self._outbox: queue.SimpleQueue[moderation_pb2.ModerateStreamRequest | None] = queue.SimpleQueue()
        self._call = start(iter(self._outbox.get, None))
        self._reader = threading.Thread(target=self._read, name="gatepost-stream", daemon=True)
        self._reader.start()

    def send(self, request: moderation_pb2.ModerateStreamRequest) -> None:
        self._outbox.put(request)

    def finish(self) -> None:
        """Says that nothing more will come, and gives the server a moment to end the call in good order."""
        self._outbox.put(None)
        self._reader.join(FAREWELL)

    def close(self) -> None:
        self._call.cancel()
        self._outbox.put(None)  # lets gRPC's sending thread go

    def _read(self) -> None:
        try:
            for answer in self._call:
                self._inbox.put(_News(self, answer=answer))
            self._inbox.put(_News(self))
        except grpc.RpcError as error:
            self._inbox.put(_News(self, error=error))


def drive(
    session: StreamSession, items: Iterable[ImageSource | Item], start: Callable[[Requests], Call]
) -> Iterator[StreamResult]:
    """Hands out the results of `items` over calls made by `start`, which may break and be made anew."""
    source, more = iter(items), True
    inbox: queue.SimpleQueue[_News] = queue.SimpleQueue()
    connection: _Connection | None = None
    try:
        while True:
            took = False
            if more and session.has_room:
                try:
                    image = next(source)
                except StopIteration:
                    more = False
                else:
                    entry = session.take(image)
                    session.load(entry)
                    session.enter(entry, time.monotonic())
                    took = True
            for request in session.outgoing(time.monotonic()):
                connection = connection or _Connection(start, inbox)
                connection.send(request)
            yield from session.results()
            if not more and session.is_empty:
                if connection:
                    connection.finish()
                return
            # While items come in, look for news without waiting for them.
            patience = 0.0 if took or (more and session.has_room) else session.patience(time.monotonic())
            try:
                news = inbox.get(timeout=patience)
            except queue.Empty:
                if connection and session.has_stalled(time.monotonic()):
                    connection.close()
                    connection = None
                    session.stalled(time.monotonic())
                continue
            if news.connection is not connection:
                continue  # of a connection that was given up
            if news.answer is not None:
                session.answered(news.answer, time.monotonic())
            else:
                news.connection.close()
                connection = None
                session.broke(error_from_rpc(news.error, "") if news.error else None, time.monotonic())
    finally:
        if connection:
            connection.close()
