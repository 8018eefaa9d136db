"""What callers hear of people: verdicts as they stand after what people did, as soon as they did it on any gateway."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from gatepost_server.domain.decision import Judgement, Verdict
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.review import STOPPED, Review, nothing_to_appeal
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.objections import unknown
from gatepost_server.records.record import Kept, Record

_SHIPPED_S = 10.0  # until what this gateway handed over is in the record, and more
_LOOK_S, _LONGEST_S = 0.05, 0.5

_log = structlog.get_logger("gatepost.review")


class People:
    """One event loop's. However many watch, the record is asked once in `every_s` seconds while `run` runs."""

    def __init__(self, record: Record, review: Review, *, every_s: float = 1.0) -> None:
        self._record = record
        self._review = review
        self._every_s = every_s
        self._watchers: defaultdict[str, set[_Watcher]] = defaultdict(set)

    async def told(self, verdict: Verdict) -> Verdict:
        """As it stands now. While the record is away, as it was given: never more than that.

        Raises GatepostError as Review.after.
        """
        if verdict.pending or verdict.judgement.decision not in STOPPED:
            return verdict
        try:
            kept = await self._record.find(verdict.name)
        except GatepostError as error:
            _log.warning("record_unavailable", reason=error.reason.value)
            return verdict
        return verdict if kept is None or kept.verdict.pending else self._review.after(kept)

    async def appeal(self, verdict: Verdict, text: str, *, locale: str | None = None) -> Verdict:
        """As Review.appeal, for a verdict that the caller may see; what stands then, in that language.

        Raises GatepostError also UNAVAILABLE (STORE_UNAVAILABLE) where it has not reached the record yet.
        """
        if verdict.pending or (verdict.people is None and verdict.judgement.decision not in STOPPED):
            raise nothing_to_appeal()
        wait_s = _LOOK_S
        try:
            async with asyncio.timeout(_SHIPPED_S):
                while True:
                    try:
                        kept = await self._review.appeal(verdict.name, text, tenant=verdict.tenant)
                        return self._review.after(kept, locale=locale)
                    except GatepostError as error:
                        if error.reason is not ErrorReason.VERDICT_UNKNOWN:
                            raise
                    await asyncio.sleep(wait_s)
                    wait_s = min(2.0 * wait_s, _LONGEST_S)
        except TimeoutError:
            raise store_unavailable() from None

    async def watch(self, verdict: Verdict) -> AsyncIterator[Verdict]:
        """What it becomes after `verdict`, each time that it changes, while people look at it.

        Raises GatepostError: NOT_FOUND once it was removed, and as Review.after.
        """
        watcher = _Watcher()
        self._watchers[verdict.name].add(watcher)
        try:
            while waits(verdict):
                kept = await self._record.find(verdict.name)
                if kept is not None and not kept.verdict.pending:
                    watcher.last = _last(kept)
                    now = self._review.after(kept)
                    if _said(now) != _said(verdict):
                        verdict = now
                        yield verdict
                        continue
                elif watcher.last:
                    raise unknown()
                await watcher.changed.wait()
                watcher.changed.clear()
        finally:
            self._watchers[verdict.name].discard(watcher)
            if not self._watchers[verdict.name]:
                del self._watchers[verdict.name]

    async def run(self) -> None:
        """Follow the record until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            if not self._watchers:
                continue
            try:
                last = await self._record.last_acts(tuple(self._watchers))
            except GatepostError as error:
                _log.warning("record_unavailable", reason=error.reason.value, watched=len(self._watchers))
                continue
            for name, watchers in self._watchers.items():
                for watcher in watchers:
                    if last.get(name, 0) != watcher.last:
                        watcher.changed.set()


def waits(verdict: Verdict) -> bool:
    """Whether people look at it still, as far as the verdict tells."""
    if verdict.people is None:  # not in the record yet, perhaps
        return not verdict.pending and verdict.judgement.decision is Decision.REVIEW
    return verdict.people.waiting


def _said(verdict: Verdict) -> tuple[Judgement, Decision | None, bool]:
    """What a caller would see of a change."""
    people = verdict.people
    return verdict.judgement, people.decision if people is not None else None, people is not None and people.appealed


@dataclass(eq=False, slots=True)
class _Watcher:
    last: int = 0  # number of the last act that it knows of
    changed: asyncio.Event = field(default_factory=asyncio.Event)


def _last(kept: Kept) -> int:
    return kept.acts[-1].id if kept.acts else 0
