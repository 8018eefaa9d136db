"""Models that raise, answer with what is no number or has the wrong shape, or do not answer at all."""

from __future__ import annotations

import asyncio

from benchmarks.chaos.fault import STAGES, Fault, Inject, Scene
from benchmarks.chaos.ledger import Manner
from benchmarks.chaos.load import PATIENCE_S

FAILING_S = 3.0
SURE = 2  # cards besides the steady load, so that there is something to fail on


def _failing(how: str) -> Inject:
    async def inject(scene: Scene, _: int) -> None:
        with scene.overlay.failing(scene.rng.choice(STAGES), how):
            for _ in range(SURE):
                scene.load.start(scene.load.card(), Manner.PATIENT, PATIENCE_S)
            await asyncio.sleep(FAILING_S)

    return inject


FAULTS = (
    Fault("a model that raises", _failing("raise")),
    Fault("a model that answers NaN", _failing("nan")),
    Fault("a model that answers NaN, past our checks of a stage", _failing("nan-raw")),
    Fault("a model that answers wrong shapes", _failing("shape")),
    Fault("a model that answers wrong shapes, past our checks of a stage", _failing("shape-raw")),
    Fault("a model that hangs", _failing("hang")),
)
