"""Where verdicts are kept for GetVerdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cachetools import TTLCache

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.evidence import approximate_bytes as evidence_bytes


class VerdictStore(Protocol):
    """Keeps verdicts by name. No image is ever handed to it."""

    async def put(self, verdict: Verdict) -> None:
        """Keep a verdict. Verdicts never change: a name is put once."""
        ...

    async def get(self, name: str) -> Verdict | None:
        """The verdict, or None when there is none or it is no longer kept."""
        ...


class MemoryVerdictStore:
    """The last verdicts of this process, within about `capacity_bytes`, each for at most `ttl_s` seconds."""

    def __init__(self, *, capacity_bytes: int, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._verdicts: TTLCache[str, Verdict] = TTLCache(
            capacity_bytes, ttl_s, timer=clock, getsizeof=approximate_bytes
        )

    async def put(self, verdict: Verdict) -> None:
        """As VerdictStore.put; the oldest verdicts make room. One that no room could hold is not kept."""
        if approximate_bytes(verdict) <= self._verdicts.maxsize:
            self._verdicts[verdict.name] = verdict

    async def get(self, name: str) -> Verdict | None:
        """As VerdictStore.get."""
        return self._verdicts.get(name)


def approximate_bytes(verdict: Verdict) -> int:
    """What a verdict takes in memory, its evidence included. Measured with tracemalloc on CPython 3.11."""
    seen = 0 if verdict.evidence is None else evidence_bytes(verdict.evidence)
    return 4_000 + len(verdict.ticket) + seen
