"""A Scorer that tells how long the models took, stage by stage: innermost, where the evidence is always fresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from opentelemetry.trace import SpanKind, Tracer

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import Evidence, StageReport
from gatepost_server.scoring.base import Priority, Scorer
from gatepost_server.scoring.spans import step

MODELS = "models"  # the span of one call
CLOCK = "gatepost.clock"  # "shared", or "aligned" where the stages' clock is another host's

_NS = 1_000_000_000


class ObservedScorer:
    """Adds nothing to what it asks. Its spans have the stages as children."""

    def __init__(self, scorer: Scorer, tracer: Tracer, told: Callable[[Sequence[StageReport], float], None]) -> None:
        """`told` hears of every image that the models looked at: the stages' reports and the seconds of the call."""
        self._scorer = scorer
        self._tracer = tracer
        self._told = told

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score."""
        with step(self._tracer, MODELS, kind=SpanKind.CLIENT) as span:
            sent = time.monotonic()
            evidence = await self._scorer.score(request, timeout_s=timeout_s, priority=priority)
            answered = time.monotonic()
            self._told(evidence.reports, answered - sent)
            if span.is_recording():
                _add_stages(self._tracer, evidence.reports, sent, answered)
            return evidence

    async def ready(self) -> bool:
        """As Scorer.ready."""
        return await self._scorer.ready()

    async def close(self) -> None:
        """As Scorer.close."""
        await self._scorer.close()


def shift(reports: Sequence[StageReport], sent: float, answered: float) -> tuple[float, bool]:
    """What to add to the stages' clock to have this host's, in seconds, and whether the clock is shared.

    CLOCK_MONOTONIC is one host's, for all of its processes and containers. Stages that worked outside of the call
    that they worked for have another host's clock: their work is put into the middle of the call, as if the way there
    took as long as the way back.
    """
    first, last = min(report.started for report in reports), max(report.ended for report in reports)
    if sent <= first and last <= answered:
        return 0.0, True
    return (sent + answered - first - last) / 2.0, False


def _add_stages(tracer: Tracer, reports: Sequence[StageReport], sent: float, answered: float) -> None:
    if not reports:
        return
    offset, shared = shift(reports, sent, answered)
    to_unix_ns = time.time_ns() - time.monotonic_ns() + round(offset * _NS)
    for report in reports:
        attributes: dict[str, str | int] = {CLOCK: "shared" if shared else "aligned"}
        attributes |= {f"gatepost.looked_at.{what}": count for what, count in report.looked_at.items()}
        attributes |= {f"gatepost.model.{model.name}": model.version for model in report.models}
        span = tracer.start_span(
            report.stage.value, start_time=round(report.started * _NS) + to_unix_ns, attributes=attributes
        )
        span.end(round(report.ended * _NS) + to_unix_ns)
