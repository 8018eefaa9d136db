"""One long stream: does memory stay flat?

On the real nets the images are small and hold no text, for 10,000 cards would take most of an hour on two cores. The
long end runs on the gateway alone, over a scorer without weights; what it keeps by intent (verdicts to be asked for
again, requests to be recognised) is bounded by settings, which are set low here, so that the bounds are reached early.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

from PIL import Image
from rich.progress import track

from benchmarks import targets
from benchmarks.load import fresh
from benchmarks.overhead.gateway import gateway
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.part import Part, command
from gatepost_client import AsyncClient, Item

NAME = "stream"
REAL, REAL_IN_FULL = (10, 100, 300), (10, 100, 1_000, 3_000)
ALONE = (10, 100, 1_000, 10_000)
NETS, GATEWAY = "all nets", "the gateway alone"
BOUNDS = {
    "GATEPOST_GATEWAY_VERDICT_STORE_BYTES": str(4 << 20),
    "GATEPOST_GATEWAY_EVIDENCE_CACHE_BYTES": str(4 << 20),
    "GATEPOST_GATEWAY_SAME_REQUEST_S": "5",
}
MOST_MORE = 0.05  # of the memory before, over the last stretch of the stream, which is the longest
SIDE = 256
MIB = 1 << 20

Reached = Mapping[int, tuple[float, float]]  # by images so far: seconds, MiB


def measure(full: bool) -> Part:
    """Memory by images of one stream."""
    with running(ready_timeout_s=240) as stack:
        on_nets = asyncio.run(
            stream(stack.address, "", REAL_IN_FULL if full else REAL, lambda: sum(stack.pss_bytes().values()))
        )
    with (
        tempfile.TemporaryDirectory(prefix="gatepost-stream-") as scratch,
        patch.dict(os.environ, BOUNDS),
        gateway(Path(scratch) / "gateway", ()) as alone,
    ):
        on_gateway = asyncio.run(
            stream(alone.address, alone.token, ALONE, lambda: int(alone.process.memory_full_info().pss))
        )
    found = {NETS: on_nets, GATEWAY: on_gateway}
    return Part(rows(found), {"streams": found})


def rows(found: Mapping[str, Reached]) -> list[Target]:
    """Images a second, memory at the end, and how much of it came in the last stretch."""
    made: list[Target] = []
    for what, reached in found.items():
        *_, before, last = sorted(reached)
        seconds, size = reached[last]
        span = f"{what}, a stream of {last:,} images"
        made.append(targets.reported(f"{span}: images a second", last / seconds, "1/s", command(NAME)))
        made.append(targets.reported(f"{span}: memory at the end (PSS)", size, "MiB", command(NAME)))
        more = size / reached[before][1] - 1
        name = f"{span}: more memory than after {before:,}"
        made.append(targets.at_most(name, 100 * more, 100 * MOST_MORE, "%", command(NAME)))
    return made


async def stream(address: str, token: str, marks: Sequence[int], memory: Callable[[], int]) -> Reached:
    """One stream as long as the last mark. Raises the error of an image that was not judged."""
    reached: dict[int, tuple[float, float]] = {}
    started, paused = time.perf_counter(), 0.0
    async with AsyncClient(address, token=token or None, allow_insecure_token=True, timeout=120) as client:
        items = itertools.islice(_items(), max(marks))
        results = client.moderate_stream(items, stall_timeout=120.0)
        progress = iter(track(range(max(marks)), "stream", transient=True))
        count = 0
        async for result in results:
            if result.error is not None:
                raise result.error
            next(progress)
            count += 1
            if count in marks:
                now = time.perf_counter()
                reached[count] = (now - started - paused, memory() / MIB)
                paused += time.perf_counter() - now
    return reached


def _items() -> Iterator[Item]:
    """Small pictures without text, each a file of its own; every one is let go of as soon as it is sent."""
    file = io.BytesIO()
    Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGB").save(file, "JPEG")
    while True:
        yield Item(fresh(file.getvalue()), evidence=False)
