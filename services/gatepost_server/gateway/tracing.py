"""OpenTelemetry's tracer as the settings have it: off unless there is somewhere to send spans to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import version

from opentelemetry.trace import NoOpTracer, Tracer, get_current_span

from gatepost_server.domain.decision import Verdict
from gatepost_server.gateway.settings import GatewaySettings

NAME = "gatepost"


@contextlib.contextmanager
def open_tracer(settings: GatewaySettings) -> Iterator[Tracer]:
    """Sends what is recorded while the block runs, the rest at its end. Raises OSError where the extra is missing.

    A receiver that is away costs spans, never a verdict: they are sent by a thread of their own, from a bounded queue.
    """
    if settings.otlp is None:
        yield NoOpTracer()
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise OSError(f"otlp needs gatepost[tracing]: {error}") from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": "gatepost-gateway", "service.version": version("gatepost")}),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_share)),
        shutdown_on_exit=False,
    )
    secure = settings.otlp.startswith("https://")
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.otlp, insecure=not secure)))
    try:
        yield provider.get_tracer(NAME)
    finally:
        provider.shutdown()


def describe(verdict: Verdict) -> None:
    """Say in the span of the moment which verdict it led to; never what was read or asked."""
    span = get_current_span()
    if span.is_recording():
        judgement = verdict.judgement
        span.set_attributes(
            {
                "gatepost.request_id": verdict.request_id,
                "gatepost.verdict": verdict.name,
                "gatepost.tenant": verdict.tenant,
                "gatepost.decision": judgement.decision.value,
                "gatepost.policy": f"{judgement.policy}@{judgement.policy_version}",
            }
        )
