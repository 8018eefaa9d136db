"""A real gateway on a real socket over a scorer without weights."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, policy_pb2_grpc, ticket_pb2_grpc
from gatepost_server.gateway.server import Addresses, serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.fake import FakeScorer


@dataclass
class Gateway:
    """What a test needs of a running gateway."""

    address: str
    http: str | None
    channel: grpc.aio.Channel
    scorer: FakeScorer
    stop: asyncio.Event
    done: asyncio.Task[None]

    @property
    def moderation(self) -> moderation_pb2_grpc.ModerationServiceStub:
        return moderation_pb2_grpc.ModerationServiceStub(self.channel)

    @property
    def ticket_keys(self) -> ticket_pb2_grpc.TicketKeyServiceStub:
        return ticket_pb2_grpc.TicketKeyServiceStub(self.channel)

    @property
    def policies(self) -> policy_pb2_grpc.PolicyServiceStub:
        return policy_pb2_grpc.PolicyServiceStub(self.channel)


@contextlib.asynccontextmanager
async def running_gateway(*, scorer: FakeScorer | None = None, **settings: Any) -> AsyncIterator[Gateway]:
    """Serves on a free port until the block ends."""
    scorer = scorer or FakeScorer()
    ready: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    usual = {"listen": "127.0.0.1:0", "watch_interval_s": 0.02, "canary_interval_s": 0}  # the fake cannot read cards
    usual["evidence_cache_bytes"] = 0  # what a test sends twice is to be looked at twice
    built = GatewaySettings.load(**(usual | settings))
    done = asyncio.create_task(serve(built, ready=ready.set_result, stop=stop, scorer=scorer))
    await asyncio.wait({done, ready}, return_when=asyncio.FIRST_COMPLETED)
    if done.done():
        done.result()
    listening = ready.result()
    async with grpc.aio.insecure_channel(listening.grpc, options=[("grpc.max_send_message_length", -1)]) as channel:
        try:
            yield Gateway(listening.grpc, listening.http, channel, scorer, stop, done)
        finally:
            stop.set()
            await done


def script(**fields: Any) -> bytes:
    """Image bytes that tell the fake scorer what to do."""
    return json.dumps(fields).encode()


@dataclass
class Refusal:
    """A status that a call ended with, opened."""

    code: grpc.StatusCode
    message: str
    info: error_details_pb2.ErrorInfo
    bad_request: error_details_pb2.BadRequest | None
    retry_s: float | None
    localized: error_details_pb2.LocalizedMessage | None

    @property
    def fields(self) -> list[str]:
        return [violation.field for violation in self.bad_request.field_violations] if self.bad_request else []


def opened(error: grpc.aio.AioRpcError) -> Refusal:
    """The details of a failed call; fails where there are none."""
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.message == error.details()
    return _opened(error.code(), status.message, list(status.details))


def opened_stream_error(error: Any) -> Refusal:
    """The same of a stream's error."""
    code = next(code for code in grpc.StatusCode if code.value[0] == error.code)
    return _opened(code, error.message, list(error.details))


def _opened(code: grpc.StatusCode, message: str, details: list[Any]) -> Refusal:
    found: dict[str, Message] = {}
    for packed in details:
        for kind in ("ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage"):
            detail = getattr(error_details_pb2, kind)()
            if packed.Unpack(detail):
                found[kind] = detail
    retry = found.get("RetryInfo")
    return Refusal(
        code,
        message,
        found["ErrorInfo"],
        found.get("BadRequest"),
        None if retry is None else retry.retry_delay.ToMilliseconds() / 1_000,
        found.get("LocalizedMessage"),
    )


async def refused(call: Any) -> Refusal:
    """The refusal that an awaited call ends with."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return opened(error)
    raise AssertionError("the call was served")


def stream_request(request_id: str, image: bytes = b"png", **fields: Any) -> wire.ModerateStreamRequest:
    """One message of a stream."""
    return wire.ModerateStreamRequest(request=wire.ModerateRequest(request_id=request_id, image=image, **fields))
