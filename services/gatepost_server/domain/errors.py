"""The few kinds of failure, each with a stable reason that clients may match on.

A stage returns these as values; the gateway's interceptor maps `code` to a gRPC status and the
rest to google.rpc.ErrorInfo and BadRequest. Messages never hold image content, text from an
image, or a path of the server.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """The error kinds, named as the gRPC status that each one becomes."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class ErrorReason(StrEnum):
    """UPPER_SNAKE reasons, stable across releases (google.rpc.ErrorInfo.reason)."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    ISSUER_UNAVAILABLE = "ISSUER_UNAVAILABLE"
    ROLE_MISSING = "ROLE_MISSING"
    TENANT_UNKNOWN = "TENANT_UNKNOWN"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    IMAGE_MISSING = "IMAGE_MISSING"
    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    IMAGE_TOO_MANY_PIXELS = "IMAGE_TOO_MANY_PIXELS"
    IMAGE_SIDE_TOO_LONG = "IMAGE_SIDE_TOO_LONG"
    IMAGE_TOO_MANY_FRAMES = "IMAGE_TOO_MANY_FRAMES"
    IMAGE_ZERO_SIZE = "IMAGE_ZERO_SIZE"
    IMAGE_FORMAT_UNSUPPORTED = "IMAGE_FORMAT_UNSUPPORTED"
    IMAGE_TRUNCATED = "IMAGE_TRUNCATED"
    IMAGE_CORRUPT = "IMAGE_CORRUPT"
    IMAGE_METADATA_TOO_LARGE = "IMAGE_METADATA_TOO_LARGE"
    IMAGE_URI_NOT_ALLOWED = "IMAGE_URI_NOT_ALLOWED"
    IMAGE_URI_UNREACHABLE = "IMAGE_URI_UNREACHABLE"
    TEXT_NOT_UTF8 = "TEXT_NOT_UTF8"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    TOO_MANY_ITEMS = "TOO_MANY_ITEMS"
    FIELD_INVALID = "FIELD_INVALID"
    LOCALE_UNKNOWN = "LOCALE_UNKNOWN"
    POLICY_UNKNOWN = "POLICY_UNKNOWN"
    REQUEST_ID_DUPLICATE = "REQUEST_ID_DUPLICATE"
    VERDICT_UNKNOWN = "VERDICT_UNKNOWN"
    OVERLOADED = "OVERLOADED"
    BACKLOG_FULL = "BACKLOG_FULL"
    RECORD_FULL = "RECORD_FULL"
    CLAIMED_BY_OTHER = "CLAIMED_BY_OTHER"
    NOTHING_TO_DECIDE = "NOTHING_TO_DECIDE"
    ESCALATED = "ESCALATED"
    NOT_TO_UNDO = "NOT_TO_UNDO"
    ALREADY_APPEALED = "ALREADY_APPEALED"
    NOTHING_TO_APPEAL = "NOTHING_TO_APPEAL"
    IMAGE_ALLOWED = "IMAGE_ALLOWED"
    NOT_TO_RELEASE = "NOT_TO_RELEASE"
    BANK_OFF = "BANK_OFF"
    RECORD_OFF = "RECORD_OFF"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    TICKETS_OFF = "TICKETS_OFF"
    TICKETS_UNAVAILABLE = "TICKETS_UNAVAILABLE"
    DRAINING = "DRAINING"
    DEADLINE = "DEADLINE"
    MODEL_SERVER_UNAVAILABLE = "MODEL_SERVER_UNAVAILABLE"
    MODELS_NOT_TRUSTED = "MODELS_NOT_TRUSTED"
    MODEL_OUTPUT_INVALID = "MODEL_OUTPUT_INVALID"
    MODEL_FAILED = "MODEL_FAILED"
    INTERNAL = "INTERNAL"


class GatepostError(Exception):
    """One failure of one request.

    `field` names the request field at fault (proto field path, e.g. "image" or "expected_text[2]").
    `retry_after_s` is set where trying again later may help.
    """

    def __init__(
        self,
        code: ErrorCode,
        reason: ErrorReason,
        message: str,
        *,
        field: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


def invalid(reason: ErrorReason, message: str, *, field: str) -> GatepostError:
    """The caller's own mistake in `field`; trying the same again cannot help."""
    return GatepostError(ErrorCode.INVALID_ARGUMENT, reason, message, field=field)
