"""`make bench-smoke`: is the served gate fit for use? Start-up, latency, memory, throughput beside a plain loop.

The peer is the loop that a user would write over paddleocr and open_clip with the same weights, in a
process of its own. Both run over the same cards, in turns, so that a drift of the machine hits both.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from rich.progress import track

from benchmarks import targets
from benchmarks.load import endless, load, once, quantiles
from benchmarks.rounds import contestant
from benchmarks.stack import Stack, running

COMMAND = "make bench-smoke"
REPORT = targets.OUT / "bench" / "smoke.json"
CARDS = targets.OUT / "bench" / "cards"
DEMO_CARDS = Path(__file__).parent / "demo" / "cards"
SIDE = 1024
STILL_CARDS = ("*.jpg", "*.webp", "*.png")
LATENCY_REQUESTS: Mapping[int, int] = {1: 48, 4: 96}
ROUNDS = 3
BEST_CONCURRENCY = 4
MIB = 1024**2


def _rate(address: str, images: Sequence[bytes]) -> float:
    started = time.perf_counter()
    asyncio.run(load(address, once(images), BEST_CONCURRENCY))
    return len(images) / (time.perf_counter() - started)


def _install_bytes() -> int:
    environment = Path(sys.prefix)
    return sum(file.lstat().st_size for file in environment.rglob("*") if file.is_file() and not file.is_symlink())


def _measure(stack: Stack, images: Sequence[bytes]) -> tuple[list[targets.Target], dict[str, Any]]:
    asyncio.run(load(stack.address, once(images, 2), BEST_CONCURRENCY))  # warm up
    latency = {
        concurrency: quantiles(asyncio.run(load(stack.address, itertools.islice(endless(images), count), concurrency)))
        for concurrency, count in track(LATENCY_REQUESTS.items(), description="latency")
    }
    pss = stack.pss_bytes()
    with contestant("benchmarks.plain_loop", CARDS) as peer:
        pairs = [
            (_rate(stack.address, images), peer.rate()) for _ in track(range(ROUNDS), description="beside a plain loop")
        ]
    ratio = median(ours / theirs for ours, theirs in pairs)

    rows = [
        targets.at_most("ready after start", stack.ready_s, 20, "s", COMMAND),
        *(
            targets.reported(
                f"one {SIDE}x{SIDE} card, concurrency {c}, {name}", latency[c]["client"][name], "ms", COMMAND
            )
            for c, name in itertools.product(latency, ("p50", "p99"))
        ),
        targets.at_most("memory of the whole tree (PSS)", sum(pss.values()) / 1e9, 2.5, "GB", COMMAND),
        targets.reported("served images a second", median(ours for ours, _ in pairs), "1/s", COMMAND),
        targets.reported("plain loop, images a second", median(theirs for _, theirs in pairs), "1/s", COMMAND),
        targets.reported("served / plain loop", ratio, "x", COMMAND),
        targets.reported("install size (.venv)", _install_bytes() / 1e9, "GB", COMMAND),
    ]
    figures = {
        "latency_ms": latency,
        "pss_mib": {name: round(size / MIB, 1) for name, size in pss.items()},
        "rounds": [{"served": ours, "plain_loop": theirs} for ours, theirs in pairs],
    }
    return rows, figures


def _cards() -> Sequence[Path]:
    """The demo's still cards as opaque JPEGs of one size, so that both sides decode the same."""
    CARDS.mkdir(parents=True, exist_ok=True)
    for source in sorted(path for pattern in STILL_CARDS for path in DEMO_CARDS.glob(pattern)):
        with Image.open(source) as card:
            card.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(
                CARDS / f"{source.stem}.jpg", quality=92
            )
    return sorted(CARDS.glob("*.jpg"))


def main() -> int:
    """Measure, write the report, print it; 1 when a target is missed."""
    images = [path.read_bytes() for path in _cards()]
    with running() as stack:
        rows, figures = _measure(stack, images)
    targets.write(REPORT, rows, **figures)
    targets.show(rows, "bench-smoke")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
