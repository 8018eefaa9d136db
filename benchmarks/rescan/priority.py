"""What whoever waits for an image pays for a re-scan beside them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gatepost_client import Client

_PAUSE_S = 0.5  # between an answer and the next question: a person draws another card
_READY_S = 180.0


def latencies_ms(address: str, files: Sequence[Path]) -> list[float]:
    """Milliseconds of one card after the other, as somebody asks who waits for each."""
    spent = []
    with Client(address, timeout=120) as client:
        for file in files:
            image = file.read_bytes()
            started = time.perf_counter()
            client.moderate(image, evidence=False)
            spent.append((time.perf_counter() - started) * 1_000)
            time.sleep(_PAUSE_S)
    return spent


@contextmanager
def rescan_running(address: str, source: Path, out: Path) -> Iterator[None]:
    """`gatepostd rescan` in a process of its own, at work when the block begins, killed when it ends."""
    command = [sys.executable, "-m", "gatepost_server.cli", "rescan", str(source), "--out", str(out)]
    command += ["--gateway", address, "--shard-size", "4", "--memory", "100", "--no-report"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _READY_S
        while not done(out):
            if driver.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the re-scan did not come to work")
            time.sleep(0.1)
        yield
        if driver.poll() is not None:
            raise RuntimeError("the re-scan ended too soon: this measures nothing")
    finally:
        driver.kill()
        driver.wait()


def done(out: Path) -> int:
    """How many shards are written."""
    return len(list(out.glob("_gatepost/manifest/*.json")))
