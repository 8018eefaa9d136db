"""The use case: validate, score, judge, record."""

from __future__ import annotations

import time
import uuid

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.moderate.limits import RequestLimits, check_fields, check_image
from gatepost_server.moderate.timings import timings_ms
from gatepost_server.policy.book import PolicyBook
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.policy.load import Policy
from gatepost_server.records.store import VerdictStore
from gatepost_server.scoring.base import Priority, Scorer


class Moderator:
    """Turns a request into a recorded verdict. Holds no state of its own between requests."""

    def __init__(self, scorer: Scorer, policies: PolicyBook, store: VerdictStore, limits: RequestLimits) -> None:
        self._scorer = scorer
        self._policies = policies
        self._store = store
        self._limits = limits

    def check(self, request: ModerationRequest) -> Policy:
        """The request's policy, if everything but the image is in order. Raises GatepostError (INVALID_ARGUMENT)."""
        check_fields(request, self._limits)
        return self._policies.for_request(request.policy)

    async def moderate(
        self,
        request: ModerationRequest,
        *,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
        started: float | None = None,
    ) -> Verdict:
        """Judge one image. `started` (time.monotonic) is when it arrived, for its timings.

        Raises GatepostError: what `check` and the scorer raise, and INVALID_ARGUMENT for the image's size.
        """
        started = time.monotonic() if started is None else started
        policy = self.check(request)
        check_image(request.image, self._limits)
        sent = time.monotonic()
        evidence = await self._scorer.score(request, timeout_s=timeout_s, priority=priority)
        scored = time.monotonic()
        judgement = evaluate(evidence, request, policy)
        verdict = Verdict(
            name=f"verdicts/{uuid.uuid4()}",
            request_id=request.request_id,
            judgement=judgement,
            evidence=evidence,
            created=time.time(),
            timings_ms=timings_ms(evidence.reports, scoring_s=scored - sent, total_s=time.monotonic() - started),
        )
        await self._store.put(verdict)
        return verdict

    async def verdict(self, name: str) -> Verdict:
        """A verdict given earlier. Raises GatepostError (NOT_FOUND)."""
        verdict = await self._store.get(name)
        if verdict is None:
            raise GatepostError(
                ErrorCode.NOT_FOUND,
                ErrorReason.VERDICT_UNKNOWN,
                "there is no verdict of that name, or it is no longer kept",
                field="name",
            )
        return verdict
