"""The caller's trace goes on in the server. Off unless asked for; needs gatepost-client[tracing]."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from gatepost_client._version import __version__

Headers = tuple[tuple[str, str], ...]  # gRPC metadata


class Tracing(Protocol):
    """What a client does about traces."""

    def call(self, request: Any) -> AbstractContextManager[Headers]:
        """Around one try of one call; gives what goes with it."""
        ...

    def carried(self) -> Headers:
        """What goes with a stream, which is part of whatever the caller is doing."""
        ...


class Untraced:
    """Nothing is recorded, nothing is sent."""

    _nothing: AbstractContextManager[Headers] = nullcontext(())

    def call(self, request: Any) -> AbstractContextManager[Headers]:  # noqa: ARG002 - as Tracing has it
        """As Tracing."""
        return self._nothing

    def carried(self) -> Headers:
        """As Tracing."""
        return ()


class Traced:
    """Client spans by the application's own tracer provider. ImportError where opentelemetry-api is missing."""

    def __init__(self) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.propagate import inject
        except ImportError as error:
            raise ImportError("tracing needs opentelemetry-api: pip install 'gatepost-client[tracing]'") from error
        self._tracer = trace.get_tracer("gatepost_client", __version__)
        self._client = trace.SpanKind.CLIENT
        self._inject = inject

    @contextmanager
    def call(self, request: Any) -> Iterator[Headers]:
        """As Tracing."""
        service, method = _method_of(request)
        attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
        with self._tracer.start_as_current_span(f"{service}/{method}", kind=self._client, attributes=attributes):
            yield self.carried()

    def carried(self) -> Headers:
        """As Tracing."""
        headers: dict[str, str] = {}
        self._inject(headers)
        return tuple(headers.items())


def _method_of(request: Any) -> tuple[str, str]:
    """The service and the method that take this message."""
    for service in request.DESCRIPTOR.file.services_by_name.values():
        for method in service.methods:
            if method.input_type is request.DESCRIPTOR:
                return service.full_name, method.name
    raise ValueError(f"no method takes a {request.DESCRIPTOR.name}")
