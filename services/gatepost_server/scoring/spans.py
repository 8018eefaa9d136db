"""Spans of a trace that say how a step ended, and nothing that a request held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.propagate import inject
from opentelemetry.trace import (
    INVALID_SPAN,
    NoOpTracer,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)

from gatepost_server.domain.errors import GatepostError

UNTRACED: AbstractContextManager[Span] = nullcontext(INVALID_SPAN)


def is_off(tracer: Tracer) -> bool:
    """Whether nobody asked for traces: then even OpenTelemetry's spans that do nothing are too dear."""
    return isinstance(tracer, NoOpTracer)


def step(tracer: Tracer, name: str, *, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[Span]:
    """A span around the block, the parent of those within. A failure is named by its reason or type.

    OpenTelemetry's own way would write down messages and stack traces, which may quote a text.
    """
    return UNTRACED if is_off(tracer) else _traced(tracer, name, kind)


def carried() -> dict[str, str] | None:
    """W3C headers with which the trace of the moment goes on elsewhere; None where there is none."""
    if not get_current_span().is_recording():
        return None
    headers: dict[str, str] = {}
    inject(headers)
    return headers


@contextmanager
def _traced(tracer: Tracer, name: str, kind: SpanKind) -> Iterator[Span]:
    with tracer.start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False) as span:
        try:
            yield span
        except BaseException as error:
            why = error.reason.value if isinstance(error, GatepostError) else type(error).__name__
            span.set_status(Status(StatusCode.ERROR, why))
            raise
