"""A wall clock that is moved under the gateway, forwards and back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.chaos.fault import Fault, Scene
from benchmarks.chaos.faults.callers import END_S
from benchmarks.chaos.keeper import terminate
from benchmarks.chaos.run import full_service

MOVED = Path(__file__).parents[1] / "moved_clock"  # on PYTHONPATH of a gateway whose clock is to be moved
MOVES_S = (3_600, -3_600)
LASTS_S = 5.0


async def _moved(scene: Scene, count: int) -> None:
    """The clock of a running gateway jumps, and jumps back."""
    hand = scene.data / "clock"
    if "CHAOS_CLOCK" not in scene.keeper.environment:
        scene.keeper.environment |= {"PYTHONPATH": str(MOVED), "CHAOS_CLOCK": str(hand)}
        await _restarted(scene)
    hand.write_text(str(MOVES_S[count]))
    await asyncio.sleep(LASTS_S)
    hand.write_text("0")


async def _restarted(scene: Scene) -> None:
    exits = len(scene.keeper.exit_codes)
    terminate(scene.keeper.gateway())
    async with asyncio.timeout(END_S):
        while len(scene.keeper.exit_codes) == exits:
            await asyncio.sleep(0.05)
    await full_service(scene)


FAULTS = (Fault("clock moved by an hour and back", _moved, times=len(MOVES_S)),)
