"""A wall clock that is moved under the gateway, forwards and back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from benchmarks.chaos.fault import Fault, Scene

MOVED = Path(__file__).parents[1] / "moved_clock"  # on PYTHONPATH of a gateway whose clock is to be moved
VARIABLE = "CHAOS_CLOCK"
MOVES_S = (3_600, -3_600)
LASTS_S = 5.0


async def _moved(scene: Scene, count: int) -> None:
    """The clock of a running gateway jumps, and jumps back."""
    hand = Path(scene.keeper.environment[VARIABLE])
    hand.write_text(str(MOVES_S[count]))
    await asyncio.sleep(LASTS_S)
    hand.unlink()


def environment(folder: Path) -> Mapping[str, str]:
    """What a gateway needs for its clock to be moved; until then it goes right."""
    return {"PYTHONPATH": str(MOVED), VARIABLE: str(folder / "clock")}


FAULTS = (Fault("clock moved by an hour and back", _moved, times=len(MOVES_S)),)
