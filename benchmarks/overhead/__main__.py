"""`make bench-overhead`: what tickets, coverage, admission and their like add to p50 and p99 of a Moderate call.

A gateway with everything, one without each part, and one without any of them run side by side as processes of their
own, over a scorer without weights; each image goes to all of them, in an order that changes with every image. So
whatever else the machine does hits all alike. Two processes of the same program differ, too, by some 0.2 ms, so
all are started anew several times, and a second one with everything stands beside the first as a control.

Wall time is the caller's. Processor time is the gateway's, over all its threads; it is the steadier of the two.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from rich.progress import track

from benchmarks import targets
from benchmarks.overhead.compare import CONTROL, EVERYTHING, NOTHING, compared, compared_under_load
from benchmarks.overhead.floor import floor
from benchmarks.overhead.gateway import COVERAGE, PARTS, TICKETS, Served, gateways
from gatepost.v1 import moderation_pb2, moderation_pb2_grpc, verdict_pb2

COMMAND = "make bench-overhead"
REPORT = targets.OUT / "bench" / "overhead.json"
IMAGE_BYTES = 200_000
KINDS = {EVERYTHING: (), CONTROL: (), NOTHING: PARTS} | {part: (part,) for part in PARTS}
WARM_UP = 30  # images
AT_A_TIME, BURST, BURSTS = 8, 64, 4  # under load: callers, calls before the other gateway has its turn, turns


class Caller:
    """Calls one gateway, and checks that it left out what it should have left out and nothing else."""

    def __init__(self, served: Served, channel: grpc.Channel) -> None:
        self.served = served
        self._moderation = moderation_pb2_grpc.ModerationServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {served.token}"),) if served.token else ()

    def call(self, image: bytes) -> float:
        """Microseconds until the verdict was there."""
        request = moderation_pb2.ModerateRequest(image=image)
        started = time.perf_counter_ns()
        verdict = self._moderation.Moderate(request, metadata=self._metadata, timeout=60.0).verdict
        took = 1e-3 * (time.perf_counter_ns() - started)
        found = (verdict.decision, bool(verdict.ticket), bool(verdict.coverage.stages))
        without = self.served.without
        if found != (verdict_pb2.DECISION_ALLOW, TICKETS not in without, COVERAGE not in without):
            raise RuntimeError(f"without {sorted(without)} the gateway answered {found}")
        return took


def main() -> int:
    """Measure, write, show; the exit code says whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200, help="for each start of the gateways")
    parser.add_argument("--starts", type=int, default=6)
    asked = parser.parse_args()
    wall, cpu, loaded = (collections.defaultdict[str, list[list[float]]](list) for _ in range(3))
    with tempfile.TemporaryDirectory(prefix="gatepost-overhead-") as scratch:
        alone = floor(Path(scratch), os.urandom(IMAGE_BYTES))
        for start in track(range(asked.starts), "starts", transient=True):
            with callers(Path(scratch) / f"start-{start}", start) as by_name:
                for name, (of_wall, of_cpu) in one_at_a_time(by_name, asked.images, start).items():
                    wall[name].append(of_wall)
                    cpu[name].append(of_cpu)
                for name, bursts in under_load({each: by_name[each] for each in (EVERYTHING, NOTHING)}).items():
                    loaded[name] += bursts
    rows = [
        *compared(wall, cpu, COMMAND),
        *compared_under_load(loaded, COMMAND),
        *(targets.reported(f"alone: {what}", took, "µs", COMMAND) for what, took in alone.items()),
    ]
    targets.write(REPORT, rows, starts=asked.starts, images=asked.images, image_bytes=IMAGE_BYTES, at_a_time=AT_A_TIME)
    targets.show(rows, "what the promises cost")
    return 0 if all(row.met is not False for row in rows) else 1


@contextlib.contextmanager
def callers(scratch: Path, start: int) -> Iterator[Mapping[str, Caller]]:
    """A gateway of each kind, ready. The order in which they start differs from start to start."""
    names = random.Random(start).sample(list(KINDS), len(KINDS))
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(gateways(scratch, {name: KINDS[name] for name in names}))
        yield {
            name: Caller(each, stack.enter_context(grpc.insecure_channel(each.address)))
            for name, each in served.items()
        }


def one_at_a_time(
    by_name: Mapping[str, Caller], images: int, start: int
) -> Mapping[str, tuple[list[float], list[float]]]:
    """Wall and processor time of each image, by gateway, in microseconds."""
    spent: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in by_name}
    order = list(by_name)
    turns = random.Random(start)
    for number in range(images + WARM_UP):
        image = os.urandom(IMAGE_BYTES)
        turns.shuffle(order)
        for name in order:
            caller = by_name[name]
            before = caller.served.cpu_ns()
            wall = caller.call(image)
            cpu = 1e-3 * (caller.served.cpu_ns() - before)
            if number >= WARM_UP:
                spent[name][0].append(wall)
                spent[name][1].append(cpu)
    return spent


def under_load(by_name: Mapping[str, Caller]) -> Mapping[str, list[list[float]]]:
    """Wall time with several callers, by gateway and burst; the gateways take turns burst by burst."""
    bursts: dict[str, list[list[float]]] = {name: [] for name in by_name}
    order = list(by_name)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for number in range(BURSTS):
            batch = [os.urandom(IMAGE_BYTES) for _ in range(BURST)]
            for name in order if number % 2 else reversed(order):
                bursts[name].append(list(pool.map(by_name[name].call, batch)))
    return bursts


if __name__ == "__main__":
    sys.exit(main())
