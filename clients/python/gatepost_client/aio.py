"""The asyncio client: Client's methods, to be awaited."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar, Unpack

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gatepost.v1 import moderation_pb2, moderation_pb2_grpc, policy_pb2, policy_pb2_grpc, ticket_pb2, ticket_pb2_grpc
from gatepost_client._answers import held, verdict_of
from gatepost_client._convert import policy_from_proto
from gatepost_client._options import DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_TIMEOUT, Options, Tls, Token
from gatepost_client._status import error_from_rpc
from gatepost_client._stream import StreamLimits, StreamResult, StreamSession
from gatepost_client._stream_async import Images, drive
from gatepost_client._watch import WatchSession, broken_off
from gatepost_client.errors import GatepostError
from gatepost_client.health import Health, health_from_proto
from gatepost_client.images import ImageSource
from gatepost_client.policy import Policy
from gatepost_client.requests import About, Item, build_request, check_item, new_request_id
from gatepost_client.ticket_keys import TicketKeys
from gatepost_client.verdict import Verdict

Request = TypeVar("Request")
Response = TypeVar("Response")


class AsyncClient:
    """Asks a gatepost server whether images may be shown. The arguments are Client's.

    It connects with its first call, and belongs to the event loop of that call.
    Files are read and pixels encoded in threads.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        tls: Tls | bool = False,
        token: Token | None = None,
        allow_insecure_token: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = 2,
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
        tracing: bool = False,
    ) -> None:
        self._options = Options.checked(
            target,
            tls=tls,
            token=token,
            allow_insecure_token=allow_insecure_token,
            timeout=timeout,
            retries=retries,
            max_message_bytes=max_message_bytes,
            tracing=tracing,
        )
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def target(self) -> str:
        """Where the server is."""
        return self._options.target

    async def moderate(self, image: ImageSource, *, timeout: float | None = None, **about: Unpack[About]) -> Verdict:
        """As Client.moderate."""
        item = Item(image, **about)
        check_item(item)
        request_id = item.request_id or new_request_id()
        deadline = self._deadline(timeout)
        limit = self._options.max_message_bytes
        try:
            if isinstance(image, bytes):
                request = build_request(item, request_id=request_id, max_message_bytes=limit)
            else:
                request = await asyncio.to_thread(build_request, item, request_id=request_id, max_message_bytes=limit)
        except GatepostError as error:
            error.request_id = request_id
            raise
        stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
        return verdict_of(await self._call(stub.Moderate, request, deadline, request_id), request_id)

    async def gate(self, image: ImageSource, *, timeout: float | None = None, **about: Unpack[About]) -> Verdict:
        """As Client.gate. Cancelling the task still cancels it."""
        try:
            return await self.moderate(image, timeout=timeout, **about)
        except GatepostError as error:
            return held(error)

    def moderate_stream(
        self, items: Images, *, ordered: bool = False, window: int = 16, stall_timeout: float = 30.0
    ) -> AsyncIterator[StreamResult]:
        """As Client.moderate_stream; items may be an async iterable too."""
        session = StreamSession(
            StreamLimits(window, ordered, stall_timeout),
            self._options.retry,
            self._options.max_message_bytes,
            random.random,
        )
        return drive(
            session,
            items,
            lambda requests: moderation_pb2_grpc.ModerationServiceStub(self._connected()).ModerateStream(
                requests, metadata=self._options.stream_metadata()
            ),
        )

    async def get_verdict(
        self,
        name: str,
        *,
        evidence: bool = True,
        embedding: bool = False,
        record: bool = False,
        timeout: float | None = None,
    ) -> Verdict:
        """As Client.get_verdict."""
        stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
        extras = moderation_pb2.Extras(evidence=evidence, embedding=embedding, record=record)
        request = moderation_pb2.GetVerdictRequest(name=name, extras=extras)
        return verdict_of(await self._call(stub.GetVerdict, request, self._deadline(timeout)), "")

    def watch_verdict(
        self,
        name: str,
        *,
        evidence: bool = True,
        embedding: bool = False,
        record: bool = False,
        until_people_decide: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[Verdict]:
        """As Client.watch_verdict."""
        extras = moderation_pb2.Extras(evidence=evidence, embedding=embedding, record=record)
        request = moderation_pb2.WatchVerdictRequest(name=name, extras=extras, until_people_decide=until_people_decide)
        return self._watch(request, self._deadline(timeout))

    async def appeal(self, name: str, message: str = "", *, locale: str = "", timeout: float | None = None) -> Verdict:
        """As Client.appeal."""
        stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
        request = moderation_pb2.AppealVerdictRequest(name=name, message=message, locale=locale)
        return verdict_of(await self._call(stub.AppealVerdict, request, self._deadline(timeout)), "")

    async def list_policies(self, *, timeout: float | None = None) -> tuple[Policy, ...]:
        """As Client.list_policies."""
        stub, deadline = policy_pb2_grpc.PolicyServiceStub(self._connected()), self._deadline(timeout)
        policies: list[Policy] = []
        request = policy_pb2.ListPoliciesRequest()
        while True:
            page = await self._call(stub.ListPolicies, request, deadline)
            policies.extend(map(policy_from_proto, page.policies))
            if not page.next_page_token:
                return tuple(policies)
            request = policy_pb2.ListPoliciesRequest(page_token=page.next_page_token)

    async def get_policy(self, name: str = "", *, timeout: float | None = None) -> Policy:
        """As Client.get_policy."""
        stub = policy_pb2_grpc.PolicyServiceStub(self._connected())
        answer = await self._call(stub.GetPolicy, policy_pb2.GetPolicyRequest(name=name), self._deadline(timeout))
        return policy_from_proto(answer.policy)

    async def ticket_keys(self, *, timeout: float | None = None) -> TicketKeys:
        """As Client.ticket_keys."""
        stub = ticket_pb2_grpc.TicketKeyServiceStub(self._connected())
        answer = await self._call(stub.ListTicketKeys, ticket_pb2.ListTicketKeysRequest(), self._deadline(timeout))
        return TicketKeys(answer.jwks, answer.issuer)

    async def health(self, *, timeout: float | None = None) -> Health:
        """As Client.health."""
        stub = health_pb2_grpc.HealthStub(self._connected())
        answer = await self._call(stub.Check, health_pb2.HealthCheckRequest(), self._deadline(timeout))
        return health_from_proto(answer.status)

    async def close(self) -> None:
        """Ends the connection; calls in flight fail with Cancelled. May be called twice."""
        self._closed = True
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _deadline(self, timeout: float | None) -> float:
        if timeout is not None and timeout <= 0:
            raise ValueError("timeout must be positive")
        return time.monotonic() + (self._options.timeout if timeout is None else timeout)

    def _connected(self) -> grpc.aio.Channel:
        if self._closed:
            raise RuntimeError("this client is closed")
        loop = asyncio.get_running_loop()
        if self._channel is None:
            arguments = self._options.channel_arguments()
            if self._options.tls:
                credentials = self._options.tls.credentials()
                self._channel = grpc.aio.secure_channel(self._options.target, credentials, options=arguments)
            else:
                self._channel = grpc.aio.insecure_channel(self._options.target, options=arguments)
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("an AsyncClient belongs to the event loop that first used it; make one for each loop")
        return self._channel

    async def _watch(self, request: moderation_pb2.WatchVerdictRequest, deadline: float) -> AsyncIterator[Verdict]:
        session = WatchSession(self._options.retry, until_people_decide=request.until_people_decide)
        while not session.done:
            stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
            left = max(deadline - time.monotonic(), 0.0)
            call = stub.WatchVerdict(request, timeout=left, metadata=self._options.stream_metadata())
            try:
                async for answer in call:
                    if (verdict := session.take(answer)) is not None:
                        yield verdict
                if session.final:
                    return
                error = broken_off()
            except grpc.RpcError as problem:
                error = error_from_rpc(problem, "")
            finally:
                call.cancel()
            if not session.done:
                await asyncio.sleep(session.delay(error, left=deadline - time.monotonic(), dice=random.random()))

    async def _call(
        self,
        method: Callable[..., Awaitable[Response]],
        request: Request,
        deadline: float,
        request_id: str = "",
    ) -> Response:
        for attempts in range(1, self._options.retry.retries + 2):
            left = deadline - time.monotonic()
            try:
                with self._options.tracing.call(request) as headers:
                    metadata = (*self._options.metadata(), *headers)
                    return await method(request, timeout=max(left, 0.0), metadata=metadata)
            except grpc.RpcError as problem:
                error = error_from_rpc(problem, request_id)
                left = deadline - time.monotonic()
                delay = self._options.retry.delay(error, attempts=attempts, left=left, dice=random.random())
                if delay is None:
                    raise error from problem
            await asyncio.sleep(delay)
        raise AssertionError("the retry policy gives up after its last attempt")
