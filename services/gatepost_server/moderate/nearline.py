"""What could not be judged in time: held, kept, and judged as soon as there is room."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from gatepost_server.domain.decision import Coverage, Judgement, ModerationRequest, Reason, ReasonCode, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.bank import without_embedding
from gatepost_server.moderate.recorder import Recorder
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
# There was no room for it: no fault of the image, and no reason ever to give it up.
_NO_ROOM = frozenset({ErrorCode.DEADLINE_EXCEEDED, ErrorCode.RESOURCE_EXHAUSTED})
# Something else is away, such as the keys that sign tickets. A model server that goes away may be the image's doing.
_ELSEWHERE = frozenset({ErrorReason.TICKETS_UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, ErrorReason.MODELS_NOT_TRUSTED})


@dataclass(frozen=True, slots=True)
class NearlineLimits:
    """How the backlog is worked off. Seconds.

    An attempt that fails is tried again after `retry_s`, twice as long after each further one up to `longest_s`.
    What fails `attempts` times, on models that were ready before it came, stays on HOLD for good: it may be what
    breaks them. What found no room, or no keys to sign with, is tried again as often as it takes.
    """

    workers: int = 2
    attempt_s: float = 90.0  # longer than a model may hang (serving.hang), so that hanging counts as failing
    retry_s: float = 0.5
    longest_s: float = 30.0
    attempts: int = 10
    idle_s: float = 0.5  # how often work and verdicts of other gateways are looked for


class Judge(Protocol):
    """Moderator.judge."""

    async def __call__(
        self, name: str, request: ModerationRequest, *, timeout_s: float, priority: Priority
    ) -> Verdict: ...


class Told(Protocol):
    """Who hears of images that are held."""

    def held(self, error: GatepostError) -> None: ...

    def nearline(self, verdict: Verdict) -> None: ...


class Nearline:
    """Holds images, and works off the backlog while `run` runs."""

    def __init__(
        self,
        backlog: Backlog,
        limits: NearlineLimits | None = None,
        *,
        recorder: Recorder | None = None,
        told: Told | None = None,
    ) -> None:
        """With `recorder`, a final verdict is written down before anybody hears of it, with the HOLD that it was.

        `told` hears of what is held and of what becomes of it.
        """
        self._recorder = recorder
        self._told = told
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
        if self._told is not None:
            self._told.held(error)
        self._more.set()
        return held

    async def find(self, name: str) -> Verdict | None:
        """The verdict as it stands, or None."""
        return await self._backlog.find(name)

    async def final(self, name: str) -> Verdict:
        """The verdict once it is final. Raises GatepostError (NOT_FOUND)."""
        told: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._watchers[name].add(told)
        wait_s = self._limits.idle_s
        try:
            while not told.done():
                verdict = await self._backlog.find(name)
                if verdict is None:
                    raise GatepostError(
                        ErrorCode.NOT_FOUND, ErrorReason.VERDICT_UNKNOWN, "the verdict is no longer kept", field="name"
                    )
                if not verdict.pending:
                    return verdict
                # Another gateway may finish it, so the store is looked at as well; ever less often.
                await asyncio.wait({told}, timeout=wait_s)
                wait_s = min(1.5 * wait_s, 10.0 * self._limits.idle_s)
            return told.result()
        finally:
            self._watchers[name].discard(told)
            if not self._watchers[name]:
                del self._watchers[name]

    async def depth(self) -> int:
        """How many images wait or are being judged."""
        return await self._backlog.depth()

    async def run(self, judge: Judge, ready: Callable[[], Awaitable[bool]]) -> None:
        """Work off the backlog until cancelled. What is under way then is free for others again.

        Nothing is tried while the models are not `ready`, so a failed attempt says something about its image.
        """
        async with asyncio.TaskGroup() as group:
            for _ in range(self._limits.workers):
                group.create_task(self._work(judge, ready))

    async def _work(self, judge: Judge, ready: Callable[[], Awaitable[bool]]) -> None:
        while True:
            self._more.clear()
            try:
                work = await self._backlog.take(self._limits.attempt_s + 5.0) if await ready() else None
                if work is not None:
                    if not await self._attempt(judge, work):
                        await asyncio.sleep(self._limits.retry_s)  # no room: do not spin through the whole backlog
                    continue
            except GatepostError as error:
                _log.warning("backlog_unavailable", reason=error.reason.value)
            try:
                await asyncio.wait_for(self._more.wait(), self._limits.idle_s)
            except TimeoutError:
                continue

    async def _attempt(self, judge: Judge, work: Work) -> bool:
        """One try. False when there was no room for it. Raises GatepostError as Backlog."""
        try:
            if work.attempts > self._limits.attempts:  # the last ones ended with the gateway itself
                raise GatepostError(ErrorCode.INTERNAL, ErrorReason.INTERNAL, "every attempt failed")
            verdict = await self._judged(judge, work)
            if self._recorder is not None:
                await self._recorder.write(work.request, verdict, held=work.held)
            verdict = verdict if work.request.want_embedding else without_embedding(verdict)
        except asyncio.CancelledError:
            with contextlib.suppress(GatepostError):  # the lease runs out in any case
                await asyncio.shield(self._backlog.give_back(work.name, 0.0, counted=False))
            raise
        except GatepostError as error:
            if error.code in _NO_ROOM or error.reason in _ELSEWHERE:
                await self._backlog.give_back(work.name, self._limits.retry_s, counted=False)
                return False
            if error.code in _HELD and work.attempts < self._limits.attempts:
                delay_s = self._limits.retry_s * 2.0 ** (work.attempts - 1)
                await self._backlog.give_back(work.name, min(self._limits.longest_s, delay_s), counted=True)
                return True
            _log.warning("nearline_given_up", verdict=work.name, reason=error.reason.value, attempts=work.attempts)
            verdict = given_up(work.held)
            if self._recorder is not None:
                await self._recorder.write(work.request, verdict, held=work.held)
        await self._backlog.finish(work.name, verdict)
        if self._told is not None:
            self._told.nearline(verdict)
        _log.info(
            "nearline",
            verdict=work.name,
            tenant=verdict.tenant,
            decision=verdict.judgement.decision.value,
            attempts=work.attempts,
        )
        for told in self._watchers.get(work.name, ()):
            if not told.done():
                told.set_result(verdict)
        return True

    async def _judged(self, judge: Judge, work: Work) -> Verdict:
        try:
            return await judge(work.name, work.request, timeout_s=self._limits.attempt_s, priority=Priority.NEARLINE)
        except GatepostError:
            raise
        except Exception as error:
            _log.error("nearline_failed", verdict=work.name, error=type(error).__name__)
            raise GatepostError(ErrorCode.INTERNAL, ErrorReason.INTERNAL, "an internal error") from error


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
        tenant=request.tenant,
    )


def given_up(held: Verdict) -> Verdict:
    """HOLD for good: nobody could look at the image."""
    failed = Reason(ReasonCode.STAGE_FAILED, Decision.HOLD)
    return replace(held, judgement=replace(held.judgement, reasons=(failed,)), created=time.time(), pending=False)
