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

import numpy as np
from pyarrow.parquet import read_table

from benchmarks import targets
from benchmarks.rescan.memory import watched
from benchmarks.rescan.peers import served_peak, thread_pool
from benchmarks.rescan.priority import done, latencies_ms, rescan_running
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
    """Real cards through a real gatepost. Each way gets cards of its own, for answers are remembered; the served peak
    is taken before and after, for a shared machine drifts."""
    few = options.cards // 3
    cards = different_cards(scratch / "cards", options.cards + 4 * few)
    to_scan = scratch / "scan"
    to_scan.mkdir()
    for file in cards[: options.cards]:
        file.rename(to_scan / file.name)
    warm, before, after, pooled = (cards[options.cards + few * part :][:few] for part in range(4))
    with running(environment={"GATEPOST_GATEWAY_MAX_DEADLINE_S": "120"}) as stack, ray_running(RAY):
        served_peak(stack.address, warm, IN_FLIGHT)
        peaks = [served_peak(stack.address, before, IN_FLIGHT)]
        way = Way([stack.address], in_flight=IN_FLIGHT, answer_s=120.0)
        summary = rescan(order(to_scan, scratch / "out", partial(Gateways, way), workers=Workers()), Silent())
        peaks.append(served_peak(stack.address, after, IN_FLIGHT))
        pool = thread_pool(stack.address, pooled, IN_FLIGHT)
    at_work, peak = once_at_work(scratch / "out"), sum(peaks) / len(peaks)
    return [
        reported(
            f"{options.cards} real cards, re-scan with its start, cards a second", summary.images_per_s, "1/s", COMMAND
        ),
        reported("real cards a second, re-scan once at work", at_work, "1/s", COMMAND),
        reported("real cards a second, served peak", peak, "1/s", COMMAND, low=min(peaks), high=max(peaks)),
        reported("real cards a second, thread pool over the SDK", pool, "1/s", COMMAND),
        at_least("re-scan once at work / served peak", at_work / peak, 0.9, "x", COMMAND),
        reported("re-scan with its start / served peak", summary.images_per_s / peak, "x", COMMAND),
        reported("until the workers are at work", summary.scan_s - options.cards / at_work, "s", COMMAND),
        reported("re-scan once at work / thread pool", at_work / pool, "x", COMMAND),
    ]


def priority(scratch: Path, options: argparse.Namespace) -> list[Target]:
    """Interactive cards one after the other, alone and beside a re-scan, twice in turn."""
    each = options.probes // 2
    cards = different_cards(scratch / "cards", 4 * each + 400)
    for place, file in enumerate(cards[4 * each :]):  # a folder for each turn, for answers are remembered
        folder = scratch / f"scan-{place % 2}"
        folder.mkdir(exist_ok=True)
        file.rename(folder / file.name)
    alone: list[float] = []
    beside: list[float] = []
    scanned, seconds = 0, 0.0
    environment = {"GATEPOST_GATEWAY_MAX_DEADLINE_S": "120"}
    if options.background:
        environment["GATEPOST_GATEWAY_BACKGROUND_IMAGES"] = str(options.background)
    with running(environment=environment) as stack:
        for turn in range(2):
            probes = cards[2 * turn * each :][: 2 * each]
            alone += latencies_ms(stack.address, probes[:each])
            out = scratch / f"out-{turn}"
            with rescan_running(stack.address, scratch / f"scan-{turn}", out):
                before, started = done(out), time.monotonic()
                beside += latencies_ms(stack.address, probes[each:])
                scanned, seconds = scanned + done(out) - before, seconds + time.monotonic() - started
    p99 = {name: float(np.percentile(spent, 99)) for name, spent in (("alone", alone), ("beside", beside))}
    p50 = {name: float(np.percentile(spent, 50)) for name, spent in (("alone", alone), ("beside", beside))}
    return [
        *(reported(f"interactive card {name}, p50", p50[name], "ms", COMMAND) for name in p50),
        *(reported(f"interactive card {name}, p99", p99[name], "ms", COMMAND) for name in p99),
        reported("interactive p50 beside a re-scan / alone", p50["beside"] / p50["alone"], "x", COMMAND),
        reported("cards a second of the re-scan meanwhile", 4 * scanned / seconds, "1/s", COMMAND),
        at_most("interactive p99 beside a re-scan / alone", p99["beside"] / p99["alone"], 1.5, "x", COMMAND),
    ]


def once_at_work(out: Path) -> float:
    """Verdicts a second from the first to the last."""
    times = sorted(read_table(out / "shards", columns=["scored_at"])["scored_at"].to_pylist())
    return float((len(times) - 1) / (times[-1] - times[0]).total_seconds())


MEASURES: Mapping[str, Callable[[Path, argparse.Namespace], list[Target]]] = {
    "fake": fake,
    "memory": memory,
    "real": real,
    "priority": priority,
}


def main() -> int:
    """Measure, write, show; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(MEASURES))
    parser.add_argument("--images", type=int, default=4_096, help="small files of `fake`")
    parser.add_argument("--rows", type=int, default=100_000, help="the many rows of `memory`")
    parser.add_argument("--cards", type=int, default=360, help="cards of `real`; few of them measure the start")
    parser.add_argument("--probes", type=int, default=40, help="interactive cards of `priority`, alone and beside each")
    parser.add_argument(
        "--background", type=int, help="background_images of the gateway in `priority`; its own default"
    )
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
