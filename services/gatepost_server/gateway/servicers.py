"""The gRPC methods. They translate and delegate; errors leave as GatepostError (gateway.interceptors)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import structlog
from opentelemetry.trace import Tracer
from typing_extensions import override

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, policy_pb2, policy_pb2_grpc, verdict_pb2
from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.domain.unique import unique
from gatepost_server.gateway.admission import Admission
from gatepost_server.gateway.allowance import Allowance
from gatepost_server.gateway.credentials.caller import caller, caller_still
from gatepost_server.gateway.images import ImageFetcher
from gatepost_server.gateway.interceptors import Context, internal_error, shown
from gatepost_server.gateway.status import status_of
from gatepost_server.gateway.stream import Incoming, ModerationStream
from gatepost_server.gateway.tenants import Tenants
from gatepost_server.gateway.tracing import describe
from gatepost_server.gateway.traffic import Traffic
from gatepost_server.gateway.watching import Watching
from gatepost_server.gateway.wire import policy_to_wire, priority_from_wire, request_from_wire, verdict_to_wire
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.spans import step

Annotate = Callable[[bytes, verdict_pb2.Verdict], bytes]

DEFAULT_PAGE = 100
MAX_PAGE = 1_000

_log = structlog.get_logger("gatepost.gateway")


@dataclass(frozen=True, slots=True)
class Timing:
    """Deadlines, in seconds."""

    most_s: float
    margin_s: float

    def left(self, remaining_s: float | None) -> float:
        """What the scorer may take of a call that has `remaining_s` left (None: no deadline)."""
        return self.most_s if remaining_s is None else min(self.most_s, remaining_s - self.margin_s)


class ModerationServicer(moderation_pb2_grpc.ModerationServiceServicer):
    """gatepost.v1.ModerationService."""

    def __init__(
        self,
        moderator: Moderator,
        fetcher: ImageFetcher,
        admission: Admission,
        tenants: Tenants,
        allowance: Allowance,
        annotate: Annotate,
        timing: Timing,
        *,
        stream_window: int,
        max_streams: int,
        watching: Watching,
        max_image_bytes: int,
        told: Traffic,
        tracer: Tracer,
        log_text: bool = False,
    ) -> None:
        self._moderator = moderator
        self._fetcher = fetcher
        self._admission = admission
        self._tenants = tenants
        self._allowance = allowance
        self._annotate = annotate
        self._timing = timing
        self._stream_window = stream_window
        self._max_streams = max_streams
        self._max_image_bytes = max_image_bytes
        self._told = told
        self._tracer = tracer
        self._log_text = log_text
        self._streams = 0
        self._watching = watching

    @override
    async def Moderate(self, request: wire.ModerateRequest, context: Context) -> wire.ModerateResponse:
        """One image. Admission is the interceptor's."""
        request_id = request.request_id
        if not request_id:
            request_id = unique().hex
            structlog.contextvars.bind_contextvars(request_id=request_id)
        verdict = await self._judge(request, request_id, context.time_remaining(), Priority.INTERACTIVE)
        return wire.ModerateResponse(verdict=verdict)

    @override
    async def ModerateStream(  # type: ignore[override] # answers are written, not yielded: they come from many tasks
        self, requests: AsyncIterator[Incoming], context: Context
    ) -> None:
        """Many images; see gateway.stream."""
        if self._streams >= self._max_streams:
            raise GatepostError(
                ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "too many streams are open", retry_after_s=1.0
            )

        async def judge(request: wire.ModerateRequest) -> wire.ModerateStreamResponse:
            try:
                with step(self._tracer, "image"):
                    verdict = await self._judge(request, request.request_id, context.time_remaining(), Priority.RESCAN)
            except GatepostError as error:
                return self._refusal(error, request)
            except Exception as error:  # noqa: BLE001 - one image's failure must not end its neighbours
                return self._refusal(internal_error(error), request)
            return wire.ModerateStreamResponse(request_id=request.request_id, verdict=verdict)

        stream = ModerationStream(
            read=context.read,
            judge=judge,
            refuse=self._refusal,
            write=context.write,
            admission=self._admission,
            allowed=lambda: self._allowance.wait(caller_still().tenant),
            window=self._stream_window,
            reserve=self._max_image_bytes,
        )
        self._streams += 1
        try:
            await stream.run()
        finally:
            self._streams -= 1

    @override
    async def GetVerdict(self, request: wire.GetVerdictRequest, context: Context) -> wire.GetVerdictResponse:
        """A verdict given earlier."""
        _no_annotated_image(request.extras)
        verdict = await self._moderator.verdict(request.name, tenant=caller().tenant)
        return wire.GetVerdictResponse(verdict=verdict_to_wire(verdict, request.extras))

    @override
    async def WatchVerdict(  # type: ignore[override] # answers are written, as in ModerateStream
        self, request: wire.WatchVerdictRequest, context: Context
    ) -> None:
        """A verdict as it stands, and again once it is final, or until people decide."""
        _no_annotated_image(request.extras)
        verdicts = self._moderator.watch(
            request.name, tenant=caller().tenant, until_people_decide=request.until_people_decide
        )
        await self._watching.run(verdicts, request, context)

    @override
    async def AppealVerdict(self, request: wire.AppealVerdictRequest, context: Context) -> wire.AppealVerdictResponse:
        """People look again."""
        structlog.contextvars.bind_contextvars(locale=request.locale[:35])
        verdict = await self._moderator.appeal(
            request.name, request.message, tenant=caller().tenant, locale=request.locale
        )
        _log.info("appealed", verdict=verdict.name)
        return wire.AppealVerdictResponse(verdict=verdict_to_wire(verdict, wire.Extras()))

    async def _judge(
        self, message: wire.ModerateRequest, request_id: str, remaining_s: float | None, priority: Priority
    ) -> verdict_pb2.Verdict:
        started = time.monotonic()
        source = message.WhichOneof("source")
        if source is None:
            raise invalid(ErrorReason.IMAGE_MISSING, "neither image nor image_uri is set", field="image")
        tenant = caller().tenant
        policy = self._tenants.policy_for(tenant, message.policy)
        request = replace(request_from_wire(message, request_id=request_id), tenant=tenant, policy=policy)
        if source == "image_uri":
            self._moderator.check(request)  # before anything is fetched for it
            request = replace(request, image=await self._fetcher.fetch(message.image_uri))
        left_s = self._timing.left(remaining_s) - (time.monotonic() - started)
        priority = priority_from_wire(message, default=priority)
        verdict = await self._moderator.moderate(request, timeout_s=left_s, priority=priority, started=started)
        self._told.verdict(verdict, priority)
        describe(verdict)
        self._log_verdict(request, verdict)
        answer = verdict_to_wire(verdict, message.extras)
        if message.extras.annotated_image and verdict.evidence is not None:
            answer.annotated_image = await self._annotated(request.image, verdict)
        return answer

    async def _annotated(self, image: bytes, verdict: Verdict) -> bytes:
        """The image with boxes; empty when it cannot be drawn, for the verdict matters more."""
        full = verdict_to_wire(verdict, wire.Extras(evidence=True))
        try:
            return await asyncio.to_thread(self._annotate, image, full)
        except (OSError, ValueError) as error:
            _log.warning("annotate_failed", request_id=verdict.request_id, error=type(error).__name__)
            return b""

    def _refusal(self, error: GatepostError, request: wire.ModerateRequest) -> wire.ModerateStreamResponse:
        """One image of a stream is refused."""
        self._told.refused(error)
        return _refusal(error, request)

    def _log_verdict(self, request: ModerationRequest, verdict: Verdict) -> None:
        judgement = verdict.judgement
        fields: dict[str, object] = {
            "request_id": verdict.request_id,
            "verdict": verdict.name,
            "tenant": verdict.tenant,
            "decision": judgement.decision.value,
            "reasons": [
                f"{reason.code.value}:{reason.category.value if reason.category else reason.detail}"
                for reason in judgement.reasons
            ],
            "policy": f"{judgement.policy}@{judgement.policy_version}",
            "timings_ms": dict(verdict.timings_ms),
        }
        if self._log_text and verdict.evidence is not None:
            fields |= {"prompt": request.prompt, "texts": [line.text for line in verdict.evidence.lines]}
        _log.info("moderated", **fields)


