"""The use case: validate, score, judge, record."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.moderate.limits import RequestLimits, check_fields, check_image
from gatepost_server.moderate.nearline import Nearline
from gatepost_server.moderate.once import Once, fingerprint
from gatepost_server.moderate.timings import timings_ms
from gatepost_server.policy.book import PolicyBook
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.policy.load import Policy
from gatepost_server.records.store import VerdictStore
from gatepost_server.scoring.base import Priority, Scorer


class Moderator:
    """Turns a request into a recorded verdict. Safe for many concurrent calls in one event loop."""

    def __init__(
        self,
        scorer: Scorer,
        policies: PolicyBook,
        store: VerdictStore,
        limits: RequestLimits,
        *,
        nearline: Nearline | None = None,
        once: Once | None = None,
    ) -> None:
        """Without `nearline`, what cannot be judged in time is an error; with it, a HOLD on which work goes on."""
        self._scorer = scorer
        self._policies = policies
        self._store = store
        self._limits = limits
        self._nearline = nearline
        self._once = once if once is not None else Once(window_s=0.0)
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Wait for no score any more: what can be held is held now. For a gateway that must stop."""
        self._hurried.set()

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

        The same request id with the same content has the same verdict, judged once, as long as `once` remembers.
        Raises GatepostError: what `check` and the scorer raise, and INVALID_ARGUMENT for the image's size; with a
        near-line backlog RESOURCE_EXHAUSTED (BACKLOG_FULL) and UNAVAILABLE (STORE_UNAVAILABLE) in the place of
        DEADLINE_EXCEEDED, UNAVAILABLE and INTERNAL.
        """
        started = time.monotonic() if started is None else started
        policy = self.check(request)
        check_image(request.image, self._limits)
        key = fingerprint(request)
        if (name := self._once.known(key)) is not None and (known := await self._find(name)) is not None:
            return known
        return await self._once.run(key, lambda: self._moderate(request, policy, timeout_s, priority, started))

    async def judge(
        self,
        name: str,
        request: ModerationRequest,
        *,
        timeout_s: float,
        priority: Priority,
        started: float | None = None,
    ) -> Verdict:
        """Score and judge, and nothing else: no record, no second chance. Raises GatepostError."""
        return await self._judge(name, request, self.check(request), timeout_s, priority, started or time.monotonic())

    async def verdict(self, name: str) -> Verdict:
        """A verdict as it stands. Raises GatepostError (NOT_FOUND)."""
        verdict = await self._find(name)
        if verdict is None:
            raise verdict_unknown()
        return verdict

    async def watch(self, name: str) -> AsyncIterator[Verdict]:
        """A verdict as it stands, and again once it is final. Raises GatepostError (NOT_FOUND)."""
        verdict = await self.verdict(name)
        yield verdict
        if verdict.pending and self._nearline is not None:
            yield await self._nearline.final(name)

    async def _moderate(
        self, request: ModerationRequest, policy: Policy, timeout_s: float, priority: Priority, started: float
    ) -> Verdict:
        name = f"verdicts/{uuid.uuid4()}"
        try:
            verdict = await self._judge(name, request, policy, timeout_s, priority, started)
        except GatepostError as error:
            if self._nearline is None:
                raise
            return await self._nearline.hold(name, request, policy, error, started)
        await self._store.put(verdict)
        return verdict

    async def _judge(
        self,
        name: str,
        request: ModerationRequest,
        policy: Policy,
        timeout_s: float,
        priority: Priority,
        started: float,
    ) -> Verdict:
        sent = time.monotonic()
        evidence = await self._score(request, timeout_s, priority)
        scored = time.monotonic()
        judgement = evaluate(evidence, request, policy)
        return Verdict(
            name=name,
            request_id=request.request_id,
            judgement=judgement,
            evidence=evidence,
            created=time.time(),
            timings_ms=timings_ms(evidence.reports, scoring_s=scored - sent, total_s=time.monotonic() - started),
        )

    async def _score(self, request: ModerationRequest, timeout_s: float, priority: Priority) -> Evidence:
        scoring = asyncio.ensure_future(self._scorer.score(request, timeout_s=timeout_s, priority=priority))
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait({scoring, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if scoring.done():
                return scoring.result()
            raise GatepostError(ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "the gateway is shutting down")
        finally:
            scoring.cancel()
            hurried.cancel()

    async def _find(self, name: str) -> Verdict | None:
        verdict = await self._store.get(name)
        if verdict is None and self._nearline is not None:
            verdict = await self._nearline.find(name)
        return verdict


def verdict_unknown() -> GatepostError:
    """Nothing is kept under that name."""
    return GatepostError(
        ErrorCode.NOT_FOUND,
        ErrorReason.VERDICT_UNKNOWN,
        "there is no verdict of that name, or it is no longer kept",
        field="name",
    )
