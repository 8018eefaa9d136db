"""How many images each tenant had judged on each day (UTC): what quotas count.

Counted in memory, so that no image waits for a disk, and written down once in a while. A quota is an agreement and
no safety: where the store is away counting goes on in memory, and a crash loses what was not written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Protocol

import structlog

from gatepost_server.domain.errors import GatepostError

_Key = tuple[str, date]

_log = structlog.get_logger("gatepost.usage")


class UsageStore(Protocol):
    """Adds up what gateways count. Methods raise GatepostError (UNAVAILABLE, STORE_UNAVAILABLE)."""

    async def add(self, counted: Mapping[_Key, int]) -> Mapping[_Key, int]:
        """Add to each sum (0 only asks); the sums, over all gateways."""
        ...

    async def day(self, day: date) -> Mapping[_Key, int]:
        """All sums of a day."""
        ...


class Usage:
    """The counts of this gateway, on top of what the store had when it was asked last. One event loop's."""

    def __init__(self, store: UsageStore | None = None) -> None:
        """Without a store, counts begin anew with the process."""
        self._store = store
        self._kept: dict[_Key, int] = {}
        self._new: Counter[_Key] = Counter()
        self._away = False

    def add(self, tenant: str, day: date) -> None:
        """One image."""
        self._new[tenant, day] += 1

    def images(self, tenant: str, day: date) -> int:
        """How many there were on that day, as far as this gateway knows."""
        return self._kept.get((tenant, day), 0) + self._new[tenant, day]

    async def load(self, day: date) -> None:
        """What was counted before this process. Raises GatepostError."""
        if self._store is not None:
            self._kept.update(await self._store.day(day))

    async def save(self) -> None:
        """Write down what is new, and hear what others counted of the same tenants."""
        if self._store is None or not (asked := {key: self._new[key] for key in {*self._new, *self._kept}}):
            return
        try:
            sums = await self._store.add(asked)
        except GatepostError as error:
            if not self._away:
                _log.warning("usage_not_saved", reason=error.reason.value)
            self._away = True
            return
        self._away = False
        latest = max(day for _, day in asked)
        self._kept = {key: images for key, images in sums.items() if key[1] == latest}
        self._new -= Counter(asked)  # what came meanwhile stays

    async def run(self, every_s: float) -> None:
        """Save once in a while, until cancelled; then a last time."""
        try:
            while True:
                await asyncio.sleep(every_s)
                await self.save()
        finally:
            await asyncio.shield(self.save())
