"""The blocking client."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar, Unpack

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gatepost.v1 import moderation_pb2, moderation_pb2_grpc, policy_pb2, policy_pb2_grpc, ticket_pb2, ticket_pb2_grpc
from gatepost_client._answers import held, verdict_of
from gatepost_client._convert import policy_from_proto
from gatepost_client._options import DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_TIMEOUT, Options, Tls, Token
from gatepost_client._status import error_from_rpc
from gatepost_client._stream import StreamLimits, StreamResult, StreamSession
from gatepost_client._stream_sync import drive
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


class Client:
    """Asks a gatepost server whether images may be shown. Safe to share between threads.

    target: "host:port" or another gRPC target; None: GATEPOST_TARGET of the environment, else localhost:50051.
    tls: True for TLS with gRPC's own roots, or a Tls.
    token: a bearer token, or a function that gives the one of the moment; only sent over TLS or to this machine,
        unless allow_insecure_token is set.
    timeout: seconds for each call, retries and waits included.
    retries: how often to try again when the server is overloaded or not there.
    max_message_bytes: the longest message that is sent or accepted.
    tracing: whether calls are spans of OpenTelemetry and the trace goes on in the server; needs
        gatepost-client[tracing], and a tracer provider of the application's.

    It connects with its first call. After a fork, the child connects anew and leaves the parent's connection alone.
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
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._owner = os.getpid()
        self._inherited: list[grpc.Channel | None] = []  # kept, for closing them would write to the parent's socket
        self._closed = False

    @property
    def target(self) -> str:
        """Where the server is."""
        return self._options.target

    def moderate(self, image: ImageSource, *, timeout: float | None = None, **about: Unpack[About]) -> Verdict:
        """The verdict on one image. `about` is described in requests.About.

        Errors: GatepostError (see errors); TypeError and ValueError for arguments that no server could take.
        """
        item = Item(image, **about)
        check_item(item)
        request_id = item.request_id or new_request_id()
        deadline = self._deadline(timeout)
        try:
            request = build_request(item, request_id=request_id, max_message_bytes=self._options.max_message_bytes)
        except GatepostError as error:
            error.request_id = request_id
            raise
        stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
        return verdict_of(self._call(stub.Moderate, request, deadline, request_id), request_id)

    def gate(self, image: ImageSource, *, timeout: float | None = None, **about: Unpack[About]) -> Verdict:
        """The verdict on one image, whatever happens: every failure is HOLD, with the failure as its `error`.

        Raises nothing for what the server, the network or the image does; TypeError and ValueError as moderate().
        """
        try:
            return self.moderate(image, timeout=timeout, **about)
        except GatepostError as error:
            return held(error)

    def moderate_stream(
        self,
        items: Iterable[ImageSource | Item],
        *,
        ordered: bool = False,
        window: int = 16,
        stall_timeout: float = 30.0,
    ) -> Iterator[StreamResult]:
        """The results of many images over one connection, as they come, or in the order of the input.

        items is read as results are taken: at most `window` images are held at any time. An image's failure is a
        result with `error`; it ends nothing else. stall_timeout: seconds without any answer after which those
        that are owed have failed. TypeError and ValueError for arguments that no server could take.
        """
        session = StreamSession(
            StreamLimits(window, ordered, stall_timeout),
            self._options.retry,
            self._options.max_message_bytes,
            random.random,
        )
        return drive(
            session,
            iter(items),
            lambda requests: moderation_pb2_grpc.ModerationServiceStub(self._connected()).ModerateStream(
                requests, metadata=self._options.stream_metadata()
            ),
        )

    def get_verdict(
        self,
        name: str,
        *,
        evidence: bool = True,
        embedding: bool = False,
        record: bool = False,
        timeout: float | None = None,
    ) -> Verdict:
        """A verdict given earlier, by Verdict.name. NotFound where it is unknown or no longer kept."""
        stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
        extras = moderation_pb2.Extras(evidence=evidence, embedding=embedding, record=record)
        request = moderation_pb2.GetVerdictRequest(name=name, extras=extras)
        return verdict_of(self._call(stub.GetVerdict, request, self._deadline(timeout)), "")

    def watch_verdict(
        self,
        name: str,
        *,
        evidence: bool = True,
        embedding: bool = False,
        record: bool = False,
        until_people_decide: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Verdict]:
        """A verdict as it stands, and again when it changes; the last one is not pending.

        until_people_decide: go on while people look at it (REVIEW, an appeal); the last one is what they decided.
        That takes hours: give it a `timeout` to match, or come back with get_verdict().

        Connects again as often as it takes within `timeout` seconds (None: the client's), so a restart of the
        server does not end it. DeadlineExceeded or Unavailable when they are over; NotFound as get_verdict().
        """
        extras = moderation_pb2.Extras(evidence=evidence, embedding=embedding, record=record)
        request = moderation_pb2.WatchVerdictRequest(name=name, extras=extras, until_people_decide=until_people_decide)
        return self._watch(request, self._deadline(timeout))

    def appeal(self, name: str, message: str = "", *, locale: str = "", timeout: float | None = None) -> Verdict:
        """Ask people, for the person who asked for the image, to look again at what was stopped; as it stands then.

        message: what that person wants to say, at most 2,000 characters; locale: their language, for the answer's
        user_message. The same words again change nothing. watch_verdict(until_people_decide=True) and get_verdict()
        deliver what people decide. InvalidRequest (reason ALREADY_APPEALED, NOTHING_TO_APPEAL or RECORD_OFF), and
        NotFound as get_verdict().
        """
        stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
        request = moderation_pb2.AppealVerdictRequest(name=name, message=message, locale=locale)
        return verdict_of(self._call(stub.AppealVerdict, request, self._deadline(timeout)), "")

    def list_policies(self, *, timeout: float | None = None) -> tuple[Policy, ...]:
        """All policies that a request may name, by name."""
        stub, deadline = policy_pb2_grpc.PolicyServiceStub(self._connected()), self._deadline(timeout)
        policies: list[Policy] = []
        request = policy_pb2.ListPoliciesRequest()
        while True:
            page = self._call(stub.ListPolicies, request, deadline)
            policies.extend(map(policy_from_proto, page.policies))
            if not page.next_page_token:
                return tuple(policies)
            request = policy_pb2.ListPoliciesRequest(page_token=page.next_page_token)

    def get_policy(self, name: str = "", *, timeout: float | None = None) -> Policy:
        """One policy; "" is the operator's default. NotFound where there is none of that name."""
        stub = policy_pb2_grpc.PolicyServiceStub(self._connected())
        answer = self._call(stub.GetPolicy, policy_pb2.GetPolicyRequest(name=name), self._deadline(timeout))
        return policy_from_proto(answer.policy)

    def ticket_keys(self, *, timeout: float | None = None) -> TicketKeys:
        """The keys that release tickets are checked with. InvalidRequest where the server signs no tickets."""
        stub = ticket_pb2_grpc.TicketKeyServiceStub(self._connected())
        answer = self._call(stub.ListTicketKeys, ticket_pb2.ListTicketKeysRequest(), self._deadline(timeout))
        return TicketKeys(answer.jwks, answer.issuer)

    def health(self, *, timeout: float | None = None) -> Health:
        """Whether the server takes requests. Unavailable where there is none."""
        stub = health_pb2_grpc.HealthStub(self._connected())
        answer = self._call(stub.Check, health_pb2.HealthCheckRequest(), self._deadline(timeout))
        return health_from_proto(answer.status)

    def close(self) -> None:
        """Ends the connection; calls in flight fail with Cancelled. May be called twice."""
        with self._lock:
            self._closed = True
            if self._channel is not None and self._owner == os.getpid():
                self._channel.close()
                self._channel = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _deadline(self, timeout: float | None) -> float:
        if timeout is not None and timeout <= 0:
            raise ValueError("timeout must be positive")
        return time.monotonic() + (self._options.timeout if timeout is None else timeout)

    def _connected(self) -> grpc.Channel:
        with self._lock:
            if self._closed:
                raise RuntimeError("this client is closed")
            if self._owner != os.getpid():
                self._inherited.append(self._channel)
                self._channel, self._owner = None, os.getpid()
            if self._channel is None:
                arguments = self._options.channel_arguments()
                if self._options.tls:
                    credentials = self._options.tls.credentials()
                    self._channel = grpc.secure_channel(self._options.target, credentials, options=arguments)
                else:
                    self._channel = grpc.insecure_channel(self._options.target, options=arguments)
            return self._channel

    def _watch(self, request: moderation_pb2.WatchVerdictRequest, deadline: float) -> Iterator[Verdict]:
        session = WatchSession(self._options.retry, until_people_decide=request.until_people_decide)
        while not session.done:
            stub = moderation_pb2_grpc.ModerationServiceStub(self._connected())
            left = max(deadline - time.monotonic(), 0.0)
            call = stub.WatchVerdict(request, timeout=left, metadata=self._options.stream_metadata())
            try:
                for answer in call:
                    if (verdict := session.take(answer)) is not None:
                        yield verdict
                if session.final:
                    return
                error = broken_off()
            except grpc.RpcError as problem:
                error = error_from_rpc(problem, "")
            finally:
                call.cancel()  # type: ignore[no-untyped-call] # in the stubs
            if not session.done:
                time.sleep(session.delay(error, left=deadline - time.monotonic(), dice=random.random()))

    def _call(
        self,
        method: Callable[..., Response],
        request: Request,
        deadline: float,
        request_id: str = "",
    ) -> Response:
        for attempts in range(1, self._options.retry.retries + 2):
            left = deadline - time.monotonic()
            try:
                with self._options.tracing.call(request) as headers:
                    metadata = (*self._options.metadata(), *headers)
                    return method(request, timeout=max(left, 0.0), metadata=metadata)
            except grpc.RpcError as problem:
                error = error_from_rpc(problem, request_id)
                left = deadline - time.monotonic()
                delay = self._options.retry.delay(error, attempts=attempts, left=left, dice=random.random())
                if delay is None:
                    raise error from problem
            time.sleep(delay)
        raise AssertionError("the retry policy gives up after its last attempt")
