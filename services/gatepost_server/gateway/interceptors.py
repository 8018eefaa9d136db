"""What happens around every gRPC method: decoding, admission, errors to statuses, logging of refusals."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import structlog
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status
from opentelemetry.trace import Tracer

from gatepost.v1 import moderation_pb2, policy_pb2, ticket_pb2
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.gateway.admission import Admission
from gatepost_server.gateway.allowance import Allowance
from gatepost_server.gateway.credentials.caller import caller
from gatepost_server.gateway.malformed import tolerant_decoder
from gatepost_server.gateway.status import status_of
from gatepost_server.gateway.wire import priority_from_wire
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.spans import step

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
Refused = Callable[[GatepostError], None]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any]"]]

MODERATE = "/gatepost.v1.ModerationService/Moderate"

_log = structlog.get_logger("gatepost.gateway")


def internal_error(error: Exception) -> GatepostError:
    """A fault of ours: where it was goes to the log, without its message, which may quote a text."""
    frames = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error("internal_error", error=type(error).__name__, frames=frames)
    return GatepostError(ErrorCode.INTERNAL, ErrorReason.INTERNAL, "an internal error")


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """The outermost: whatever a method of ours raises becomes a typed status.

    Messages are decoded tolerantly; one that cannot be read reaches the next behaviour as a GatepostError.
    """

    def __init__(self, refused: Refused = lambda _: None) -> None:
        """`refused` hears of every error that a call ends with."""
        self._refused = refused
        self._decoders = {
            f"/{service.full_name}/{method.name}": tolerant_decoder(GetMessageClass(method.input_type))
            for file in (moderation_pb2.DESCRIPTOR, policy_pb2.DESCRIPTOR, ticket_pb2.DESCRIPTOR)
            for service in _services(file)
            for method in service.methods
        }

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """As grpc.aio.ServerInterceptor."""
        handler = await continuation(handler_call_details)
        decoder = self._decoders.get(handler_call_details.method)
        if handler is None or decoder is None:
            return handler
        methods: Any = handler  # the stubs know the synchronous behaviours only
        serializer = handler.response_serializer
        if methods.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._typed(_raising(methods.unary_unary)), decoder, serializer)
        if methods.stream_unary is not None:
            return grpc.stream_unary_rpc_method_handler(self._typed(methods.stream_unary), decoder, serializer)
        if methods.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._typed(_raising(methods.unary_stream)), decoder, serializer
            )
        return grpc.stream_stream_rpc_method_handler(self._typed(methods.stream_stream), decoder, serializer)

    def _typed(self, behaviour: Behaviour) -> Behaviour:
        async def guarded(request: Any, context: Context) -> Any:
            try:
                return await behaviour(request, context)
            except GatepostError as error:
                await abort(context, error, self._refused)
            except Exception as error:  # noqa: BLE001 - the last guard: callers get a typed status, never a stack trace
                await abort(context, internal_error(error), self._refused)

        return guarded


class AdmissionInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """Lets an image in before its bytes are read.

    Moderate is served as if its request were a stream of one message: the wire is the same, and a request that
    is refused never costs the memory of its image.
    """

    def __init__(
        self, admission: Admission, allowance: Allowance, tracer: Tracer, *, reserve: int, timeout_s: float
    ) -> None:
        """`reserve` bytes are counted for an image given by URI; a caller has `timeout_s` to send its message."""
        self._admission = admission
        self._allowance = allowance
        self._tracer = tracer
        self._reserve = reserve
        self._timeout_s = timeout_s

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """As grpc.aio.ServerInterceptor."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method != MODERATE:
            return handler
        methods: Any = handler
        behaviour: Behaviour = methods.unary_unary

        async def admitted(_: Any, context: Context) -> Any:
            with self._admission.enter() as ticket:
                self._allowance.take(caller().tenant)  # after the place: what finds none is not counted
                with step(self._tracer, "read"):
                    request = await self._first(context)
                size = self._reserve if request.image_uri else len(request.image)
                ticket.known(size, priority_from_wire(request, default=Priority.INTERACTIVE))
                return await behaviour(request, context)

        return grpc.stream_unary_rpc_method_handler(admitted, handler.request_deserializer, handler.response_serializer)

    async def _first(self, context: Context) -> Any:
        try:
            # Not the request iterator: gRPC's is a reference cycle, and would keep the image until gc runs.
            async with asyncio.timeout(self._timeout_s):
                request = await context.read()
        except TimeoutError:
            raise GatepostError(
                ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "the request did not arrive in time"
            ) from None
        if request is grpc.aio.EOF:  # type: ignore[attr-defined] # missing in the stubs
            raise invalid(ErrorReason.FIELD_INVALID, "no request was sent", field="")
        if isinstance(request, GatepostError):
            raise request
        request_id, locale = shown(request)
        structlog.contextvars.bind_contextvars(request_id=request_id, locale=locale)
        return request


def shown(request: moderation_pb2.ModerateRequest) -> tuple[str, str]:
    """Id and locale of a request that is not checked yet, cut: both end up in logs and in statuses."""
    return request.request_id[:128], request.locale[:35]


def _raising(behaviour: Behaviour) -> Behaviour:
    async def checked(request: Message | GatepostError, context: Context) -> Any:
        if isinstance(request, GatepostError):
            raise request
        return await behaviour(request, context)

    return checked


async def abort(context: Context, error: GatepostError, refused: Refused) -> None:
    """End the call with the error's status and all its details; `refused` hears of it."""
    refused(error)
    known = structlog.contextvars.get_contextvars()
    request_id = str(known.get("request_id", ""))
    _log.info("refused", request_id=request_id, reason=error.reason.value, field=error.field)
    status = rpc_status.to_status(status_of(error, request_id=request_id, locale=str(known.get("locale", ""))))
    await context.abort(status.code, status.details, status.trailing_metadata)


def _services(file: FileDescriptor) -> list[Any]:
    return list(file.services_by_name.values())
