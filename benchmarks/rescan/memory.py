"""The most memory that this process and its Ray took, by kind of process, while a block ran."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_EVERY_S = 0.5


class Peaks(dict[str, int]):
    """Bytes of resident memory that are not shared, by kind of process: the most of each at one moment."""

    @property
    def total(self) -> int:
        """Of all kinds, each at its own peak: an upper bound."""
        return sum(self.values())


@contextmanager
def watched() -> Iterator[Peaks]:
    """Watches this process and all below it."""
    peaks, stop = Peaks(), threading.Event()
    thread = threading.Thread(target=_watch, args=(peaks, stop))
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()


def _watch(peaks: Peaks, stop: threading.Event) -> None:
    me = psutil.Process()
    while not stop.is_set():
        now: dict[str, int] = {}
        for process in (me, *me.children(recursive=True)):
            try:
                memory, name = process.memory_info(), _kind(process, me)
            except psutil.Error:
                continue
            now[name] = now.get(name, 0) + memory.rss - memory.shared
        for name, size in now.items():
            peaks[name] = max(peaks.get(name, 0), size)
        stop.wait(_EVERY_S)


def _kind(process: psutil.Process, me: psutil.Process) -> str:
    if process.pid == me.pid:
        return "driver"
    command = " ".join(process.cmdline())
    for word, kind in (("_Judging", "judges"), ("(read)", "readers"), ("_Claims", "claims"), ("IDLE", "idle workers")):
        if word in command:
            return kind
    return "the rest of Ray"
