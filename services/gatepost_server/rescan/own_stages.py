"""Judges in this process: a scorer that somebody else made, and the same use case as the gateway's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.known_bad import Hit
from gatepost_server.moderate.bank import Bank
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.policy.book import PolicyBook
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.rescan.failures import Failure, Halt
from gatepost_server.rescan.judges import Answer
from gatepost_server.scoring.base import Priority, Scorer

_ANSWER_S = 3_600.0  # nobody waits
_WHY = {
    ErrorReason.POLICY_UNKNOWN: "there is no such policy",
    ErrorReason.STORE_UNAVAILABLE: "the known-bad bank cannot be read",
}


class OwnStages:
    """A Judge without a server. `examples` are followed as gateways follow them; closed with the judge."""

    def __init__(self, scorer: Scorer, policies: PolicyBook, examples: SqlBank | None = None) -> None:
        self._scorer = scorer
        self._examples = examples
        self._bank = None if examples is None else Bank(examples, _Nobody())
        self._read: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        forgetful = MemoryVerdictStore(capacity_bytes=1, ttl_s=1.0)
        self._moderator = Moderator(scorer, policies, forgetful, RequestLimits(), bank=self._bank)

    async def judge(self, question: ModerationRequest) -> Answer:
        """As Judge.judge."""
        if self._bank is not None:
            if self._read is None:
                self._read = asyncio.create_task(self._bank.refresh())
                self._following = asyncio.create_task(self._bank.run())
            await self._read  # nothing is judged before it, and after it this waits for nothing
        try:
            return await self._moderator.moderate(question, timeout_s=_ANSWER_S, priority=Priority.RESCAN)
        except GatepostError as error:
            if error.reason in _WHY:
                return Halt(_WHY[error.reason])
            return Failure(error.code, error.reason.value, error.message)

    async def close(self) -> None:
        """As Judge.close."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._examples is not None:
            await self._examples.close()
        await self._scorer.close()


class _Nobody:
    """Hears of hits and reading: the rows tell of them."""

    def bank_hits(self, hits: Collection[Hit]) -> None: ...

    def bank_read(self, *, entries: int | None) -> None: ...
