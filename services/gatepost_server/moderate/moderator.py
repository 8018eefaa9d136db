"""The use case: validate, score, judge, record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from opentelemetry.trace import NoOpTracer, Tracer

from gatepost_server.domain.decision import DEFAULT_TENANT, ModerationRequest, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.labels import Decision
from gatepost_server.domain.unique import unique
from gatepost_server.moderate.bank import Bank, asking, without_embedding
from gatepost_server.moderate.hurry import Hurry, unless
from gatepost_server.moderate.limits import RequestLimits, check_fields, check_image, check_locale, check_text
from gatepost_server.moderate.nearline import Nearline
from gatepost_server.moderate.once import Once, digested, fingerprint
from gatepost_server.moderate.people import People
from gatepost_server.moderate.recorder import Recorder
from gatepost_server.moderate.release import release
from gatepost_server.moderate.review import MOST_TEXT
from gatepost_server.moderate.shadow import Shadows
from gatepost_server.moderate.timings import timings_ms
from gatepost_server.policy.asked import with_quoted
from gatepost_server.policy.book import PolicyBook
from gatepost_server.policy.judge import is_quick, judge
from gatepost_server.policy.load import Policy
from gatepost_server.records.store import VerdictStore
from gatepost_server.scoring.base import Priority, Scorer
from gatepost_server.scoring.spans import step
from gatepost_server.scoring.trusted import not_trusted
from gatepost_server.text.lexicon import Lexicon
from gatepost_server.tickets.sign import TicketSigner

_JUDGING_S = 1.0  # more than passes between a look into the bank and the verdict


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
        signer: TicketSigner | None = None,
        lexicon: Lexicon | None = None,
        trusted: Callable[[], bool] = lambda: True,
        bank: Bank | None = None,
        shadows: Shadows | None = None,
        recorder: Recorder | None = None,
        people: People | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """Without `nearline`, what cannot be judged in time is an error; with it, a HOLD on which work goes on.

        With `signer`, every ALLOW carries a release ticket, and what cannot be signed is no ALLOW.
        `lexicon` finds abuse in earlier turns; without it there is none. While the models are not `trusted`, nothing
        becomes an ALLOW, and no earlier ALLOW is given again. With `bank`, images like known-bad ones score as such,
        and an ALLOW from before its last change is not given again. `shadows` hear of every verdict.
        With `recorder`, every verdict is written down before it is given; with `people`, who looks one up hears of what
        people did with it.
        """
        self._scorer = scorer
        self._policies = policies
        self._store = store
        self._limits = limits
        self._nearline = nearline
        self._once = once if once is not None else Once(window_s=0.0)
        self._signer = signer
        self._lexicon = lexicon
        self._trusted = trusted
        self._bank = bank
        self._shadows = shadows
        self._recorder = recorder
        self._people = people
        self._tracer = tracer if tracer is not None else NoOpTracer()

    def hurry(self) -> None:
        """Wait for no score any more: what can be held is held now. For a gateway that must stop."""
        self._once.hurry()

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
        begun = time.monotonic()
        started = begun if started is None else started
        policy = self.check(request)
        check_image(request.image, self._limits)
        request = digested(request)
        key = fingerprint(request)
        known = await self._known(key, timeout_s)
        if known is not None:
            return known
        left_s = timeout_s - (time.monotonic() - begun)
        return await self._once.run(
            key,
            lambda hurry: self._moderate(request, policy, left_s, priority, started, hurry),
            patience_s=left_s if self._nearline is not None else None,
        )

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
        started = time.monotonic() if started is None else started
        policy = self.check(request)
        return await self._judge(name, digested(request), policy, timeout_s, priority, started, Hurry())

    async def verdict(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Verdict:
        """A verdict of that tenant, as it stands. Raises GatepostError (NOT_FOUND), also for another tenant's."""
        verdict = await self._find(name)
        if verdict is None and self._recorder is not None:
            verdict = await self._recorder.find(name)
        if verdict is None or verdict.tenant != tenant:
            raise verdict_unknown()
        return verdict if self._people is None else await self._people.told(verdict)

    async def watch(
        self, name: str, *, tenant: str = DEFAULT_TENANT, until_people_decide: bool = False
    ) -> AsyncIterator[Verdict]:
        """As `verdict`, and again once it is final; also whenever people change it, until they are done, where that is
        asked for. Raises GatepostError (NOT_FOUND).
        """
        verdict = await self.verdict(name, tenant=tenant)
        yield verdict
        if verdict.pending and self._nearline is not None:
            verdict = await self._nearline.final(name)
            yield verdict
        if until_people_decide and self._people is not None:
            async for changed in self._people.watch(verdict):
                yield changed

    async def appeal(self, name: str, text: str, *, tenant: str = DEFAULT_TENANT, locale: str = "") -> Verdict:
        """The person who asked asks people to look again; the verdict as it stands then, in `locale`.

        Raises GatepostError as People.appeal, and FAILED_PRECONDITION (RECORD_OFF) where there are no people.
        """
        if locale:
            check_locale(locale)
        check_text(text, MOST_TEXT, "message")
        verdict = await self.verdict(name, tenant=tenant)
        if self._people is None:
            raise GatepostError(
                ErrorCode.FAILED_PRECONDITION, ErrorReason.RECORD_OFF, "there is no record to appeal in"
            )
        return await self._people.appeal(verdict, text, locale=locale or None)

    async def _moderate(
        self,
        request: ModerationRequest,
        policy: Policy,
        timeout_s: float,
        priority: Priority,
        started: float,
        hurry: Hurry,
    ) -> Verdict:
        name = f"verdicts/{unique()}"
        try:
            if self._recorder is not None:
                self._recorder.check()
            verdict = await self._judge(name, request, policy, timeout_s, priority, started, hurry)
            if self._recorder is not None:
                with step(self._tracer, "record"):
                    await self._recorder.write(request, verdict)
        except GatepostError as error:
            if self._nearline is None:
                raise
            with step(self._tracer, "hold"):
                return await self._nearline.hold(name, request, policy, error, started)
        given = verdict if request.want_embedding else without_embedding(verdict)
        await self._store.put(given)
        return given

    async def _judge(
        self,
        name: str,
        request: ModerationRequest,
        policy: Policy,
        timeout_s: float,
        priority: Priority,
        started: float,
        hurry: Hurry,
    ) -> Verdict:
        sent_request, request = request, with_quoted(request, policy)
        sent = time.monotonic()
        with step(self._tracer, "score"):
            seen = await self._score(request, timeout_s, priority, hurry)
        scored = time.monotonic()
        with step(self._tracer, "policy"):
            if is_quick(seen, request):  # less than a thread's turn costs
                evidence, judgement = judge(seen, request, policy, lexicon=self._lexicon)
            else:  # a page of text and 64 texts to compare it with take a while, in which others must be served
                evidence, judgement = await asyncio.to_thread(judge, seen, request, policy, lexicon=self._lexicon)
        if judgement.decision is Decision.ALLOW and not self._trusted():  # lost since the evidence came
            raise not_trusted()
        ticket = release(name, request, evidence, judgement, policy.ticket_terms, self._signer)
        verdict = Verdict(
            name=name,
            request_id=request.request_id,
            judgement=judgement,
            evidence=evidence,
            created=time.time(),
            timings_ms=timings_ms(evidence.reports, scoring_s=scored - sent, total_s=time.monotonic() - started),
            tenant=request.tenant,
            ticket=ticket,
        )
        if self._shadows is not None:
            self._shadows.see(seen, sent_request, verdict)
        return verdict

    async def _score(self, request: ModerationRequest, timeout_s: float, priority: Priority, hurry: Hurry) -> Evidence:
        asked = asking(request, self._bank, recorded=self._recorder is not None)
        evidence = await unless(hurry, self._scorer.score(asked, timeout_s=timeout_s, priority=priority))
        if evidence is None:
            raise GatepostError(ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "nobody can wait for it any longer")
        if self._bank is not None:
            evidence = await self._bank.apply(evidence, request)
        if self._recorder is not None:
            return evidence  # the record tells by its embedding what an image is like
        return evidence if request.want_embedding or not evidence.embedding else replace(evidence, embedding=())

    async def _known(self, key: bytes, timeout_s: float) -> Verdict | None:
        """The verdict that the same request had; of one that is pending, what comes of it, if that is in time."""
        name = self._once.known(key)
        verdict = await self._find(name) if name is not None else None
        if verdict is not None and verdict.judgement.decision is Decision.ALLOW:
            if not self._trusted():
                return None  # judged anew, which fails until somebody vouches for the models again
            if self._bank is not None and verdict.created <= self._bank.changed + _JUDGING_S:
                return None  # judged anew, with the examples of now
        if verdict is None or not verdict.pending or self._nearline is None:
            return verdict
        final = await unless(self._once.hurried, self._nearline.final(verdict.name), within_s=max(0.0, timeout_s))
        return final if final is not None else verdict

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
