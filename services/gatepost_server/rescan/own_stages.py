"""Judges in this process: a scorer that somebody else made, and the same use case as the gateway's."""

from __future__ import annotations

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.policy.book import PolicyBook
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.rescan.failures import Failure, Halt
from gatepost_server.rescan.judges import Answer
from gatepost_server.scoring.base import Priority, Scorer

_ANSWER_S = 3_600.0  # nobody waits


class OwnStages:
    """A Judge without a server."""

    def __init__(self, scorer: Scorer, policies: PolicyBook) -> None:
        self._scorer = scorer
        forgetful = MemoryVerdictStore(capacity_bytes=1, ttl_s=1.0)
        self._moderator = Moderator(scorer, policies, forgetful, RequestLimits())

    async def judge(self, question: ModerationRequest) -> Answer:
        """As Judge.judge."""
        try:
            return await self._moderator.moderate(question, timeout_s=_ANSWER_S, priority=Priority.RESCAN)
        except GatepostError as error:
            if error.reason is ErrorReason.POLICY_UNKNOWN:
                return Halt("there is no such policy")
            return Failure(error.code, error.reason.value, error.message)

    async def close(self) -> None:
        """As Judge.close."""
        await self._scorer.close()
