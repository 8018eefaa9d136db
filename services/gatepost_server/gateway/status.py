"""GatepostError -> google.rpc.Status with the details that clients match on."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from gatepost_server.domain.errors import ErrorCode, GatepostError
from gatepost_server.gateway.localized import localized_message

DOMAIN = "gatepost.dev"
DEFAULT_RETRY_S = 1.0

CODES: Mapping[ErrorCode, int] = {
    ErrorCode.INVALID_ARGUMENT: code_pb2.INVALID_ARGUMENT,
    ErrorCode.UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    ErrorCode.PERMISSION_DENIED: code_pb2.PERMISSION_DENIED,
    ErrorCode.NOT_FOUND: code_pb2.NOT_FOUND,
    ErrorCode.FAILED_PRECONDITION: code_pb2.FAILED_PRECONDITION,
    ErrorCode.RESOURCE_EXHAUSTED: code_pb2.RESOURCE_EXHAUSTED,
    ErrorCode.DEADLINE_EXCEEDED: code_pb2.DEADLINE_EXCEEDED,
    ErrorCode.UNAVAILABLE: code_pb2.UNAVAILABLE,
    ErrorCode.INTERNAL: code_pb2.INTERNAL,
}
_RETRYABLE = frozenset({ErrorCode.RESOURCE_EXHAUSTED, ErrorCode.UNAVAILABLE})


def status_of(error: GatepostError, *, request_id: str = "", locale: str = "en") -> status_pb2.Status:
    """The status with ErrorInfo and LocalizedMessage; BadRequest for a field, RetryInfo where retrying may help."""
    metadata = {"request_id": request_id} if request_id else {}
    if error.field:
        metadata["field"] = error.field
    chosen, text = localized_message(error.reason, locale)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN, metadata=metadata),
        error_details_pb2.LocalizedMessage(locale=chosen, message=text),
    ]
    if error.field and error.code is ErrorCode.INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=error.message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.code in _RETRYABLE:
        delay = Duration()
        delay.FromMilliseconds(round(1_000 * (error.retry_after_s or DEFAULT_RETRY_S)))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=CODES[error.code], message=error.message)
    for detail in details:
        status.details.add().Pack(detail)
    return status
