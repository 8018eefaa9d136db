"""Carries what was handed over into the record, images first, for as long as the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from gatepost_server.domain.errors import GatepostError
from gatepost_server.records.handover import Handover, Taken
from gatepost_server.records.images import ImageStore
from gatepost_server.records.record import Record

_BATCH, _BATCH_BYTES = 100, 32 << 20
_RETRY_S, _LONGEST_S = 0.5, 30.0

_log = structlog.get_logger("gatepost.record")


class Shipping:
    """One for each hand-over. A crash between two steps repeats the first, which changes nothing."""

    def __init__(self, handover: Handover, record: Record, images: ImageStore | None) -> None:
        self._handover = handover
        self._record = record
        self._images = images

    async def run(self) -> None:
        """Until cancelled; what is on its way then is there at the next start."""
        delay_s = _RETRY_S
        while True:
            self._handover.more.clear()
            try:
                while await self.step():
                    delay_s = _RETRY_S
            except GatepostError as error:
                _log.warning("record_unavailable", reason=error.reason.value, waiting=self._handover.depth)
                await asyncio.sleep(delay_s)
                delay_s = min(2.0 * delay_s, _LONGEST_S)
            else:
                await self._handover.more.wait()

    async def step(self) -> bool:
        """One batch; False where there was none. Raises GatepostError (UNAVAILABLE, STORE_UNAVAILABLE)."""
        taken = await self._handover.take(_BATCH, _BATCH_BYTES)
        if taken:
            await self._keep_images(taken)
            await self._record.add([each.entry for each in taken])
            await self._handover.drop(taken)
        return bool(taken)

    async def _keep_images(self, taken: Sequence[Taken]) -> None:
        for each in taken:
            if each.entry.image is not None and self._images is not None:
                await self._images.put(each.entry.name, each.entry.image)
