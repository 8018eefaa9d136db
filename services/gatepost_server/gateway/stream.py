"""One ModerateStream: reads only what it has room for, answers as answers come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost_server.domain.errors import ErrorReason, GatepostError, invalid
from gatepost_server.gateway.admission import Admission, Ticket, draining
from gatepost_server.gateway.wire import priority_from_wire
from gatepost_server.scoring.base import Priority

Incoming = wire.ModerateStreamRequest | GatepostError
Read = Callable[[], Awaitable[Any]]  # the next Incoming, or grpc.aio.EOF
Judge = Callable[[wire.ModerateRequest], Awaitable[wire.ModerateStreamResponse]]
Refuse = Callable[[GatepostError, wire.ModerateRequest], wire.ModerateStreamResponse]
Write = Callable[[wire.ModerateStreamResponse], Awaitable[None]]


class ModerationStream:
    """Lives as long as its call.

    A request takes a place in the window before it is read and leaves it when its answer is written, so a
    client that does not read its answers stops being read. A place inside (admission) is waited for before
    the next request is read, so a stream holds at most one image that is not admitted.
    """

    def __init__(
        self,
        *,
        read: Read,
        judge: Judge,
        refuse: Refuse,
        write: Write,
        admission: Admission,
        allowed: Callable[[], Awaitable[None]],
        window: int,
        reserve: int,
    ) -> None:
        """`judge` never raises GatepostError; `allowed` returns once one more image may be sent, or raises it.

        `reserve` is the size to count for an image given by URI.
        """
        self._read = read
        self._judge = judge
        self._refuse = refuse
        self._write = write
        self._admission = admission
        self._allowed = allowed
        self._window = asyncio.Semaphore(window)
        self._reserve = reserve
        self._writing = asyncio.Lock()
        self._unanswered: set[str] = set()

    async def run(self) -> None:
        """Answer every request, then return; also when the client is gone, which cancels its work.

        Raises GatepostError (draining) once those inside are answered.
        """
        try:
            await self._serve()
        except ExceptionGroup as group:
            if group.split(grpc.aio.InternalError)[1] is not None:
                raise
            return  # answers could not be written any more
        if self._admission.closed.is_set():
            raise draining()

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as answers:
            drained = False
            while not drained:
                await self._window.acquire()
                message = await self._next()
                if message is None:
                    break
                drained = await self._take(message, answers)

    async def _next(self) -> Incoming | None:
        """The next request; None at the client's end and when the gateway drains."""
        reading = asyncio.ensure_future(self._read())
        closing = asyncio.ensure_future(self._admission.closed.wait())
        try:
            await asyncio.wait({reading, closing}, return_when=asyncio.FIRST_COMPLETED)
            message = reading.result() if reading.done() else None
            return None if message is grpc.aio.EOF else message  # type: ignore[attr-defined] # missing in the stubs
        finally:
            reading.cancel()
            closing.cancel()

    async def _take(self, message: Incoming, answers: asyncio.TaskGroup) -> bool:
        """Start judging one request, or refuse it. True when the gateway drains."""
        request = wire.ModerateRequest() if isinstance(message, GatepostError) else message.request
        try:
            if isinstance(message, GatepostError):
                raise message
            self._check_id(request.request_id)
            await self._allowed()
            ticket = await self._admission.wait(
                self._reserve if request.image_uri else len(request.image),
                priority_from_wire(request, default=Priority.RESCAN),
            )
        except GatepostError as error:
            answers.create_task(self._send(self._refuse(error, request)))
            return error.reason is ErrorReason.DRAINING
        self._unanswered.add(request.request_id)
        answers.create_task(self._answer(request, ticket))
        return False

    def _check_id(self, request_id: str) -> None:
        if not request_id:
            raise invalid(ErrorReason.FIELD_INVALID, "request_id is required in a stream", field="request_id")
        if request_id in self._unanswered:
            raise invalid(
                ErrorReason.REQUEST_ID_DUPLICATE,
                "another request of this stream has this request_id and is not answered yet",
                field="request_id",
            )

    async def _answer(self, request: wire.ModerateRequest, ticket: Ticket) -> None:
        with ticket:
            response = await self._judge(request)
        self._unanswered.discard(request.request_id)
        await self._send(response)

    async def _send(self, response: wire.ModerateStreamResponse) -> None:
        async with self._writing:
            await self._write(response)
        self._window.release()
