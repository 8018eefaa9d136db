"""Gatepost's own stages in processes of their own, many images at a time: what the served gate is held against."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.load import EXPECTED, PROMPT
from gatepost_server.domain.errors import GatepostError
from gatepost_server.serving.ensemble import Ensemble
from gatepost_server.stages.base import Arrays, text_array

REPOSITORY = Path(__file__).parents[2] / "model_repository"
_START_S = 600.0  # until every process has loaded and warmed its nets


@dataclass(frozen=True, slots=True)
class Share:
    """What one process did, in seconds of time.perf_counter, which all processes share."""

    images: int
    began: float
    ended: float


def in_process_rate(
    images: Sequence[bytes], environment: Mapping[str, str], *, processes: int, batch: int, seconds: float
) -> float:
    """Images a second of all processes together; each takes `batch` images at once, and sees all before it counts.

    `environment` overlays this process' own. Raises GatepostError for an image that a stage refuses.
    """
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(processes)
    with spawn.Pool(processes, _join, (together, dict(environment))) as pool:
        work = [(images, batch, seconds)] * processes
        return rate(pool.starmap(_share, work, chunksize=1))


def rate(shares: Sequence[Share]) -> float:
    """Images a second, from the first start to the last end."""
    took = max(share.ended for share in shares) - min(share.began for share in shares)
    return sum(share.images for share in shares) / took


_together: Barrier  # of this process; a pool's workers can be given it in no other way


def _join(together: Barrier, environment: Mapping[str, str]) -> None:
    global _together
    _together = together
    os.environ.update(environment)


def _share(images: Sequence[bytes], batch: int, seconds: float) -> Share:
    ensemble = Ensemble(REPOSITORY, os.environ)
    rounds = [[_item(image) for image in images[at : at + batch]] for at in range(0, len(images), batch)]
    for _ in range(2):  # shapes are seen, and recorded when they come again
        for items in rounds:
            _run(ensemble, items)
    _together.wait(_START_S)
    done, began = 0, time.perf_counter()
    for items in itertools.cycle(rounds):
        _run(ensemble, items)
        done += len(items)
        if time.perf_counter() - began > seconds:
            return Share(done, began, time.perf_counter())
    raise AssertionError("unreachable")


def _item(image: bytes) -> Arrays:
    return {"IMAGE": text_array([image]), "PROMPT": text_array([PROMPT]), "EXPECTED": text_array(EXPECTED)}


def _run(ensemble: Ensemble, items: Sequence[Arrays]) -> None:
    for answer in ensemble.run(items):
        if isinstance(answer, GatepostError):
            raise answer
