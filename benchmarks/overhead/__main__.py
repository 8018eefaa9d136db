"""`make bench-overhead`: what tickets, coverage, admission and their like add to p50 and p99 of a Moderate call.

A gateway with everything, one without each part, and one without any of them run side by side as processes of their
own, over a scorer without weights; each image goes to all of them, in an order that changes with every image. So
whatever else the machine does hits all alike.

Wall time is the caller's. Processor time is the gateway's, over all its threads; it is the steadier of the two.
"""

from __future__ import annotations

import argparse
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
from benchmarks.overhead.compare import EVERYTHING, NOTHING, compared, compared_under_load
from benchmarks.overhead.floor import floor
from benchmarks.overhead.gateway import COVERAGE, PARTS, TICKETS, Served, gateway
from gatepost.v1 import moderation_pb2, moderation_pb2_grpc, verdict_pb2

COMMAND = "make bench-overhead"
REPORT = targets.OUT / "bench" / "overhead.json"
IMAGE_BYTES = 200_000
WARM_UP = 30  # images
AT_A_TIME, BURST = 8, 64  # under load: callers, and calls before the other gateway has its turn


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
    parser.add_argument("--images", type=int, default=1_000)
    images: int = parser.parse_args().images
    with tempfile.TemporaryDirectory(prefix="gatepost-overhead-") as scratch:
        alone = floor(Path(scratch), os.urandom(IMAGE_BYTES))
        with callers(Path(scratch)) as by_name:
            wall, cpu = one_at_a_time(by_name, images)
            loaded = under_load({name: by_name[name] for name in (EVERYTHING, NOTHING)}, images)
    rows = [
        *compared(wall, cpu, COMMAND),
        *compared_under_load(loaded, COMMAND),
        *(targets.reported(f"alone: {what}", took, "µs", COMMAND) for what, took in alone.items()),
    ]
    targets.write(REPORT, rows, images=images, image_bytes=IMAGE_BYTES, at_a_time=AT_A_TIME)
    targets.show(rows, "what the promises cost")
    return 0 if all(row.met is not False for row in rows) else 1


@contextlib.contextmanager
def callers(scratch: Path) -> Iterator[Mapping[str, Caller]]:
    """A gateway of each kind, ready."""
    kinds = {EVERYTHING: (), NOTHING: PARTS} | {part: (part,) for part in PARTS}
    with contextlib.ExitStack() as stack:
        by_name = {}
        for name, without in kinds.items():
            served = stack.enter_context(gateway(scratch / f"without-{len(by_name)}", without))
            by_name[name] = Caller(served, stack.enter_context(grpc.insecure_channel(served.address)))
        yield by_name


def one_at_a_time(
    by_name: Mapping[str, Caller], images: int
) -> tuple[Mapping[str, list[float]], Mapping[str, list[float]]]:
    """Wall and processor time of each image, by gateway, in microseconds."""
    wall: dict[str, list[float]] = {name: [] for name in by_name}
    cpu: dict[str, list[float]] = {name: [] for name in by_name}
    order = list(by_name)
    turns = random.Random(1)
    for number in track(range(images + WARM_UP), "one at a time", transient=True):
        image = os.urandom(IMAGE_BYTES)
        turns.shuffle(order)
        for name in order:
            caller = by_name[name]
            before = caller.served.cpu_ns()
            took = caller.call(image)
            spent = 1e-3 * (caller.served.cpu_ns() - before)
            if number >= WARM_UP:
                wall[name].append(took)
                cpu[name].append(spent)
    return wall, cpu


def under_load(by_name: Mapping[str, Caller], images: int) -> Mapping[str, list[list[float]]]:
    """Wall time with several callers, by gateway and burst; the gateways take turns burst by burst."""
    bursts: dict[str, list[list[float]]] = {name: [] for name in by_name}
    order = list(by_name)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for number in track(range(max(2, images // BURST)), f"{AT_A_TIME} at a time", transient=True):
            batch = [os.urandom(IMAGE_BYTES) for _ in range(BURST)]
            for name in order if number % 2 else reversed(order):
                bursts[name].append(list(pool.map(by_name[name].call, batch)))
    return bursts


if __name__ == "__main__":
    sys.exit(main())
