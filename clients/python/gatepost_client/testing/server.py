"""The fake server itself."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from gatepost.v1 import (
    moderation_pb2,
    moderation_pb2_grpc,
    policy_pb2,
    policy_pb2_grpc,
    ticket_pb2,
    ticket_pb2_grpc,
    verdict_pb2,
)
from gatepost_client.testing.replies import Delayed, Failure, Reply, verdict

_STREAM_WINDOW = 32
_UNKNOWN = Failure(grpc.StatusCode.NOT_FOUND, "VERDICT_UNKNOWN", "no such verdict", "name")


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came, and the metadata of its call."""

    request: moderation_pb2.ModerateRequest
    metadata: Mapping[str, str | bytes]


class FakeServer:
    """A gatepost server that answers as scripted, on a free port of 127.0.0.1.

    Images are answered in turn by what was given to `script`, then by `default`, which allows everything.
    `received` lists what was asked. `policies` is what PolicyService shows. Verdicts that were given can be
    fetched, watched and appealed by name; `resolve` ends one that is pending or waits for people, `appeals` lists what
    was said. Safe to script from the test's thread while
    clients call.
    """

    def __init__(self, *, token: str | None = None, credentials: grpc.ServerCredentials | None = None) -> None:
        self.default: Reply = verdict()
        self.received: list[Received] = []
        self.policies: list[policy_pb2.Policy] = [
            policy_pb2.Policy(name="greeting-card", version="0123456789abcdef", is_default=True)
        ]
        self.page_size = 100
        self.jwks = ""  # what TicketKeyService shows; "": it signs no tickets
        self._token = token
        self._credentials = credentials
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._replies: deque[Reply] = deque()
        self._verdicts: dict[str, verdict_pb2.Verdict] = {}
        self.appeals: list[moderation_pb2.AppealVerdictRequest] = []
        self._closing = threading.Event()
        self._health = health.HealthServicer()
        self._server: grpc.Server | None = None
        self._port = 0

    @property
    def target(self) -> str:
        """Where it listens, for Client(...)."""
        return f"127.0.0.1:{self._port}"

    def script(self, *replies: Reply) -> None:
        """Answers the next images with these, in turn."""
        with self._lock:
            self._replies.extend(replies)

    def set_serving(self, serving: bool) -> None:
        """What the health service says."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        self._health.set("", status)

    def start(self) -> None:
        """Listens. On the same port as before, when it was started and closed already."""
        self._closing.clear()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(16, thread_name_prefix="fake-gatepost"),
            options=[("grpc.max_receive_message_length", 64 * 2**20), ("grpc.so_reuseport", 0)],
        )
        moderation_pb2_grpc.add_ModerationServiceServicer_to_server(_Moderation(self), self._server)
        policy_pb2_grpc.add_PolicyServiceServicer_to_server(_Policies(self), self._server)
        ticket_pb2_grpc.add_TicketKeyServiceServicer_to_server(_TicketKeys(self), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        address = f"127.0.0.1:{self._port}"
        if self._credentials:
            self._port = self._server.add_secure_port(address, self._credentials)
        else:
            self._port = self._server.add_insecure_port(address)
        self._server.start()

    def close(self) -> None:
        """Stops listening; calls in flight fail."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        if self._server is not None:
            self._server.stop(grace=None).wait()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check_token(self, context: grpc.ServicerContext) -> None:
        """Refuses calls without the token, where there is one."""
        metadata = dict(context.invocation_metadata())
        if self._token is not None and metadata.get("authorization") != f"Bearer {self._token}":
            refuse(context, Failure(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID", "no such token"))

    def reply(
        self, request: moderation_pb2.ModerateRequest, metadata: Mapping[str, str | bytes]
    ) -> verdict_pb2.Verdict | Failure:
        """The scripted answer to one image, after its delay."""
        with self._lock:
            self.received.append(Received(request, metadata))
            number = len(self.received)
            reply = self._replies.popleft() if self._replies else self.default
        answer = reply(request) if callable(reply) else reply
        while isinstance(answer, Delayed):
            if self._closing.wait(answer.seconds):
                return Failure(grpc.StatusCode.UNAVAILABLE, "DRAINING", "the fake server is closing")
            answer = answer.answer
        if isinstance(answer, verdict_pb2.Verdict):
            filled = verdict_pb2.Verdict()
            filled.CopyFrom(answer)
            filled.request_id = request.request_id
            filled.name = filled.name or f"verdicts/fake-{number}"
            with self._lock:
                self._verdicts[filled.name] = filled
            return filled
        return answer

    def resolve(self, name: str, final: verdict_pb2.Verdict) -> None:
        """Gives a verdict another form, as models or people would; those who watch it are told."""
        with self._changed:
            before = self._verdicts[name]
            after = verdict_pb2.Verdict()
            after.CopyFrom(final)
            after.name, after.request_id = name, before.request_id
            self._verdicts[name] = after
            self._changed.notify_all()

    def appeal(self, request: moderation_pb2.AppealVerdictRequest) -> verdict_pb2.Verdict | Failure:
        """Takes an appeal; `resolve` answers it."""
        before = self.verdict_named(request.name)
        if before is None:
            return _UNKNOWN
        if before.decision == verdict_pb2.DECISION_ALLOW or before.pending:
            return Failure(grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_APPEAL", "the image was not stopped")
        if before.people.appealed:
            return Failure(grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_APPEALED", "there was an appeal before")
        self.appeals.append(request)
        after = verdict_pb2.Verdict()
        after.CopyFrom(before)
        after.people.waiting = after.people.appealed = True
        self.resolve(request.name, after)
        return after

    def changed(
        self, name: str, before: verdict_pb2.Verdict, is_active: Callable[[], bool]
    ) -> verdict_pb2.Verdict | None:
        """A verdict once it is another than `before`; None when the server closes or nobody waits any more."""
        with self._changed:
            while self._verdicts[name] is before:
                if self._closing.is_set() or not is_active():
                    return None
                self._changed.wait(0.1)
            return self._verdicts[name]

    def verdict_named(self, name: str) -> verdict_pb2.Verdict | None:
        """A verdict that was given."""
        with self._lock:
            return self._verdicts.get(name)


def refuse(context: grpc.ServicerContext, failure: Failure) -> NoReturn:
    """Ends the call with the failure's status."""
    context.abort_with_status(rpc_status.to_status(failure.to_status()))
    raise AssertionError("abort_with_status raises")


class _Moderation(moderation_pb2_grpc.ModerationServiceServicer):
    def __init__(self, fake: FakeServer) -> None:
        self._fake = fake

    def Moderate(  # noqa: N802 - gRPC's name
        self, request: moderation_pb2.ModerateRequest, context: grpc.ServicerContext
    ) -> moderation_pb2.ModerateResponse:
        self._fake.check_token(context)
        answer = self._fake.reply(request, dict(context.invocation_metadata()))
        if isinstance(answer, Failure):
            refuse(context, answer)
        return moderation_pb2.ModerateResponse(verdict=answer)

    def ModerateStream(  # noqa: N802
        self, request_iterator: Iterator[moderation_pb2.ModerateStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[moderation_pb2.ModerateStreamResponse]:
        self._fake.check_token(context)
        answers: queue.SimpleQueue[moderation_pb2.ModerateStreamResponse | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(request_iterator, context, answers), daemon=True).start()
        return iter(answers.get, None)

    def _read(
        self,
        requests: Iterator[moderation_pb2.ModerateStreamRequest],
        context: grpc.ServicerContext,
        answers: queue.SimpleQueue[moderation_pb2.ModerateStreamResponse | None],
    ) -> None:
        metadata = dict(context.invocation_metadata())
        room = threading.Semaphore(_STREAM_WINDOW)
        with futures.ThreadPoolExecutor(_STREAM_WINDOW) as pool:
            try:
                for message in requests:
                    room.acquire()
                    future = pool.submit(self._answer, message.request, metadata)
                    future.add_done_callback(lambda done: answers.put(done.result()))
                    future.add_done_callback(lambda _: room.release())
            except grpc.RpcError:  # the client left
                pass
        answers.put(None)

    def _answer(
        self, request: moderation_pb2.ModerateRequest, metadata: Mapping[str, str | bytes]
    ) -> moderation_pb2.ModerateStreamResponse:
        answer = self._fake.reply(request, metadata)
        if isinstance(answer, Failure):
            status = answer.to_status()
            error = verdict_pb2.StreamError(code=status.code, message=status.message, details=status.details)
            return moderation_pb2.ModerateStreamResponse(request_id=request.request_id, error=error)
        return moderation_pb2.ModerateStreamResponse(request_id=request.request_id, verdict=answer)

    def GetVerdict(  # noqa: N802
        self, request: moderation_pb2.GetVerdictRequest, context: grpc.ServicerContext
    ) -> moderation_pb2.GetVerdictResponse:
        self._fake.check_token(context)
        found = self._fake.verdict_named(request.name)
        if found is None:
            refuse(context, _UNKNOWN)
        return moderation_pb2.GetVerdictResponse(verdict=found)

    def WatchVerdict(  # noqa: N802
        self, request: moderation_pb2.WatchVerdictRequest, context: grpc.ServicerContext
    ) -> Iterator[moderation_pb2.WatchVerdictResponse]:
        self._fake.check_token(context)
        found = self._fake.verdict_named(request.name)
        if found is None:
            refuse(context, _UNKNOWN)
        while found is not None:
            yield moderation_pb2.WatchVerdictResponse(verdict=found)
            if not (found.pending or (request.until_people_decide and _waits(found))):
                return
            found = self._fake.changed(request.name, found, context.is_active)
        refuse(context, Failure(grpc.StatusCode.UNAVAILABLE, "DRAINING", "the fake server is closing"))

    def AppealVerdict(  # noqa: N802
        self, request: moderation_pb2.AppealVerdictRequest, context: grpc.ServicerContext
    ) -> moderation_pb2.AppealVerdictResponse:
        self._fake.check_token(context)
        answer = self._fake.appeal(request)
        if isinstance(answer, Failure):
            refuse(context, answer)
        return moderation_pb2.AppealVerdictResponse(verdict=answer)


def _waits(verdict: verdict_pb2.Verdict) -> bool:
    if verdict.HasField("people"):
        return verdict.people.waiting
    return verdict.decision == verdict_pb2.DECISION_REVIEW


class _Policies(policy_pb2_grpc.PolicyServiceServicer):
    def __init__(self, fake: FakeServer) -> None:
        self._fake = fake

    def ListPolicies(  # noqa: N802
        self, request: policy_pb2.ListPoliciesRequest, context: grpc.ServicerContext
    ) -> policy_pb2.ListPoliciesResponse:
        self._fake.check_token(context)
        start = int(request.page_token or 0)
        end = start + (request.page_size or self._fake.page_size)
        policies: Sequence[policy_pb2.Policy] = self._fake.policies
        token = str(end) if end < len(policies) else ""
        return policy_pb2.ListPoliciesResponse(policies=policies[start:end], next_page_token=token)

    def GetPolicy(  # noqa: N802
        self, request: policy_pb2.GetPolicyRequest, context: grpc.ServicerContext
    ) -> policy_pb2.GetPolicyResponse:
        self._fake.check_token(context)
        for policy in self._fake.policies:
            if policy.name == request.name or (not request.name and policy.is_default):
                return policy_pb2.GetPolicyResponse(policy=policy)
        refuse(context, Failure(grpc.StatusCode.NOT_FOUND, "POLICY_UNKNOWN", "no such policy", "name"))


class _TicketKeys(ticket_pb2_grpc.TicketKeyServiceServicer):
    def __init__(self, fake: FakeServer) -> None:
        self._fake = fake

    def ListTicketKeys(  # noqa: N802
        self,
        request: ticket_pb2.ListTicketKeysRequest,  # noqa: ARG002
        context: grpc.ServicerContext,
    ) -> ticket_pb2.ListTicketKeysResponse:
        if not self._fake.jwks:
            refuse(context, Failure(grpc.StatusCode.FAILED_PRECONDITION, "TICKETS_OFF", "no tickets are signed"))
        return ticket_pb2.ListTicketKeysResponse(jwks=self._fake.jwks, issuer="gatepost")
