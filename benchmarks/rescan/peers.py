"""The same images by what somebody would write instead, a thread pool over the SDK, and by the SDK's stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatepost_client import Client, Item, Urgency


def thread_pool(address: str, files: Sequence[Path], threads: int) -> float:
    """Images a second of `threads` threads, each of which reads a file, asks, and keeps the verdict in memory."""
    with Client(address, timeout=120) as client, ThreadPoolExecutor(threads) as pool:

        def ask(file: Path) -> object:
            return client.moderate(file.read_bytes(), urgency=Urgency.RESCAN, embedding=True)

        started = time.monotonic()
        verdicts = list(pool.map(ask, files))
        return len(verdicts) / (time.monotonic() - started)


def served_peak(address: str, files: Sequence[Path], window: int) -> float:
    """Images a second of one stream with so many open, all as urgent as can be: what the service gives at most."""
    with Client(address, timeout=120) as client:
        items = (Item(file.read_bytes(), urgency=Urgency.INTERACTIVE, evidence=False) for file in files)
        started = time.monotonic()
        answered = 0
        for result in client.moderate_stream(items, window=window, stall_timeout=120.0):
            if result.error is not None:
                raise result.error
            answered += 1
        return answered / (time.monotonic() - started)
