"""Clocks that are moved: libfaketime under the whole process tree, Debian's package unpacked into the cache."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from platformdirs import user_cache_path

from benchmarks.chaos.fault import Fault, Scene
from benchmarks.chaos.faults.callers import END_S
from benchmarks.chaos.keeper import terminate
from benchmarks.chaos.run import full_service

MOVES = ("+1h", "-1h")
LASTS_S = 5.0
_LIBRARY = "libfaketime.so.1"


def library() -> Path:
    """libfaketime, fetched where it is not there. Raises OSError, CalledProcessError."""
    folder = user_cache_path("gatepost") / "tests" / "faketime"
    found = next(folder.rglob(_LIBRARY), None)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "libfaketime"], cwd=folder, check=True, capture_output=True, timeout=60)
        package = next(folder.glob("libfaketime_*.deb"))
        subprocess.run(["dpkg", "-x", package.name, "."], cwd=folder, check=True, capture_output=True, timeout=60)
        found = next(folder.rglob(_LIBRARY))
    return found


async def _moved(scene: Scene, count: int) -> None:
    """The clock of a running tree jumps, and comes back."""
    hand = scene.data / "clock"
    hand.write_text("+0\n")
    if "LD_PRELOAD" not in scene.keeper.environment:
        scene.keeper.environment |= {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(hand),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        await _restarted(scene)
    hand.write_text(f"{MOVES[count]}\n")
    await asyncio.sleep(LASTS_S)
    hand.write_text("+0\n")


async def _restarted(scene: Scene) -> None:
    exits = len(scene.keeper.exit_codes)
    terminate(scene.keeper.gateway())
    async with asyncio.timeout(END_S):
        while len(scene.keeper.exit_codes) == exits:
            await asyncio.sleep(0.05)
    await full_service(scene)


FAULTS = (Fault("clock moved by an hour and back", _moved, times=len(MOVES)),)
