"""Bearer tokens: who may call at all."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.gateway.localized import localized_message
from gatepost_server.gateway.status import DOMAIN

_PREFIX = "/gatepost.v1."  # health and reflection stay open: balancers carry no tokens
_OPEN = frozenset({"/gatepost.v1.TicketKeyService/ListTicketKeys"})  # public keys are public
REASON = "UNAUTHENTICATED"


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """Refuses calls without one of the tokens in `authorization: Bearer <token>`; without tokens, nothing."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._expected = tuple(f"Bearer {token}".encode() for token in tokens)
        self._refuse = grpc.stream_stream_rpc_method_handler(_refuse)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """As grpc.aio.ServerInterceptor."""
        method = handler_call_details.method
        if self._expected and method.startswith(_PREFIX) and method not in _OPEN:
            shown = b"".join(
                value if isinstance(value, bytes) else value.encode()
                for key, value in handler_call_details.invocation_metadata
                if key == "authorization"
            )
            # Every token is compared, each in constant time, so that answers tell nothing about them.
            matches = [hmac.compare_digest(shown, expected) for expected in self._expected]
            if not any(matches):
                return self._refuse
        return await continuation(handler_call_details)


async def _refuse(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Before the message is read."""
    status = status_pb2.Status(code=code_pb2.UNAUTHENTICATED, message="a valid bearer token is required")
    # In English, for the locale stands in the message. The person who asked cannot mend it: it is a fault inside.
    locale, text = localized_message(ErrorReason.INTERNAL, "en")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=REASON, domain=DOMAIN))
    status.details.add().Pack(error_details_pb2.LocalizedMessage(locale=locale, message=text))
    rich = rpc_status.to_status(status)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)
