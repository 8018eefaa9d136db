"""How much each tenant may ask: a pace (images a second, with a burst) and a quota (images a day).

Counted where an image is let in, before it is read; whatever comes of it. The pace is this gateway's own; the quota
is kept (records.usage), and shared by the gateways that share a database.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.admission import draining
from gatepost_server.gateway.tenants import Tenant, Tenants
from gatepost_server.records.usage import Usage


class Allowance:
    """Belongs to one event loop."""

    def __init__(
        self,
        tenants: Tenants,
        usage: Usage,
        *,
        closed: asyncio.Event,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`closed` is set once the gateway drains: nobody waits for a turn any more."""
        self._tenants = tenants
        self._usage = usage
        self._closed = closed
        self._clock = clock
        self._today = today
        self._paces: dict[str, Pace] = {}

    def take(self, name: str) -> None:
        """One image of this tenant. Raises GatepostError: RESOURCE_EXHAUSTED (RATE_LIMITED, QUOTA_EXCEEDED)."""
        tenant = self._tenants.find(name)
        self._check_quota(name, tenant)
        wait_s = self._pace(name, tenant)
        if wait_s > 0.0:
            raise GatepostError(
                ErrorCode.RESOURCE_EXHAUSTED,
                ErrorReason.RATE_LIMITED,
                "this tenant sends more images a second than it may",
                retry_after_s=wait_s,
            )
        self._usage.add(name, self._today().date())

    async def wait(self, name: str) -> None:
        """The same for one image of a stream, which waits for its turn. Raises GatepostError (also draining)."""
        while True:
            tenant = self._tenants.find(name)
            self._check_quota(name, tenant)
            wait_s = self._pace(name, tenant)
            if wait_s <= 0.0:
                break
            try:
                await asyncio.wait_for(self._closed.wait(), wait_s)
            except TimeoutError:
                continue
            raise draining()
        self._usage.add(name, self._today().date())

    def _check_quota(self, name: str, tenant: Tenant) -> None:
        if tenant.images_per_day is None:
            return
        now = self._today()
        if self._usage.images(name, now.date()) >= tenant.images_per_day:
            raise GatepostError(
                ErrorCode.RESOURCE_EXHAUSTED,
                ErrorReason.QUOTA_EXCEEDED,
                "this tenant has had as many images judged today (UTC) as it may",
                retry_after_s=_until_midnight_s(now),
            )

    def _pace(self, name: str, tenant: Tenant) -> float:
        if tenant.images_per_second is None:
            self._paces.pop(name, None)
            return 0.0
        burst = tenant.burst if tenant.burst is not None else max(1, math.floor(tenant.images_per_second))
        pace = self._paces.get(name)
        if pace is None or (pace.rate, pace.burst) != (tenant.images_per_second, burst):
            pace = self._paces[name] = Pace(tenant.images_per_second, burst)
        return pace.take(self._clock())


class Pace:
    """`rate` a second on average, `burst` at once: a token bucket as the generic cell rate algorithm (ITU-T I.371)."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate = rate
        self.burst = burst
        self._full = -math.inf  # when the bucket would be full again

    def take(self, now: float) -> float:
        """0.0 and one is taken, or the seconds until one could be, and none is."""
        full = max(self._full, now)
        wait_s = full - now - (self.burst - 1) / self.rate
        if wait_s > 1e-9:
            return wait_s
        self._full = full + 1.0 / self.rate
        return 0.0


def _until_midnight_s(now: datetime) -> float:
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()
