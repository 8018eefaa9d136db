"""Where verdicts are kept for GetVerdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from cachetools import TTLCache

from gatepost_server.domain.decision import Verdict


class VerdictStore(Protocol):
    """Keeps verdicts by name. No image is ever handed to it."""

    async def put(self, verdict: Verdict) -> None:
        """Keep a verdict. Verdicts never change: a name is put once."""
        ...

    async def get(self, name: str) -> Verdict | None:
        """The verdict, or None when there is none or it is no longer kept."""
        ...


class MemoryVerdictStore:
    """The last verdicts of this process: at most `capacity` of them, each for at most `ttl_s` seconds."""

    def __init__(self, *, capacity: int, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._verdicts: TTLCache[str, Verdict] = TTLCache(capacity, ttl_s, timer=clock)

    async def put(self, verdict: Verdict) -> None:
        """As VerdictStore.put; the oldest verdict makes room."""
        self._verdicts[verdict.name] = verdict

    async def get(self, name: str) -> Verdict | None:
        """As VerdictStore.get."""
        return self._verdicts.get(name)
