"""Memory and disks that are full, and a store of accepted images that is gone or cannot be written."""

from __future__ import annotations

import asyncio
import resource

from benchmarks.chaos import volumes
from benchmarks.chaos.fault import STAGES, Fault, Scene
from benchmarks.chaos.ledger import Manner
from benchmarks.chaos.load import IMPATIENCE_S

LASTS_S = 6.0
IMPATIENT = 5  # callers whose images would have to be written down


async def _shared_memory_full(scene: Scene, count: int) -> None:
    with volumes.filled(volumes.SHARED_MEMORY):
        scene.keeper.stubs()[STAGES[count]].kill()  # it has no memory to come back to
        await _meanwhile(scene)


async def _disk_full(scene: Scene, _: int) -> None:
    with volumes.filled(scene.data):
        await _meanwhile(scene)


async def _store_gone(scene: Scene, _: int) -> None:
    store = scene.keeper.state / "backlog.db"
    away = store.with_name("away.db")
    store.rename(away)
    try:
        await _meanwhile(scene)
    finally:
        away.rename(store)


async def _store_unwritable(scene: Scene, _: int) -> None:
    """No file can be written by the gateway: not its store, nor its log."""
    pid = scene.keeper.gateway().pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        await _meanwhile(scene)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def _store_read_only(scene: Scene, _: int) -> None:
    """The gateway is started again on a file system that is read-only."""
    with volumes.read_only(scene.keeper.state):
        scene.keeper.gateway().kill()
        await _meanwhile(scene)


async def _meanwhile(scene: Scene) -> None:
    for _ in range(IMPATIENT):
        scene.load.start(scene.load.card(), Manner.IMPATIENT, IMPATIENCE_S)
    await asyncio.sleep(LASTS_S)


FAULTS = (
    Fault("/dev/shm full", _shared_memory_full),
    Fault("record store gone", _store_gone),
    Fault("record store cannot be written", _store_unwritable),
    Fault("record store read-only at a start", _store_read_only, within_s=45.0),
    Fault("disk full", _disk_full),
)
