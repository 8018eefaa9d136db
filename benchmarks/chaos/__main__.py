"""`python -m benchmarks.chaos`: start a gatepost, break it in every way that is known, write what came of it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import targets
from benchmarks.chaos import report, volumes
from benchmarks.chaos.cards import known_cards
from benchmarks.chaos.fault import Fault, Scene
from benchmarks.chaos.faults import callers, clock, models, processes, storage
from benchmarks.chaos.keeper import Keeper
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.load import Load
from benchmarks.chaos.overlay import Overlay
from benchmarks.chaos.run import capacity, console, run
from benchmarks.stack import LOGS
from gatepost_client import Client
from gatepost_client.tickets import Jwks

MINUTES = 8.5  # after which no further fault is begun; the rest of ten is for the last one and the end
SHARE = 0.35  # of its capacity that is asked for all the time
START_S = 180.0
LAST_S = 45.0  # for what is still owed when all faults are over
REPOSITORY = Path(__file__).parents[2] / "model_repository"
SETTINGS = {
    "GATEPOST_LOG_FORMAT": "json",
    "GATEPOST_MODEL_HANG_S": "12",  # so that a model that hangs fits into the time
}
FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *models.FAULTS,
    *storage.FAULTS,
    *callers.FAULTS,
    *clock.FAULTS,
)


def main() -> int:
    """Run, report; 1 where a target is missed, 2 where nothing could be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20260217)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="no fault is begun after these")
    parser.add_argument("--only", default="", help="faults whose name holds one of these words, separated by commas")
    parser.add_argument("--most", type=int, default=10, help="injections of each fault, at most")
    chosen = parser.parse_args()
    try:
        volumes.enter(sys.argv[1:])
    except volumes.NoNamespaceError as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2
    words = [word.strip() for word in chosen.only.split(",")]
    faults = [
        dataclasses.replace(fault, times=min(fault.times, chosen.most))
        for fault in FAULTS
        if any(word in fault.name for word in words)
    ]
    return asyncio.run(chaos(faults, chosen.seed, time.monotonic() + 60.0 * chosen.minutes))


async def chaos(faults: Sequence[Fault], seed: int, until: float) -> int:
    """The exit status."""
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatepost-chaos-")))
        data = scratch / "data"
        data.mkdir()
        stack.enter_context(volumes.mounted(volumes.SHARED_MEMORY, volumes.SHARED_MEMORY_MIB))
        stack.enter_context(volumes.mounted(data, volumes.DATA_MIB))
        overlay = Overlay(REPOSITORY, scratch)
        environment = {**SETTINGS, **overlay.environment, **clock.environment(scratch)}
        keeper = Keeper(data, overlay.repository, environment)
        try:
            await keeper.start(START_S)
            scene = _scene(keeper, overlay, data, random.Random(seed))
            try:
                scene.capacity_per_s = await capacity(scene)
                console.print(f"{scene.capacity_per_s:.2f} cards a second; asking for {SHARE:.0%} of that")
                async with scene.load.running(SHARE * scene.capacity_per_s):
                    rows = await run(scene, faults, until=until)
                await scene.load.settled(LAST_S)
            finally:
                await scene.load.close()
        finally:
            await keeper.stop()
            _keep_log(keeper.log)
    figures = report.rows_of(rows, scene.ledger)
    judged = [*report.targets_of(rows, figures), *scene.figures]
    targets.write(
        report.REPORT,
        judged,
        seed=seed,
        seconds=round(time.monotonic() - started, 1),
        capacity_per_s=scene.capacity_per_s,
        faults=figures,
    )
    report.show(figures)
    targets.show([target for target in judged if target.met is False], "missed")
    return 0 if all(target.met is not False for target in judged) else 1


def _scene(keeper: Keeper, overlay: Overlay, data: Path, rng: random.Random) -> Scene:
    with Client(keeper.address) as client:
        ledger = Ledger(Jwks(client.ticket_keys().jwks))
    cards = known_cards()
    return Scene(keeper, Load(keeper.address, cards, ledger, rng), ledger, rng, overlay, cards, data)


def _keep_log(log: Path) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    shutil.copy(log, LOGS / "chaos.log")


if __name__ == "__main__":
    sys.exit(main())
