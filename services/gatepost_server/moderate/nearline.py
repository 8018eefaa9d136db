"""What could not be judged in time: held, kept, and judged as soon as there is room."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from gatepost_server.domain.decision import Coverage, Judgement, ModerationRequest, Reason, ReasonCode, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.policy.load import Policy
from gatepost_server.policy.messages import user_message
from gatepost_server.records.backlog import Backlog, Work
from gatepost_server.scoring.base import Priority

_log = structlog.get_logger("gatepost.nearline")

# What may go better later, and what the verdict says of it. Everything else is the request's own fault, or a
# refusal that the caller must hear.
_HELD: Mapping[ErrorCode, ReasonCode] = {
    ErrorCode.DEADLINE_EXCEEDED: ReasonCode.DEADLINE,
    ErrorCode.UNAVAILABLE: ReasonCode.STAGE_FAILED,
    ErrorCode.INTERNAL: ReasonCode.STAGE_FAILED,
}


@dataclass(frozen=True, slots=True)
class NearlineLimits:
    """How the backlog is worked off. Seconds.

    An attempt that fails is tried again after `retry_s`, twice as long after each further one up to `longest_s`.
    What fails `attempts` times stays on HOLD for good.
    """

    workers: int = 2
    attempt_s: float = 30.0
    retry_s: float = 0.5
    longest_s: float = 30.0
    attempts: int = 50
    idle_s: float = 0.5  # how often work of other gateways is looked for


class Judge(Protocol):
    """Moderator.judge."""

    async def __call__(
        self, name: str, request: ModerationRequest, *, timeout_s: float, priority: Priority
    ) -> Verdict: ...


class Nearline:
    """Holds images, and works off the backlog while `run` runs."""

    def __init__(self, backlog: Backlog, limits: NearlineLimits | None = None) -> None:
        self._backlog = backlog
        self._limits = limits if limits is not None else NearlineLimits()
        self._more = asyncio.Event()
        self._watchers: defaultdict[str, set[asyncio.Future[Verdict]]] = defaultdict(set)

    async def hold(
        self, name: str, request: ModerationRequest, policy: Policy, error: GatepostError, started: float
    ) -> Verdict:
        """A pending HOLD, written down before it is given. Raises `error` where trying again cannot help.

        Raises GatepostError also as Backlog.put: what is not written down is not accepted.
        """
        code = _HELD.get(error.code)
        if code is None:
            raise error
        elapsed_ms = round(1_000 * (time.monotonic() - started), 3)
        held = held_verdict(name, request, policy, code, elapsed_ms=elapsed_ms, pending=True)
        await self._backlog.put(name, request, held)
        self._more.set()
        return held

    async def find(self, name: str) -> Verdict | None:
        """The verdict as it stands, or None."""
        return await self._backlog.find(name)

    async def final(self, name: str) -> Verdict:
        """The verdict once it is final. Raises GatepostError (NOT_FOUND)."""
        told: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._watchers[name].add(told)
        try:
            while not told.done():
                verdict = await self._backlog.find(name)
                if verdict is None:
                    raise GatepostError(
                        ErrorCode.NOT_FOUND, ErrorReason.VERDICT_UNKNOWN, "the verdict is no longer kept", field="name"
                    )
                if not verdict.pending:
                    return verdict
                # Another gateway may finish it, so the store is looked at as well.
                await asyncio.wait({told}, timeout=self._limits.idle_s)
            return told.result()
        finally:
            self._watchers[name].discard(told)
            if not self._watchers[name]:
                del self._watchers[name]

    async def depth(self) -> int:
        """How many images wait or are being judged."""
        return await self._backlog.depth()

    async def run(self, judge: Judge) -> None:
        """Work off the backlog until cancelled. What is under way then is free for others again."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._limits.workers):
                group.create_task(self._work(judge))

    async def _work(self, judge: Judge) -> None:
        while True:
            self._more.clear()
            try:
                work = await self._backlog.take(self._limits.attempt_s + 5.0)
                if work is not None:
                    await self._attempt(judge, work)
                    continue
            except GatepostError as error:
                _log.warning("backlog_unavailable", reason=error.reason.value)
            except Exception as error:  # noqa: BLE001 - one image's failure must not end the worker; its lease runs out
                _log.error("nearline_failed", error=type(error).__name__)
            try:
                await asyncio.wait_for(self._more.wait(), self._limits.idle_s)
            except TimeoutError:
                continue

    async def _attempt(self, judge: Judge, work: Work) -> None:
        limits = self._limits
        try:
            verdict = await judge(work.name, work.request, timeout_s=limits.attempt_s, priority=Priority.NEARLINE)
        except asyncio.CancelledError:
            await asyncio.shield(self._backlog.give_back(work.name, 0.0))
            raise
        except GatepostError as error:
            if not await self._failed(work, error):
                return
            verdict = await self._given_up(work)
        await self._backlog.finish(work.name, verdict)
        _log.info("nearline", verdict=work.name, decision=verdict.judgement.decision.value, attempts=work.attempts)
        for told in self._watchers.get(work.name, ()):
            if not told.done():
                told.set_result(verdict)

    async def _failed(self, work: Work, error: GatepostError) -> bool:
        """Whether to give up; else the work is given back."""
        retryable = error.code in _HELD or error.code is ErrorCode.RESOURCE_EXHAUSTED
        if not retryable or work.attempts >= self._limits.attempts:
            _log.warning("nearline_given_up", verdict=work.name, reason=error.reason.value, attempts=work.attempts)
            return True
        delay_s = min(self._limits.longest_s, self._limits.retry_s * 2.0 ** min(work.attempts - 1, 32))
        await self._backlog.give_back(work.name, delay_s)
        return False

    async def _given_up(self, work: Work) -> Verdict:
        """HOLD for good: nobody could look at the image."""
        held = await self._backlog.find(work.name)
        if held is None:
            raise GatepostError(ErrorCode.INTERNAL, ErrorReason.INTERNAL, "work without a verdict")
        return _final(held)


def held_verdict(
    name: str, request: ModerationRequest, policy: Policy, code: ReasonCode, *, elapsed_ms: float, pending: bool
) -> Verdict:
    """HOLD without evidence: none of the policy's mandatory stages is known to have looked."""
    document = policy.document
    reasons = (Reason(code, Decision.HOLD),)
    locale, message = user_message(document, request.locale, Decision.HOLD, reasons)
    return Verdict(
        name=name,
        request_id=request.request_id,
        judgement=Judgement(
            decision=Decision.HOLD,
            reasons=reasons,
            coverage=Coverage(complete=False, stages=(), missing=tuple(document.mandatory_stages), skipped=()),
            policy=policy.name,
            policy_version=policy.version,
            user_message=message,
            user_locale=locale,
        ),
        evidence=None,
        created=time.time(),
        timings_ms={"gateway": elapsed_ms, "total": elapsed_ms},
        pending=pending,
    )


def _final(held: Verdict) -> Verdict:
    failed = Reason(ReasonCode.STAGE_FAILED, Decision.HOLD)
    return replace(held, judgement=replace(held.judgement, reasons=(failed,)), created=time.time(), pending=False)
