"""One driver for a DEST at a time: whoever comes second is told who is at work.

Each driver has a numbered file below DEST that only one of two can create, and writes it again every so often. The
highest number is the driver; one that is silent for too long, or whose process is gone, is followed by the next number,
and stops writing once it sees that.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatepost_server.rescan.failures import CredentialsError, PausedError, SourceError
from gatepost_server.rescan.job import Destination
from gatepost_server.rescan.stores.base import Found

_SILENT_S = 120.0  # clocks of this machine and of the store should agree to less
_RENEW_S = 20.0


@dataclass(frozen=True, slots=True)
class Driver:
    """A process that drives a job. `started` tells it from a later one of the same number; "" where nobody knows."""

    host: str
    process: int
    started: str
    ended: bool = False

    def is_gone(self) -> bool:
        """Whether it certainly runs no more: nobody here knows of processes on other machines."""
        if self.ended:
            return True
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return self.started != _started(self.process)


class Lease:
    """That this process is the driver. Safe to share between threads."""

    def __init__(self, destination: Destination, number: int, me: Driver, silent_s: float) -> None:
        self._destination = destination
        self._number = number
        self._me = me
        self._silent_s = silent_s
        self._renewed = time.monotonic()
        self._lost = False

    def check(self) -> None:
        """Before anything is written. Raises PausedError once somebody else is the driver; SourceError,
        CredentialsError where this process was silent for so long that it must ask, and cannot."""
        if time.monotonic() - self._renewed > self._silent_s / 2:
            self.renew()
        if self._lost:
            raise PausedError(f"another driver has taken over {self._destination.place}")

    def renew(self) -> None:
        """Say that this process is at work. Raises SourceError, CredentialsError."""
        newest = _newest(self._destination)
        if newest is not None and newest[0] > self._number:
            self._lost = True
            return
        self._destination.write(_name(self._number), _json(self._me))
        self._renewed = time.monotonic()

    def end(self) -> None:
        """Nobody needs to wait for this process. Raises SourceError, CredentialsError."""
        if not self._lost:
            self._destination.write(_name(self._number), _json(replace(self._me, ended=True)))


@contextmanager
def only_driver(destination: Destination, *, silent_s: float = _SILENT_S, renew_s: float = _RENEW_S) -> Iterator[Lease]:
    """Be the driver of DEST while the block runs. Raises PausedError where another process is, SourceError,
    CredentialsError."""
    me = Driver(socket.gethostname(), os.getpid(), _started(os.getpid()))
    newest = _newest(destination)
    if newest is not None:
        _give_way(destination, newest[1], silent_s)
    number = 0 if newest is None else newest[0] + 1
    if not destination.create(_name(number), _json(me)):
        raise PausedError(f"another driver has begun on {destination.place} at the same moment")
    lease = Lease(destination, number, me, silent_s)
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(lease, stop, renew_s), daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        stop.set()
        renewing.join()
        lease.end()


def _renew(lease: Lease, stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        try:
            lease.renew()
        except (SourceError, CredentialsError):
            continue  # `check` asks again before anything is written, and tells


def _give_way(destination: Destination, last: Found, silent_s: float) -> None:
    age_s = (datetime.now(UTC) - last.modified).total_seconds()
    try:
        fields: dict[str, Any] = json.loads(destination.read(f"_gatepost/drivers/{last.path.rpartition('/')[2]}"))
        driver = Driver(**fields)
    except ValueError:  # being written at this moment
        driver = Driver("", 0, "")
    if age_s < silent_s and not driver.is_gone():
        raise PausedError(
            f"another driver is at work on {destination.place} (process {driver.process} of {driver.host or '?'}, "
            f"heard of {max(0.0, age_s):.0f} s ago); if it is dead, come again once that is {silent_s:.0f} s"
        )


def _newest(destination: Destination) -> tuple[int, Found] | None:
    files = destination.listed("_gatepost/drivers/")
    numbers = {int(Path(each.path).stem): each for each in files if Path(each.path).stem.isdecimal()}
    return max(numbers.items(), default=None)


def _name(number: int) -> str:
    return f"_gatepost/drivers/{number:06d}.json"


def _json(driver: Driver) -> bytes:
    return json.dumps(asdict(driver)).encode()


def _started(process: int) -> str:
    """When a process of this machine began, in the kernel's ticks."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
