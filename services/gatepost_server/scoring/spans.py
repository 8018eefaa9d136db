"""Spans of a trace that say how a step ended, and nothing that a request held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from gatepost_server.domain.errors import GatepostError


@contextmanager
def step(tracer: Tracer, name: str, *, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
    """A span around the block, the parent of those within. A failure is named by its reason or type.

    OpenTelemetry's own way would write down messages and stack traces, which may quote a text.
    """
    with tracer.start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False) as span:
        try:
            yield span
        except BaseException as error:
            why = error.reason.value if isinstance(error, GatepostError) else type(error).__name__
            span.set_status(Status(StatusCode.ERROR, why))
            raise
