"""Processes that die, and processes that stand still."""

from __future__ import annotations

import asyncio

import psutil

from benchmarks.chaos.fault import STAGES, Fault, Scene

STILL_S = 10.0


async def _kill_stub(scene: Scene, count: int) -> None:
    scene.keeper.stubs()[STAGES[count]].kill()


async def _kill_triton(scene: Scene, _: int) -> None:
    scene.keeper.triton().kill()


async def _kill_gateway(scene: Scene, _: int) -> None:
    scene.keeper.gateway().kill()


async def _stop_stub(scene: Scene, count: int) -> None:
    await _stand_still(scene.keeper.stubs()[STAGES[count]])


async def _stop_triton(scene: Scene, _: int) -> None:
    await _stand_still(scene.keeper.triton())


async def _stop_gateway(scene: Scene, _: int) -> None:
    await _stand_still(scene.keeper.gateway())


async def _stand_still(process: psutil.Process) -> None:
    process.suspend()
    try:
        await asyncio.sleep(STILL_S)
    finally:
        process.resume()


FAULTS = (
    Fault("kill -9 of a stub", _kill_stub, times=len(STAGES)),
    Fault("kill -9 of tritonserver", _kill_triton, times=2),
    Fault("kill -9 of the gateway", _kill_gateway, times=2),
    Fault("SIGSTOP of a stub for 10 s", _stop_stub, times=len(STAGES)),
    Fault("SIGSTOP of tritonserver for 10 s", _stop_triton),
    Fault("SIGSTOP of the gateway for 10 s", _stop_gateway),
)
