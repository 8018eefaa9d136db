"""Writes out/bench/rescan.json. `--part NAME` measures one part alone; what other parts measured before is kept.

fake     many small files and a scorer without nets: what the re-scan itself costs, and what a resume does
memory   1,000 and 100,000 rows (or --rows), the same way
real     real cards through a real gatepost, beside its served peak and a thread pool
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from benchmarks import targets
from benchmarks.rescan.memory import watched
from benchmarks.rescan.peers import served_peak, thread_pool
from benchmarks.rescan.scenes import FakeStages, different_cards, fake_gateway, small_files
from benchmarks.stack import running
from benchmarks.targets import Target, at_least, at_most, reported
from gatepost_server.rescan.failures import PausedError
from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.gateways import Gateways, Way
from gatepost_server.rescan.job import Asked, Done
from gatepost_server.rescan.judges import MakeJudge
from gatepost_server.rescan.pipeline import RayTerms, Workers, ray_running
from gatepost_server.rescan.progress import Silent
from gatepost_server.rescan.run import Order, rescan
from gatepost_server.rescan.stores.base import address

COMMAND = "make bench-rescan"
REPORT = targets.OUT / "bench" / "rescan.json"
PARTS = targets.OUT / "bench" / "rescan"
RAY = RayTerms(object_store_bytes=150 << 20)
IN_FLIGHT = 8


class StopsAfter(Silent):
    """A View that ends the job once so many shards are written."""

    def __init__(self, shards: int) -> None:
        self._left = shards

    def written(self, done: Done) -> None:  # noqa: ARG002 - the protocol's
        """As View.written."""
        self._left -= 1
        if self._left <= 0:
            raise PausedError("enough for now")


def order(source: Path, out: Path, judge: MakeJudge, **changed: object) -> Order:
    """A job over local files."""
    made = Order(address(str(source)), address(str(out)), Asked(str(source)), Filters(), judge, ray=RAY)
    return replace(made, **changed)  # type: ignore[arg-type]


def fake(scratch: Path, options: argparse.Namespace) -> list[Target]:
    """Against the gateway without nets: overhead, Ray's start, resuming."""
    source = small_files(scratch / "source", options.images)
    files = sorted(source.rglob("*.png"))
    with fake_gateway() as gateway:
        pool = thread_pool(gateway, files, 16)
        judge = partial(Gateways, Way([gateway], in_flight=16))
        with ray_running(RAY) as ray_s:
            whole = rescan(order(source, scratch / "whole", judge, shard_size=256), Silent())
            half = order(source, scratch / "half", judge, shard_size=256)
            started = time.monotonic()
            try:
                rescan(half, StopsAfter(max(1, options.images // 512)))
            except PausedError:
                first_s = time.monotonic() - started
            resumed = rescan(half, Silent())
    again = first_s + resumed.plan_s + resumed.scan_s - whole.plan_s - whole.scan_s
    return [
        reported("Ray's start", ray_s, "s", COMMAND),
        reported("images a second, scorer without nets", whole.images_per_s, "1/s", COMMAND),
        reported("the same by a thread pool over the SDK", pool, "1/s", COMMAND),
        reported("planning, a thousand images", whole.plan_s / options.images * 1_000, "s", COMMAND),
        reported("stopped half way and resumed, beyond one run", again, "s", COMMAND),
        reported("rows that the resumed run found done", resumed.rows_before / resumed.rows * 100, "%", COMMAND),
    ]


def memory(scratch: Path, options: argparse.Namespace) -> list[Target]:
    """Whether memory grows with the rows."""
    peaks = {}
    rows = []
    for count in (1_000, options.rows):
        source = small_files(scratch / f"source-{count}", count)
        with watched() as watching, ray_running(RAY):
            summary = rescan(order(source, scratch / f"out-{count}", FakeStages()), Silent())
        peaks[count] = watching
        rows.append(reported(f"{count:,} rows, images a second", summary.images_per_s, "1/s", COMMAND))
        rows += [
            reported(f"{count:,} rows, peak of {name}", size / 2**20, "MiB", COMMAND)
            for name, size in sorted(watching.items())
        ]
    few, many = peaks[1_000].total, peaks[options.rows].total
    return [*rows, at_most(f"memory at {options.rows:,} rows / at 1,000", many / few, 1.25, "x", COMMAND)]


def real(scratch: Path, options: argparse.Namespace) -> list[Target]:
    """Real cards through a real gatepost. Each way gets cards of its own, for answers are remembered."""
    few = max(8, options.cards // 4)
    cards = different_cards(scratch / "cards", 2 * options.cards + few)
    to_scan = scratch / "scan"
    to_scan.mkdir()
    for file in cards[: options.cards]:
        file.rename(to_scan / file.name)
    with running(environment={"GATEPOST_GATEWAY_MAX_DEADLINE_S": "120"}) as stack, ray_running(RAY):
        served_peak(stack.address, cards[options.cards : options.cards + few], 8)  # warm up
        way = Way([stack.address], in_flight=IN_FLIGHT, answer_s=120.0)
        summary = rescan(order(to_scan, scratch / "out", partial(Gateways, way), workers=Workers()), Silent())
        rest = cards[options.cards + few :]
        half = len(rest) // 2
        peak = served_peak(stack.address, rest[:half], 8)
        pool = thread_pool(stack.address, rest[half:], IN_FLIGHT)
    scanned = summary.images_per_s
    return [
        reported("real cards a second, re-scan", scanned, "1/s", COMMAND),
        reported("real cards a second, served peak", peak, "1/s", COMMAND),
        reported("real cards a second, thread pool over the SDK", pool, "1/s", COMMAND),
        at_least("re-scan / served peak", scanned / peak, 0.9, "x", COMMAND),
        reported("re-scan / thread pool", scanned / pool, "x", COMMAND),
    ]


MEASURES: Mapping[str, Callable[[Path, argparse.Namespace], list[Target]]] = {
    "fake": fake,
    "memory": memory,
    "real": real,
}


def main() -> int:
    """Measure, write, show; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(MEASURES))
    parser.add_argument("--images", type=int, default=4_096, help="small files of `fake`")
    parser.add_argument("--rows", type=int, default=100_000, help="the many rows of `memory`")
    parser.add_argument("--cards", type=int, default=48, help="cards of `real`")
    options = parser.parse_args()
    for part in options.part or MEASURES:
        with tempfile.TemporaryDirectory(prefix=f"gatepost-rescan-{part}-") as scratch:
            measured = MEASURES[part](Path(scratch), options)
        PARTS.mkdir(parents=True, exist_ok=True)
        (PARTS / f"{part}.json").write_text(json.dumps([asdict(target) for target in measured], indent=1))
        targets.show(measured, f"re-scan: {part}")
    kept = [
        Target(**each)
        for part in MEASURES
        if (PARTS / f"{part}.json").exists()
        for each in json.loads((PARTS / f"{part}.json").read_text())
    ]
    targets.write(REPORT, kept)
    return 0 if all(target.met is not False for target in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
