"""Processes that die, and processes that stand still."""

from __future__ import annotations

import asyncio

import psutil

from benchmarks.chaos.fault import STAGES, Fault, Scene

STILL_S = 10.0
AT_ONCE = 2  # stubs that stand still together: all six, one after the other, do not fit into the time


async def _kill_stub(scene: Scene, count: int) -> None:
    scene.keeper.stubs()[STAGES[count]].kill()


async def _kill_triton(scene: Scene, _: int) -> None:
    scene.keeper.triton().kill()


async def _kill_gateway(scene: Scene, _: int) -> None:
    scene.keeper.gateway().kill()


async def _stop_stubs(scene: Scene, count: int) -> None:
    stubs = scene.keeper.stubs()
    await _stand_still(*(stubs[stage] for stage in STAGES[AT_ONCE * count :][:AT_ONCE]))


async def _stop_triton(scene: Scene, _: int) -> None:
    await _stand_still(scene.keeper.triton())


async def _stop_gateway(scene: Scene, _: int) -> None:
    await _stand_still(scene.keeper.gateway())


async def _stand_still(*processes: psutil.Process) -> None:
    for process in processes:
        process.suspend()
    try:
        await asyncio.sleep(STILL_S)
    finally:
        for process in processes:
            process.resume()


FAULTS = (
    Fault("kill -9 of a stub", _kill_stub, times=len(STAGES)),
    Fault("kill -9 of tritonserver", _kill_triton),
    Fault("kill -9 of the gateway", _kill_gateway),
    Fault("SIGSTOP of two stubs for 10 s", _stop_stubs, times=len(STAGES) // AT_ONCE),
    Fault("SIGSTOP of tritonserver for 10 s", _stop_triton),
    Fault("SIGSTOP of the gateway for 10 s", _stop_gateway),
)
