"""gRPC statuses to typed errors, the same for calls, streams and both clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from gatepost.v1 import verdict_pb2
from gatepost_client.errors import ERROR_FOR_STATUS, GatepostError, InvalidRequest, ServerError

_DETAILS_KEY = "grpc-status-details-bin"
_STATUS_BY_NUMBER: dict[int, grpc.StatusCode] = {status.value[0]: status for status in grpc.StatusCode}


def error_from_rpc(error: grpc.RpcError, request_id: str) -> GatepostError:
    """The typed error of a failed call; sync and async calls give the same."""
    code: grpc.StatusCode = error.code()
    message: str = error.details() or code.name
    return _error(code, message, _details(error), request_id)


def error_from_stream(error: verdict_pb2.StreamError, request_id: str) -> GatepostError:
    """The typed error of one image of a stream."""
    code = _STATUS_BY_NUMBER.get(error.code, grpc.StatusCode.UNKNOWN)
    return _error(code, error.message or code.name, error.details, request_id)


def _details(error: grpc.RpcError) -> Sequence[Any]:
    # Pairs, in both clients, whatever the stubs call them.
    metadata = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    for key, value in metadata:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return tuple(status_pb2.Status.FromString(value).details)
            except DecodeError:  # another server's, or a proxy's; the status itself still counts
                return ()
    return ()


def _error(code: grpc.StatusCode, message: str, details: Iterable[Any], request_id: str) -> GatepostError:
    if code is grpc.StatusCode.OK:  # a failure that calls itself a success is no success
        code = grpc.StatusCode.UNKNOWN
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    localized = error_details_pb2.LocalizedMessage()
    for detail in details:
        for known in (info, bad, retry, localized):
            try:
                detail.Unpack(known)
            except DecodeError:  # as above
                known.Clear()
    kind, reason = ERROR_FOR_STATUS[code], info.reason
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and not reason and "message larger than max" in message:
        # gRPC's own limits share the status of overload, but trying again cannot help.
        kind, reason = InvalidRequest, "MESSAGE_TOO_LARGE"
    return kind(
        message,
        reason=reason,
        code=code,
        field=next((violation.field for violation in bad.field_violations if violation.field), None),
        request_id=request_id,
        retry_after=_seconds(retry) if retry.HasField("retry_delay") else None,
        user_message=localized.message,
    )


def _seconds(retry: error_details_pb2.RetryInfo) -> float:
    delay = retry.retry_delay
    return max(0.0, float(delay.seconds) + float(delay.nanos) * 1e-9)


def malformed(what: str, request_id: str) -> ServerError:
    """An answer that breaks the protocol."""
    return ServerError(what, reason="ANSWER_MALFORMED", code=grpc.StatusCode.INTERNAL, request_id=request_id)
