"""Injects one fault after the other and waits each time until the service is whole again."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psutil
from rich.console import Console

from benchmarks.chaos.fault import Fault, Scene
from benchmarks.chaos.ledger import Manner
from benchmarks.chaos.load import PATIENCE_S
from gatepost_client import Decision

LEAD_S = 1.5  # of load before each fault, so that images are everywhere when it comes
LONGEST_S = 90.0  # waited for full service
PROBE_S = 0.5  # between two looks whether the service is whole
SETTLE_S = 15.0  # waited for what is owed, before the next fault

console = Console()


@dataclass(slots=True)
class Row:
    """What a fault did."""

    fault: Fault
    injected: int = 0
    full_service_s: list[float] = field(default_factory=list)  # longer than LONGEST_S: infinity


async def run(scene: Scene, faults: Sequence[Fault], *, until: float) -> list[Row]:
    """Every fault as often as it says, as long as `until` (time.monotonic) is not over: each once, then each again."""
    rows = [Row(fault) for fault in faults]
    for row, count in in_turn(rows):
        if time.monotonic() > until:
            console.print(f"[red]no time left for {row.fault.name} {count + 1}/{row.fault.times}")
            continue
        await asyncio.sleep(LEAD_S)
        scene.ledger.fault = row.fault.name
        try:
            await row.fault.inject(scene, count)
        except (OSError, RuntimeError, KeyError, psutil.Error, subprocess.SubprocessError) as error:
            console.print(f"[red]{row.fault.name} could not be injected: {type(error).__name__}: {error}")
            continue
        row.injected += 1
        row.full_service_s.append(await full_service(scene))
        await scene.load.settled(SETTLE_S)
        console.print(
            f"{row.fault.name} {count + 1}/{row.fault.times}: "
            f"full service after {row.full_service_s[-1]:.1f} s, {scene.ledger.owed()} owed"
        )
    return rows


def in_turn(rows: Sequence[Row]) -> Iterator[tuple[Row, int]]:
    """Each row's first injection, then each row's second: a slow machine runs out of repetitions before faults."""
    for count in range(max((row.fault.times for row in rows), default=0)):
        yield from ((row, count) for row in rows if count < row.fault.times)


async def full_service(scene: Scene) -> float:
    """Seconds until a good and a bad card, asked for together, both have their right verdict at once."""
    good = next(card for card in scene.cards if not card.bad)
    bad = next(card for card in scene.cards if card.bad)
    started = time.monotonic()
    while time.monotonic() - started < LONGEST_S:
        if not await scene.load.serving():  # what is asked for now would be held, and be work for later
            await asyncio.sleep(0.1)
            continue
        entries = await asyncio.gather(*(scene.load.one(card, Manner.PROBE, PATIENCE_S) for card in (good, bad)))
        if all(entry.verdict is not None and entry.verdict.decision is entry.card.right for entry in entries):
            return time.monotonic() - started
        await asyncio.sleep(PROBE_S)
    return float("inf")


async def capacity(scene: Scene, *, callers: int = 4, seconds: float = 6.0) -> float:
    """Cards a second that the service judges for `callers` who ask one after the other."""
    end = time.monotonic() + seconds
    judged = 0

    async def caller() -> None:
        nonlocal judged
        while time.monotonic() < end:
            entry = await scene.load.one(scene.load.card(), Manner.PROBE, 60.0)
            judged += entry.verdict is not None and entry.verdict.decision is not Decision.HOLD

    started = time.monotonic()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return judged / (time.monotonic() - started)
