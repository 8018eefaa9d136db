"""How busy the processors and the GPU are while something runs, sampled from the side."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

EVERY_S = 0.5
_ASK = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0")


class Utilisation:
    """Samples in percent; `gpu` stays empty where there is none."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.gpu: list[float] = []

    def means(self) -> dict[str, float | None]:
        """Means in percent, None where nothing was sampled."""
        return {
            name: statistics.fmean(samples) if samples else None
            for name, samples in (("cpu", self.cpu), ("gpu", self.gpu))
        }


@contextmanager
def watched() -> Iterator[Utilisation]:
    """Samples all processors and the first GPU until the block is left."""
    samples, over = Utilisation(), threading.Event()
    has_gpu = shutil.which(_ASK[0]) is not None

    def watch() -> None:
        psutil.cpu_percent()
        while not over.wait(EVERY_S):
            samples.cpu.append(psutil.cpu_percent())
            if has_gpu:
                samples.gpu.append(float(subprocess.check_output(_ASK, text=True, timeout=10)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()
