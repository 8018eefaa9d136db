"""Callers who vanish, callers who are far too many, and a service manager that stops the service under load."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Sequence

from benchmarks import targets
from benchmarks.chaos.fault import Fault, Scene
from benchmarks.chaos.keeper import terminate
from benchmarks.chaos.ledger import Asked, Manner
from gatepost_client import Unavailable

COMMAND = "make chaos"
DEADLINE_S = 5.0
OVERLOAD_S = 12.0
TIMES_CAPACITY = 10
AT_ONCE_S = 1.0
END_S = 40.0


async def _vanish(scene: Scene, _: int) -> None:
    """A client process is killed as soon as its stream has its first answer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.chaos.vanishing", scene.keeper.address, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        await asyncio.wait_for(process.stdout.readline(), 30.0)
    finally:
        process.kill()
        await process.wait()


async def _overload(scene: Scene, _: int) -> None:
    first = len(scene.ledger.asked)
    pause_s = 1.0 / (TIMES_CAPACITY * scene.capacity_per_s)
    end = time.monotonic() + OVERLOAD_S
    while time.monotonic() < end:
        scene.load.start(scene.load.card(), Manner.OVERLOAD, DEADLINE_S)
        await asyncio.sleep(pause_s)
    await asyncio.sleep(DEADLINE_S + 1.0)
    scene.figures += _overload_figures(
        [entry for entry in scene.ledger.asked[first:] if entry.manner is Manner.OVERLOAD]
    )


def _overload_figures(asked: Sequence[Asked]) -> list[targets.Target]:
    accepted = [entry.answered - entry.sent for entry in asked if entry.accepted and entry.answered is not None]
    refused = [entry.answered - entry.sent for entry in asked if entry.refused and entry.answered is not None]
    neither = len(asked) - len(accepted) - len(refused)
    rows = [
        targets.reported("10 times the capacity: accepted", len(accepted), "", COMMAND),
        targets.reported("10 times the capacity: refused", len(refused), "", COMMAND),
        targets.at_most("10 times the capacity: neither accepted nor refused", neither, 0, "", COMMAND),
    ]
    if accepted:
        rows.append(
            targets.at_most("10 times the capacity: p99 of the accepted", _p99(accepted), DEADLINE_S, "s", COMMAND)
        )
    if refused:
        rows.append(
            targets.at_most("10 times the capacity: p99 of the refused", _p99(refused), AT_ONCE_S, "s", COMMAND)
        )
    return rows


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1]


async def _sigterm(scene: Scene, _: int) -> None:
    gateway, exits = scene.keeper.gateway(), len(scene.keeper.exit_codes)
    inside = [entry for entry in scene.ledger.asked if entry.answered is None and time.monotonic() - entry.sent > 0.3]
    terminate(gateway)
    async with asyncio.timeout(END_S):
        while len(scene.keeper.exit_codes) == exits:
            await asyncio.sleep(0.05)
    # Whom the service tells that it stops hears a reason; whose connection just ended hears none.
    broken = [entry for entry in inside if isinstance(entry.error, Unavailable) and not entry.error.reason]
    scene.figures += [
        targets.at_most("SIGTERM under load: inside and broken off", len(broken), 0, "", COMMAND),
        targets.at_most("SIGTERM under load: exit status", abs(scene.keeper.exit_codes[exits]), 0, "", COMMAND),
    ]


FAULTS = (
    Fault("clients that vanish mid-stream", _vanish),
    Fault("10 times the capacity", _overload, within_s=60.0),
    Fault("SIGTERM under load", _sigterm),
)
