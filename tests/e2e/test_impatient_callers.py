"""Callers who hang up, or whose time runs out, take nothing down with them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import grpc
import psutil

from benchmarks.stack import Stack
from gatepost.v1 import moderation_pb2, moderation_pb2_grpc
from gatepost_client import Client, Decision

SECONDS = 12.0  # before calls to Triton were left alone, sixteen such callers brought it down within 11 s
CALLERS = 16


def tritonserver(stack: Stack) -> psutil.Process:
    (server,) = [child for child in stack.process.children() if child.name() == "tritonserver"]
    return server


async def hang_up_at_random(address: str, images: list[bytes]) -> None:
    rng = random.Random(20260217)
    end = time.monotonic() + SECONDS
    async with grpc.aio.insecure_channel(address) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)

        async def caller() -> None:
            while time.monotonic() < end:
                request = moderation_pb2.ModerateRequest(image=rng.choice(images))
                call = stub.Moderate(request, timeout=rng.choice([0.05, 0.3, 1.0, 10.0]))
                if rng.random() < 0.5:
                    await asyncio.sleep(rng.random() * rng.choice([0.05, 0.5, 2.0]))
                    call.cancel()
                with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
                    await call
                await asyncio.sleep(0.01)

        await asyncio.gather(*(caller() for _ in range(CALLERS)))


def test_callers_who_hang_up_do_not_bring_the_model_server_down(
    stack: Stack, client: Client, card: dict[str, bytes]
) -> None:
    before = tritonserver(stack).pid
    asyncio.run(hang_up_at_random(stack.address, [*card.values(), card["knife"][:9_000], b"no image"]))
    assert tritonserver(stack).pid == before
    verdict = client.gate(card["new_year"], timeout=60)
    assert verdict.decision is Decision.ALLOW, verdict.error
