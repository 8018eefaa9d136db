"""Does whoever waits for an image wait longer while stored images are scanned again?

One caller asks for one card after the other, alone and beside a stream that always has more to ask than the gateway
takes. Stream and caller are told apart by their urgency; as a control, the same stream says that it is just
as urgent. The phases take turns, so that a drift of the machine hits all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks import targets
from benchmarks.stack import running
from gatepost_client import AsyncClient, Item, Urgency

COMMAND = "python -m benchmarks.urgency"
REPORT = targets.OUT / "bench" / "urgency.json"
DEMO_CARDS = Path(__file__).parent / "demo" / "cards"
WINDOW = 24  # images that the stream has open: more than the gateway lets in
INSIDE_S = 3.0  # until the stream has filled every queue

# A phase: the urgency of the caller, and that of the stream beside it.
ALONE = "alone"
RESCAN = "beside a re-scan"
NEARLINE = "near-line beside a re-scan"
CONTROL = "beside as much that is as urgent"
PHASES: Mapping[str, tuple[Urgency, Urgency | None]] = {
    ALONE: (Urgency.INTERACTIVE, None),
    RESCAN: (Urgency.INTERACTIVE, Urgency.RESCAN),
    NEARLINE: (Urgency.NEARLINE, Urgency.RESCAN),
    CONTROL: (Urgency.INTERACTIVE, Urgency.INTERACTIVE),
}


@dataclass(slots=True)
class Found:
    """What a phase measured: the caller's milliseconds, and what the stream got answered in how many seconds."""

    latency_ms: list[float] = field(default_factory=list)
    answered: int = 0
    seconds: float = 0.0


class Load:
    """A stream that always has more to ask, while `running` runs; counts what was answered."""

    def __init__(self, client: AsyncClient, images: Sequence[bytes]) -> None:
        self._client = client
        self._images = images
        self._on = False
        self.answered = 0
        self.failed = 0

    @contextlib.asynccontextmanager
    async def running(self, urgency: Urgency | None) -> AsyncIterator[None]:
        """Saturates the gateway during the block; nothing at all without an urgency."""
        if urgency is None:
            yield
            return
        self._on = True
        stream = asyncio.create_task(self._stream(urgency))
        await asyncio.sleep(INSIDE_S)
        try:
            yield
        finally:
            self._on = False
            await stream

    async def _stream(self, urgency: Urgency) -> None:
        async for result in self._client.moderate_stream(self._items(urgency), window=WINDOW, stall_timeout=120.0):
            self.answered += result.error is None
            self.failed += result.error is not None

    def _items(self, urgency: Urgency) -> Iterator[Item]:
        for image in itertools.cycle(self._images):
            if not self._on:
                return
            yield Item(image, urgency=urgency, evidence=False)


async def _latencies(client: AsyncClient, images: Sequence[bytes], urgency: Urgency) -> list[float]:
    """Milliseconds of one card after the other."""
    spent = []
    for image in images:
        started = time.perf_counter()
        await client.moderate(image, urgency=urgency, evidence=False)
        spent.append((time.perf_counter() - started) * 1_000)
    return spent


async def measure(address: str, images: Sequence[bytes], rounds: int, probes: int) -> dict[str, Found]:
    """What each phase measured."""
    asked = list(itertools.islice(itertools.cycle(images), probes))
    found = {phase: Found() for phase in PHASES}
    async with AsyncClient(address, timeout=120) as client:
        await _latencies(client, asked, Urgency.INTERACTIVE)  # warm up
        for phase, (urgency, beside) in track(list(PHASES.items()) * rounds, description="urgency"):
            load = Load(client, images)
            async with load.running(beside):
                before, started = load.answered, time.monotonic()
                found[phase].latency_ms += await _latencies(client, asked, urgency)
                found[phase].seconds += time.monotonic() - started
                found[phase].answered += load.answered - before
            if load.failed:
                raise RuntimeError(f"{load.failed} images of the stream failed")
            if beside is not None and not load.answered:
                raise RuntimeError("the stream was never served: this measures nothing")
    return found


def report(found: Mapping[str, Found]) -> list[targets.Target]:
    """The figures; what is as urgent as the rest waits its turn, what is more urgent does not."""
    p50 = {phase: float(np.percentile(each.latency_ms, 50)) for phase, each in found.items()}
    p99 = {phase: float(np.percentile(each.latency_ms, 99)) for phase, each in found.items()}
    rows = [
        targets.reported(f"{phase}, {name}", values[phase], "ms", COMMAND)
        for phase in found
        for name, values in (("p50", p50), ("p99", p99))
    ]
    return [
        *rows,
        *(
            targets.reported(f"{phase}, images a second of the stream", each.answered / each.seconds, "1/s", COMMAND)
            for phase, each in found.items()
            if PHASES[phase][1] is not None
        ),
        targets.at_most("interactive p99 beside a re-scan / alone", p99[RESCAN] / p99[ALONE], 5.0, "x", COMMAND),
        targets.reported("interactive p99 beside as urgent / alone", p99[CONTROL] / p99[ALONE], "x", COMMAND),
        targets.reported(
            "near-line p99 / interactive p99, beside a re-scan", p99[NEARLINE] / p99[RESCAN], "x", COMMAND
        ),
    ]


def main() -> int:
    """Measure, write the report, print it; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--background", type=int, help="background_images of the gateway, by default its own")
    parser.add_argument("--probes", type=int, default=10, help="cards of each phase in each round")
    chosen = parser.parse_args()
    images = [path.read_bytes() for path in sorted(DEMO_CARDS.glob("*.jpg"))]
    environment = {"GATEPOST_GATEWAY_MAX_DEADLINE_S": "120"}
    if chosen.background:
        environment["GATEPOST_GATEWAY_BACKGROUND_IMAGES"] = str(chosen.background)
    with running(environment=environment) as stack:
        found = asyncio.run(measure(stack.address, images, chosen.rounds, chosen.probes))
    rows = report(found)
    latency_ms = {phase: [round(spent, 1) for spent in each.latency_ms] for phase, each in found.items()}
    targets.write(REPORT, rows, rounds=chosen.rounds, background=chosen.background, latency_ms=latency_ms)
    targets.show(rows, "urgency")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
