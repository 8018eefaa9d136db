"""The known-bad bank of a gateway: examples in memory, read again within a second or two of every change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

import structlog

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.known_bad import Hit
from gatepost_server.policy.bank import Examples, with_hits
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.bank import BankStore, Version

_log = structlog.get_logger("gatepost.bank")

_QUICK = 200  # so many examples are compared with in about a millisecond
_AGAIN_S = 30.0  # between two errors of the log that say the same


class Told(Protocol):
    """Who hears of hits and of reading."""

    def bank_hits(self, hits: Collection[Hit]) -> None: ...

    def bank_read(self, *, entries: int | None) -> None: ...


class Bank:
    """Belongs to one event loop. While the store is away, the last good copy goes on; before there was one, nothing is
    judged: an image that an example would have stopped must not pass because of a restart.
    """

    def __init__(
        self, store: BankStore, told: Told, *, every_s: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._told = told
        self._every_s = every_s
        self._clock = clock
        self._examples: Examples | None = None
        self._version: Version | None = None
        self._failed_at = float("-inf")
        self.changed = 0.0  # when other examples began to hold here, Unix seconds

    @property
    def embeds(self) -> bool:
        """Whether evidence needs its embedding to be compared."""
        return self._examples is not None and self._examples.embeds

    async def apply(self, evidence: Evidence, request: ModerationRequest) -> Evidence:
        """The evidence with what the image is like among its scores. Raises GatepostError (STORE_UNAVAILABLE)."""
        examples = self._examples
        if examples is None:
            raise store_unavailable()
        if not examples.entries:
            return evidence
        now = self._clock()
        if len(examples.entries) <= _QUICK:
            hits = examples.hits(evidence, request.image_sha256, now)
        else:
            hits = await asyncio.to_thread(examples.hits, evidence, request.image_sha256, now)
        if not hits:
            return evidence
        self._told.bank_hits(hits)
        _log.info("known_bad", request_id=request.request_id, hits=[(hit.entry, hit.likeness.value) for hit in hits])
        return with_hits(evidence, hits)

    async def refresh(self) -> None:
        """Read the store where it changed. What goes wrong is logged, and the copy that is there stays."""
        try:
            if self._version is not None and await self._store.version() == self._version:
                self._told.bank_read(entries=len(self._examples.entries) if self._examples else 0)
                return
            version, entries = await self._store.entries()
            self._examples = Examples(entries)
        except (GatepostError, ValueError) as error:  # ValueError: a row that no example can be made of
            self._told.bank_read(entries=None)
            if time.monotonic() - self._failed_at >= _AGAIN_S:
                self._failed_at = time.monotonic()
                _log.error("bank_unreadable", error=type(error).__name__, kept=self._examples is not None)
            return
        self._version, self.changed = version, self._clock()
        self._failed_at = float("-inf")
        self._told.bank_read(entries=len(entries))
        _log.info("bank_read", entries=len(entries))

    async def run(self) -> None:
        """Follow the store until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await self.refresh()


def asking(request: ModerationRequest, bank: Bank | None, *, recorded: bool) -> ModerationRequest:
    """What the scorer is asked: for the embedding too, where examples have one, or the record keeps it."""
    return replace(request, want_embedding=True) if recorded or (bank is not None and bank.embeds) else request


def without_embedding(verdict: Verdict) -> Verdict:
    """As it is given to whoever did not ask for the embedding."""
    evidence = verdict.evidence
    if evidence is None or not evidence.embedding:
        return verdict
    return replace(verdict, evidence=replace(evidence, embedding=()))
