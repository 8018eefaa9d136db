"""What Prometheus is told of calls, verdicts and the time that they take."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Histogram

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.evidence import StageReport
from gatepost_server.domain.labels import Category
from gatepost_server.domain.working import working_s
from gatepost_server.scoring.base import Priority

TENANTS = 64  # that have a label of their own: each costs some series, and an issuer may name any number
OTHERS = "(other)"  # no tenant can be called so

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
_SCORES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Traffic:
    """Counts and histograms of one gateway. Those of time have the trace of the moment as an exemplar."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "gatepost_requests", "Calls that ended, by method and gRPC status", ("method", "code"), registry=registry
        )
        self._request_seconds = Histogram(
            "gatepost_request_duration",
            "How long calls took; a stream is one call",
            ("method",),
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )
        self._verdicts = Counter(
            "gatepost_verdicts",
            f"Verdicts given to callers; tenants beyond the first {TENANTS} are {OTHERS}",
            ("decision", "tenant"),
            registry=registry,
        )
        self._final = Counter(
            "gatepost_nearline_verdicts", "What became of held images", ("decision",), registry=registry
        )
        self._held = Counter(
            "gatepost_held",
            "Images that were held and are worked on, by what went wrong",
            ("reason",),
            registry=registry,
        )
        self._reasons = Counter(
            "gatepost_reasons", "Why verdicts are not ALLOW", ("code", "category"), registry=registry
        )
        self._refusals = Counter(
            "gatepost_refusals",
            "Calls and images of streams that were refused, by reason",
            ("reason",),
            registry=registry,
        )
        self._scores = Histogram(
            "gatepost_score",
            "What the models say of images, 0 to 1, by category",
            ("category",),
            unit="ratio",
            buckets=_SCORES,
            registry=registry,
        )
        self._verdict_seconds = Histogram(
            "gatepost_verdict_duration",
            "From an image's arrival to its verdict, by urgency",
            ("priority",),
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )
        self._stage_seconds = Histogram(
            "gatepost_stage_duration",
            "How long each stage worked on an image",
            ("stage",),
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )
        self._queue_seconds = Histogram(
            "gatepost_queue_duration",
            "How long images waited: admission (streams, for a place), background (behind images that somebody waits "
            "for), models (inside the model server, transport included)",
            ("queue",),
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )
        self._score_of = {category: self._scores.labels(category.value) for category in Category}
        self._tenants: set[str] = set()
        for priority in Priority:
            self._verdict_seconds.labels(priority.name.lower())
        for reason in ErrorReason:  # 0 from the start, so that the first one is seen as a rise
            self._refusals.labels(reason.value)
            self._held.labels(reason.value)

    def call(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        """A call ended."""
        self._requests.labels(method, code.name).inc()
        self._request_seconds.labels(method).observe(seconds, exemplar())

    def refused(self, error: GatepostError) -> None:
        """A call, or an image of a stream, was refused."""
        self._refusals.labels(error.reason.value).inc()

    def held(self, error: GatepostError) -> None:
        """An image is held because of this, and worked on."""
        self._held.labels(error.reason.value).inc()

    def verdict(self, verdict: Verdict, priority: Priority) -> None:
        """A verdict is given to its caller."""
        judgement = verdict.judgement
        traced = exemplar()
        self._verdicts.labels(judgement.decision.value, self._tenant(verdict.tenant)).inc(exemplar=traced)
        for reason in judgement.reasons:
            self._reasons.labels(reason.code.value, reason.category.value if reason.category else "").inc()
        if verdict.evidence is not None:
            for category, fused in verdict.evidence.fused.items():
                self._score_of[category].observe(fused.score)
        total_ms = verdict.timings_ms.get("total", 0.0)
        self._verdict_seconds.labels(priority.name.lower()).observe(total_ms / 1_000.0, traced)

    def nearline(self, verdict: Verdict) -> None:
        """A held image has its final verdict."""
        self._final.labels(verdict.judgement.decision.value).inc()

    def looked(self, reports: Sequence[StageReport], seconds: float) -> None:
        """The models looked at an image; `seconds` is how long the call took."""
        for report in reports:
            self._stage_seconds.labels(report.stage.value).observe(report.ended - report.started)
        self._queue_seconds.labels("models").observe(max(0.0, seconds - working_s(reports)), exemplar())

    def waited(self, queue: str, seconds: float) -> None:
        """An image has waited in a queue of the gateway."""
        self._queue_seconds.labels(queue).observe(seconds, exemplar())

    def _tenant(self, name: str) -> str:
        if name in self._tenants:
            return name
        if len(self._tenants) >= TENANTS:
            return OTHERS
        self._tenants.add(name)
        return name


def exemplar() -> dict[str, str] | None:
    """The trace that this is a part of; None where nobody records one."""
    context = trace.get_current_span().get_span_context()
    return {"trace_id": trace.format_trace_id(context.trace_id)} if context.trace_flags.sampled else None