class PolicyServicer(policy_pb2_grpc.PolicyServiceServicer):
    """gatepost.v1.PolicyService."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    @override
    async def ListPolicies(
        self, request: policy_pb2.ListPoliciesRequest, context: Context
    ) -> policy_pb2.ListPoliciesResponse:
        """Those that the tenant may name, by name; the page token is the last name of the page before."""
        after = _after(request.page_token)
        size = min(request.page_size or DEFAULT_PAGE, MAX_PAGE)
        policies = self._tenants.book(caller().tenant)
        rest = [policy for policy in policies if policy.name > after]
        page = rest[:size]
        return policy_pb2.ListPoliciesResponse(
            policies=[policy_to_wire(policy, is_default=policy.name == policies.default) for policy in page],
            next_page_token=_token(page[-1].name) if len(rest) > size else "",
        )

    @override
    async def GetPolicy(self, request: policy_pb2.GetPolicyRequest, context: Context) -> policy_pb2.GetPolicyResponse:
        """One policy."""
        policies = self._tenants.book(caller().tenant)
        policy = policies.get(request.name)
        return policy_pb2.GetPolicyResponse(policy=policy_to_wire(policy, is_default=policy.name == policies.default))


def _no_annotated_image(extras: wire.Extras) -> None:
    if extras.annotated_image:
        raise invalid(ErrorReason.FIELD_INVALID, "annotated images are not kept", field="extras.annotated_image")


def _refusal(error: GatepostError, request: wire.ModerateRequest) -> wire.ModerateStreamResponse:
    request_id, locale = shown(request)
    _log.info("refused", request_id=request_id, reason=error.reason.value, field=error.field)
    status = status_of(error, request_id=request_id, locale=locale)
    return wire.ModerateStreamResponse(
        request_id=request.request_id,
        error=verdict_pb2.StreamError(code=status.code, message=status.message, details=status.details),
    )


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _after(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid(ErrorReason.FIELD_INVALID, "page_token is not one of ours", field="page_token") from None
