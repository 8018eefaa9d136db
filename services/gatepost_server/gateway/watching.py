"""Calls of WatchVerdict: how many may be open, and that they end when the gateway does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gatepost.v1 import moderation_pb2 as wire
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.admission import Admission, draining
from gatepost_server.gateway.credentials.caller import caller_still
from gatepost_server.gateway.interceptors import Context
from gatepost_server.gateway.wire import verdict_to_wire


class Watching:
    """Those that wait for the models and those that wait for people, who take hours, have places of their own."""

    def __init__(self, admission: Admission, *, most: int, most_for_people: int) -> None:
        self._admission = admission
        self._most = {False: most, True: most_for_people}
        self._open = {False: 0, True: 0}

    async def run(self, verdicts: AsyncIterator[Verdict], request: wire.WatchVerdictRequest, context: Context) -> None:
        """Write them all. Raises GatepostError: RESOURCE_EXHAUSTED, UNAVAILABLE (DRAINING), what `verdicts` does."""
        kind = request.until_people_decide
        if self._open[kind] >= self._most[kind]:
            raise GatepostError(
                ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "too many verdicts are watched", retry_after_s=1.0
            )
        self._open[kind] += 1
        watching = asyncio.create_task(_write(verdicts, request, context))
        closing = asyncio.create_task(self._admission.closed.wait())
        try:
            await asyncio.wait({watching, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not watching.done():
                raise draining()  # the next gateway, or this one restarted, has it too
            watching.result()
        finally:
            watching.cancel()
            closing.cancel()
            self._open[kind] -= 1


async def _write(verdicts: AsyncIterator[Verdict], request: wire.WatchVerdictRequest, context: Context) -> None:
    async for verdict in verdicts:
        caller_still()
        await context.write(wire.WatchVerdictResponse(verdict=verdict_to_wire(verdict, request.extras)))
