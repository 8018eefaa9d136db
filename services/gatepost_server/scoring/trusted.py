"""A Scorer that answers only while somebody vouches for the models."""

from __future__ import annotations

from collections.abc import Callable

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.scoring.base import Priority, Scorer


class TrustedScorer:
    """Lets nothing through without trust: no image to the models, and no evidence that came when trust was gone."""

    def __init__(self, scorer: Scorer, trusted: Callable[[], bool], *, retry_after_s: float = 1.0) -> None:
        self._scorer = scorer
        self._trusted = trusted
        self._retry_after_s = retry_after_s

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score; without trust UNAVAILABLE (MODELS_NOT_TRUSTED)."""
        self._check()
        evidence = await self._scorer.score(request, timeout_s=timeout_s, priority=priority)
        self._check()
        return evidence

    async def ready(self) -> bool:
        """As Scorer.ready; never without trust."""
        return self._trusted() and await self._scorer.ready()

    async def close(self) -> None:
        """As Scorer.close."""
        await self._scorer.close()

    def _check(self) -> None:
        if not self._trusted():
            raise not_trusted(retry_after_s=self._retry_after_s)


def not_trusted(*, retry_after_s: float = 1.0) -> GatepostError:
    """Nobody vouches for the models now."""
    return GatepostError(
        ErrorCode.UNAVAILABLE,
        ErrorReason.MODELS_NOT_TRUSTED,
        "the models did not pass their last check",
        retry_after_s=retry_after_s,
    )
