"""The caller, a process of its own: so many calls at a time for so long, over one channel.

It speaks bytes, so that it does the same work whatever it calls; only the answers differ. One line of JSON in, one out.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import grpc

from gatepost.v1 import moderation_pb2

IMAGE_BYTES = 200_000
_CALL_S = 60.0


@dataclass(frozen=True, slots=True)
class Burst:
    """What is asked of the caller."""

    address: str
    method: str
    token: str
    at_a_time: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it. Times in seconds; `cpu_s` is the caller's own."""

    calls: int
    wall_s: float
    cpu_s: float
    answer_bytes: int  # of the last answer


class Caller:
    """The parent's side."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    def run(self, burst: Burst) -> Answered:
        """Raises RuntimeError when a call failed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(asdict(burst)).encode() + b"\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("a call failed; see above")
        return Answered(**json.loads(line))


@contextmanager
def caller() -> Iterator[Caller]:
    """Runs one until the block ends."""
    command = [sys.executable, "-m", "benchmarks.gateway_echo.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            yield Caller(child)
        finally:
            child.terminate()


def main() -> None:
    """The child: answers until its input ends."""
    for line in sys.stdin:
        print(json.dumps(asdict(asyncio.run(_burst(Burst(**json.loads(line)))))), flush=True)


async def _burst(burst: Burst) -> Answered:
    # All images differ, also from those of other bursts: no duplicate is answered from memory.
    rest, numbers = os.urandom(IMAGE_BYTES - 24), itertools.count()
    start = os.urandom(16)
    metadata = (("authorization", f"Bearer {burst.token}"),)
    options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(burst.address, options=options) as channel:
        call = channel.unary_unary(burst.method)
        begun, cpu = time.perf_counter(), time.process_time()
        done, size = 0, 0

        async def one_after_another() -> None:
            nonlocal done, size
            while time.perf_counter() - begun < burst.seconds:
                image = start + next(numbers).to_bytes(8, "big") + rest
                message = moderation_pb2.ModerateRequest(image=image).SerializeToString()
                size = len(await call(message, metadata=metadata, timeout=_CALL_S))
                done += 1

        await asyncio.gather(*(one_after_another() for _ in range(burst.at_a_time)))
        return Answered(done, time.perf_counter() - begun, time.process_time() - cpu, size)


if __name__ == "__main__":
    main()
