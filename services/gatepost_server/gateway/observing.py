"""Around every gRPC method of ours, outermost: how calls end, how long they take, and the trace that they belong to."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import grpc
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from gatepost_server.gateway.credentials.methods import OPEN, ROLES
from gatepost_server.gateway.interceptors import Behaviour, Context, Continuation
from gatepost_server.scoring.spans import UNTRACED, is_off

NOT_OURS = ("/grpc.health.", "/grpc.reflection.")  # asked by machines all the time
UNKNOWN = "(unknown)"  # whoever asks for what there is not could name anything, and each name would stay in memory

Ended = Callable[[str, grpc.StatusCode, float], None]  # method, status, seconds


class ObservingInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """Tells of every call that ends. A caller's trace (W3C traceparent in its metadata) goes on in the gateway's."""

    def __init__(self, tracer: Tracer, ended: Ended) -> None:
        self._tracer = tracer
        self._ended = ended

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """As grpc.aio.ServerInterceptor."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(NOT_OURS):
            return handler
        methods: Any = handler  # the stubs know the synchronous behaviours only
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            if (behaviour := getattr(methods, kind)) is not None:
                build = getattr(grpc, f"{kind}_rpc_method_handler")
                observed: grpc.RpcMethodHandler[Any, Any] = build(
                    self._observed(method, behaviour, handler_call_details),
                    handler.request_deserializer,
                    handler.response_serializer,
                )
                return observed
        return handler

    def _observed(self, method: str, behaviour: Behaviour, details: grpc.HandlerCallDetails) -> Behaviour:
        known = method if method in ROLES or method in OPEN else f"{UNKNOWN}/{UNKNOWN}"
        service, _, name = known.removeprefix("/").partition("/")

        async def observed(request: Any, context: Context) -> Any:
            started = time.monotonic()
            with self._span(service, name, details) as span:
                cancelled = True
                try:
                    answer = await behaviour(request, context)
                    cancelled = False
                    return answer
                except grpc.aio.AbortError:
                    cancelled = False
                    raise
                finally:
                    code = grpc.StatusCode.CANCELLED if cancelled else _code(context)
                    span.set_attribute("rpc.grpc.status_code", code.value[0])
                    if code is not grpc.StatusCode.OK:
                        span.set_status(Status(StatusCode.ERROR, code.name))
                    self._ended(name, code, time.monotonic() - started)

        return observed

    def _span(self, service: str, name: str, details: grpc.HandlerCallDetails) -> AbstractContextManager[Span]:
        if is_off(self._tracer):
            return UNTRACED
        return self._tracer.start_as_current_span(
            f"{service}/{name}",
            context=extract(_text(details)),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": name},
            record_exception=False,  # grpc.aio ends refused calls with an exception of its own
            set_status_on_exception=False,
        )


def _text(details: grpc.HandlerCallDetails) -> dict[str, str]:
    return {key: value for key, value in details.invocation_metadata or () if isinstance(value, str)}


def _code(context: Context) -> grpc.StatusCode:
    """As it was set; grpc.aio gives a number where it is none, and 0 where nothing was said."""
    code: Any = context.code()
    if isinstance(code, grpc.StatusCode):
        return code
    return next((each for each in grpc.StatusCode if each.value[0] == code), grpc.StatusCode.OK)
