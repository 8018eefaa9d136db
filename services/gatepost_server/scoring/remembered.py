"""A Scorer that does not look twice at the same image.

Evidence depends on the image's bytes, on what it is held against (prompt, expected texts) and on the models, not on
policy, conversation or locale: those are judged anew each time. The same question of the same tenant, asked again
within minutes, gets the evidence that is there; asked while the first is still with the models, it waits for that.

The tenant is part of the question though evidence does not depend on it: an answer that comes at once would tell one
tenant which images another one has.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from cachetools import TTLCache

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence, approximate_bytes
from gatepost_server.domain.labels import CATEGORIES, StageName
from gatepost_server.scoring.base import Priority, Scorer


class Lookup(StrEnum):
    """How an image came by its evidence."""

    HIT = "hit"  # it was there
    JOINED = "joined"  # another request was waiting for the same
    MISS = "miss"  # the models looked


@dataclass(frozen=True, slots=True)
class _Flight:
    """A question that is with the models. `seen` becomes the evidence, or None where there is none to share."""

    priority: Priority
    seen: asyncio.Future[Evidence | None]


class RememberedScorer:
    """Keeps complete evidence for `keep_s` seconds, in about `capacity_bytes`. Belongs to one event loop.

    Never given again is what failed, what was not looked at wholly, and what the models said before `forget`.
    """

    def __init__(
        self,
        scorer: Scorer,
        *,
        capacity_bytes: int,
        keep_s: float,
        told: Callable[[Lookup], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scorer = scorer
        self._told = told
        self._kept: TTLCache[bytes, Evidence] = TTLCache(
            capacity_bytes, keep_s, timer=clock, getsizeof=approximate_bytes
        )
        self._flights: dict[bytes, _Flight] = {}
        self._age = 0  # how often everything was forgotten

    def forget(self) -> None:
        """The models may be others now, or may have been wrong: nothing that they said so far is given again."""
        self._age += 1
        self._kept.clear()
        self._flights.clear()

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score. A request without a digest (moderate.once.digested) is always looked at."""
        if not request.image_sha256:
            return await self._scorer.score(request, timeout_s=timeout_s, priority=priority)
        key, until = _key(request), time.monotonic() + timeout_s
        while (kept := self._kept.get(key)) is None:
            flight = self._flights.get(key)
            if flight is None or flight.priority > priority:
                self._told(Lookup.MISS)
                return await self._look(key, request, until - time.monotonic(), priority)
            seen = await _landed(flight, until - time.monotonic())
            if seen is not None:
                self._told(Lookup.JOINED)
                return seen
        self._told(Lookup.HIT)
        return _again(kept)

    async def ready(self) -> bool:
        """As Scorer.ready."""
        return await self._scorer.ready()

    async def close(self) -> None:
        """As Scorer.close."""
        await self._scorer.close()

    async def _look(self, key: bytes, request: ModerationRequest, timeout_s: float, priority: Priority) -> Evidence:
        flight = self._flights[key] = _Flight(priority, asyncio.get_running_loop().create_future())
        age, shared = self._age, None
        try:
            seen = await self._scorer.score(request, timeout_s=timeout_s, priority=priority)
            if age == self._age and _is_complete(seen):
                shared = seen
                if approximate_bytes(seen) <= self._kept.maxsize:
                    self._kept[key] = seen
            return seen
        finally:
            # Whoever joined does not share a failure: it may be this caller's own, who had less time or has left.
            flight.seen.set_result(shared)
            if self._flights.get(key) is flight:
                del self._flights[key]


async def _landed(flight: _Flight, timeout_s: float) -> Evidence | None:
    await asyncio.wait({flight.seen}, timeout=max(0.0, timeout_s))
    if not flight.seen.done():
        raise GatepostError(
            ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "the deadline passed before the image was judged"
        )
    return flight.seen.result()


def _key(request: ModerationRequest) -> bytes:
    question = (
        request.tenant,
        request.image_sha256,
        request.prompt,
        request.expected_text,
        request.want_embedding,
    )
    return hashlib.sha256(repr(question).encode()).digest()


def _is_complete(evidence: Evidence) -> bool:
    """Every stage reported and left nothing out, and there is a score for everything. The policy asks for more."""
    return (
        {report.stage for report in evidence.reports} == set(StageName)
        and not any(report.skipped for report in evidence.reports)
        and all(category in evidence.fused and math.isfinite(evidence.fused[category].score) for category in CATEGORIES)
    )


def _again(evidence: Evidence) -> Evidence:
    """As it was, in no time: what the stages took was another request's time."""
    return replace(evidence, reports=tuple(replace(report, ended=report.started) for report in evidence.reports))
