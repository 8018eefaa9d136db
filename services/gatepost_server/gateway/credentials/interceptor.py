"""Lets calls in: who asks, and whether that role may. Before a message is read."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import grpc
import structlog

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.credentials.authenticator import Authenticator
from gatepost_server.gateway.credentials.caller import Caller, let_in
from gatepost_server.gateway.credentials.methods import OPEN, ROLES
from gatepost_server.gateway.interceptors import Context, Continuation, Refused, abort
from gatepost_server.gateway.tenants import Tenants

_log = structlog.get_logger("gatepost.gateway")


class CallerInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """Outside of whatever reads a message. Whatever is not open needs a caller whose role the method asks for."""

    def __init__(self, authenticator: Authenticator, tenants: Tenants, refused: Refused = lambda _: None) -> None:
        """`refused` hears of every call that is not let in."""
        self._authenticator = authenticator
        self._refused = refused
        self._tenants = tenants

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """As grpc.aio.ServerInterceptor."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if method in OPEN:
            return handler
        try:
            known = await self._authenticator.without_connection(_authorization(handler_call_details))
            if handler is None:
                return handler  # there is no such method, which only those who show something hear
            if known is None:
                return self._by_certificate(handler, method)
            self._admit(known, method)
        except GatepostError as error:
            return self._refusal(error, method)
        return handler

    def _admit(self, known: Caller, method: str) -> None:
        let_in(known)  # first, so that the log of a refusal says whose it was
        self._tenants.find(known.tenant)
        permit(known, method)

    def _by_certificate(self, handler: grpc.RpcMethodHandler[Any, Any], method: str) -> grpc.RpcMethodHandler[Any, Any]:
        """The certificate is known only once the method is called: gRPC shows it to nobody before."""

        async def admit(context: Context) -> None:
            try:
                self._admit(self._authenticator.by_certificate(_certificate(context)), method)
            except GatepostError as error:
                await self._abort(context, error, method)

        def guarded(behaviour: Any) -> Any:
            if inspect.isasyncgenfunction(behaviour):

                async def answers(request: Any, context: Context) -> AsyncIterator[Any]:
                    await admit(context)
                    async for answer in behaviour(request, context):
                        yield answer

                return answers

            async def answer(request: Any, context: Context) -> Any:
                await admit(context)
                return await behaviour(request, context)

            return answer

        methods: Any = handler  # the stubs know the synchronous behaviours only
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            if (behaviour := getattr(methods, kind)) is not None:
                build = getattr(grpc, f"{kind}_rpc_method_handler")
                built: grpc.RpcMethodHandler[Any, Any] = build(
                    guarded(behaviour), handler.request_deserializer, handler.response_serializer
                )
                return built
        raise ValueError(f"{method} has no behaviour")

    def _refusal(self, error: GatepostError, method: str) -> grpc.RpcMethodHandler[Any, Any]:
        async def refuse(_: Any, context: Context) -> None:
            await self._abort(context, error, method)

        return grpc.stream_stream_rpc_method_handler(refuse)

    async def _abort(self, context: Context, error: GatepostError, method: str) -> None:
        _log.warning("not_let_in", method=method, reason=error.reason.value, peer=context.peer())
        await abort(context, error, self._refused)


def permit(known: Caller, method: str) -> None:
    """Raises GatepostError (PERMISSION_DENIED) unless a role of theirs is the one that the method needs."""
    role = ROLES.get(method)
    if role is None or role not in known.roles:
        needed = "nobody may call this" if role is None else f"this needs the role {role.value}"
        raise GatepostError(ErrorCode.PERMISSION_DENIED, ErrorReason.ROLE_MISSING, needed)


def _authorization(details: grpc.HandlerCallDetails) -> list[str]:
    return [
        value.decode("latin-1") if isinstance(value, bytes) else value
        for key, value in details.invocation_metadata or ()
        if key == "authorization"
    ]


def _certificate(context: Context) -> bytes | None:
    held = context.auth_context().get("x509_pem_cert")
    return next(iter(held), None) if held else None
