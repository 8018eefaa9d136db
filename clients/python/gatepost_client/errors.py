"""What can go wrong, as one tree.

```
GatepostError                 anything below; catch this one
├── InvalidRequest            the request or its image is at fault: see `field` and `reason`
├── NotFound                  no verdict or policy of that name
├── Unauthenticated           no token or client certificate, or one that the server does not know
├── PermissionDenied          known, but not allowed to do this
├── Overloaded                too much in flight; try again after `retry_after`
├── DeadlineExceeded          no answer within the time-out
├── Cancelled                 the call was cancelled on either side
├── Unavailable               no server there, or it is starting or draining
└── ServerError               the server failed, or speaks another version of the protocol
```

None of these ever means that an image may be shown. Wrong argument types are not in the tree: they
are `TypeError`, for they are mistakes of the program and not of a request.
"""

# ruff: noqa: N818 - these are named as gRPC names its statuses

from __future__ import annotations

from typing import Self

import grpc


class GatepostError(Exception):
    """A call that gave no verdict.

    message: for developers, in English.
    reason: stable UPPER_SNAKE word to match on, e.g. "IMAGE_TRUNCATED"; "" where the server gave none.
    code: the gRPC status; for what fails before it is sent, the status that the server would have given.
    field: the request field at fault, e.g. "image" or "expected_text[2]"; None where no one field is.
    request_id: the request that failed, for support; "" for calls that have none.
    retry_after: seconds after which trying again may help; None where the server does not say.
    user_message: what may be told to the person who asked, in their language; "" where there is nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        field: str | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        user_message: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.code = code
        self.field = field
        self.request_id = request_id
        self.retry_after = retry_after
        self.user_message = user_message

    def __str__(self) -> str:
        head = self.reason or self.code.name
        where = f" (field {self.field})" if self.field else ""
        tail = f" [request {self.request_id}]" if self.request_id else ""
        return f"{head}: {self.message}{where}{tail}"

    def detached(self) -> Self:
        """The error without the frames that raised it, for these hold the image for as long as the error lives."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self

    def __reduce__(self) -> tuple[object, ...]:  # exceptions with keyword arguments do not pickle by themselves
        return _rebuilt, (type(self), self.message, {**self.__dict__})


def _rebuilt(kind: type[GatepostError], message: str, attributes: dict[str, object]) -> GatepostError:
    error = kind(message)
    error.__dict__.update(attributes)
    return error


class InvalidRequest(GatepostError):
    """The request or its image is at fault; the same request can never succeed."""


class NotFound(GatepostError):
    """There is no verdict or policy of that name."""


class Unauthenticated(GatepostError):
    """The server does not know who is calling."""


class PermissionDenied(GatepostError):
    """The caller may not do this."""


class Overloaded(GatepostError):
    """Too much is in flight; `retry_after` says when to come back."""


class DeadlineExceeded(GatepostError):
    """No answer came within the time-out."""


class Cancelled(GatepostError):
    """The call was cancelled."""


class Unavailable(GatepostError):
    """No server could be reached, or it is starting or draining."""


class ServerError(GatepostError):
    """The server failed, or answered with something that this version does not understand."""


# Every status but OK. FAILED_PRECONDITION, OUT_OF_RANGE and ALREADY_EXISTS all say that the same request
# cannot succeed as it stands.
ERROR_FOR_STATUS: dict[grpc.StatusCode, type[GatepostError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.ALREADY_EXISTS: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.INTERNAL: ServerError,
    grpc.StatusCode.UNKNOWN: ServerError,
    grpc.StatusCode.DATA_LOSS: ServerError,
    grpc.StatusCode.ABORTED: ServerError,
    grpc.StatusCode.UNIMPLEMENTED: ServerError,
}


def invalid_image(reason: str, message: str) -> InvalidRequest:
    """An image that fails before it is sent."""
    return InvalidRequest(message, reason=reason, code=grpc.StatusCode.INVALID_ARGUMENT, field="image")
