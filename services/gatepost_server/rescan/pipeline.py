"""The one module that knows Ray: readers, judges and claims as Ray Data's workers.

    shards to do -> readers (tasks) -> judges (actors) -> rows, to whoever iterates
                                          |
                                        claims (one actor)

Ray Data moves blocks as they come and stops readers while the judges have enough; a worker that dies is replaced and
its work done again, from the plan. Rows of the same number say the same, so whoever assembles them takes any.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported: it would tell its makers

import ray
from ray.data import ActorPoolStrategy, DataContext, TaskPoolStrategy
from ray.data.exceptions import SystemException

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.rescan.claims import Claims
from gatepost_server.rescan.failures import Halt, PausedError, RescanError
from gatepost_server.rescan.job import Destination, Job
from gatepost_server.rescan.judges import Answer, Judge, MakeJudge
from gatepost_server.rescan.reading import Reading
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.sink import read_shard
from gatepost_server.rescan.stores.base import Address
from gatepost_server.rescan.work import judge_images, read_shard_images

_MIB = 1 << 20
_STARTS = 4
_SLOW = "timed out during startup"  # after 30 s, which a busy machine needs for a start
_READER_CPUS = 0.1  # they wait for the network; another share than the judges', or Ray would make one step of both


@dataclass(frozen=True, slots=True)
class Workers:
    """How many of each, and what each takes of the machine."""

    readers: int = 2
    judges: int = 1
    judge_cpus: float = 0.2
    judge_gpus: float = 0.0
    batch: int = 64  # images that a judge holds at a time
    reading: Reading = field(default_factory=Reading)
    block_bytes: int = 16 * _MIB  # what goes from step to step at a time

    @property
    def cpus(self) -> float:
        """What all of them take, and one more for Ray Data's own."""
        return self.readers * _READER_CPUS + self.judges * self.judge_cpus + 1.0


@dataclass(frozen=True, slots=True)
class RayTerms:
    """`address` of a cluster to join; "" starts Ray here, with so many bytes for images on their way.

    `cpus` is what Ray then counts with, None: all that there are. Workers that Ray finds no share for never start.
    """

    address: str = ""
    object_store_bytes: int = 512 * _MIB
    cpus: int | None = None


@contextmanager
def ray_running(terms: RayTerms) -> Iterator[float]:
    """Ray, started or joined; gives the seconds that this took. Raises RescanError where there is no such cluster."""
    started = time.monotonic()
    here: dict[str, Any] = {"object_store_memory": terms.object_store_bytes, "include_dashboard": False}
    if terms.cpus is not None:
        here["num_cpus"] = terms.cpus
    mine = not ray.is_initialized()
    if mine:
        _init(terms.address or "local", {} if terms.address else here)
    try:
        yield time.monotonic() - started
    finally:
        if mine:
            ray.shutdown()


def _init(address: str, more: Mapping[str, Any]) -> None:
    for left in reversed(range(_STARTS)):
        try:
            ray.init(address=address, namespace="gatepost", log_to_driver=False, logging_level=logging.ERROR, **more)
        except Exception as error:
            ray.shutdown()
            if not left or _SLOW not in str(error):
                raise RescanError(f"Ray cannot be reached or started: {error}") from error
        else:
            return


def rows_of(
    destination: Address,
    job: Job,
    todo: Sequence[int],
    done: Sequence[int],
    make_judge: MakeJudge,
    workers: Workers,
    *,
    job_name: str,
) -> Iterator[pa.Table]:
    """Rows on their way (work.way_schema) of the shards `todo`, in any order. `done` are searched for duplicates.

    Ray must be running. Raises PausedError when workers fail for good.
    """
    _quiet(workers)
    schema = results_schema(job.embedding_size)
    claims: Any = (
        ray.remote(_Claims).options(num_cpus=0, max_restarts=-1, max_task_retries=-1).remote(destination, done)
    )

    def read(shards: pa.Table) -> Iterator[pa.Table]:
        for shard in shards["shard"].to_pylist():
            yield from read_shard_images(Destination(destination), shard, workers.reading)

    rows = (
        ray.data.from_arrow([pa.table({"shard": pa.array([shard], pa.int64())}) for shard in todo])  # a block each
        .map_batches(
            read,
            batch_format="pyarrow",
            batch_size=1,
            num_cpus=_READER_CPUS,
            compute=TaskPoolStrategy(size=workers.readers),
        )
        .map_batches(
            _Judging,
            fn_constructor_args=(make_judge, claims, schema, job.asked.policy, job_name),
            batch_format="pyarrow",
            batch_size=workers.batch,
            num_cpus=workers.judge_cpus,
            num_gpus=workers.judge_gpus or None,
            compute=ActorPoolStrategy(size=workers.judges),
        )
    )
    try:
        yield from rows.iter_batches(batch_format="pyarrow", batch_size=None, prefetch_batches=1)
    except (ray.exceptions.RayError, SystemException) as error:
        raise PausedError(f"a worker failed: {str(error).strip().splitlines()[-1]}") from error
    finally:
        ray.kill(claims)


def ask(make_judge: MakeJudge, question: ModerationRequest, workers: Workers, *, within_s: float) -> Answer:
    """One question, asked by a worker as the others will be. Ray must be running. Raises PausedError."""
    asking = ray.remote(_ask).options(num_cpus=workers.judge_cpus, num_gpus=workers.judge_gpus or None)
    try:
        answer: Answer = ray.get(asking.remote(make_judge, question), timeout=within_s)
    except ray.exceptions.GetTimeoutError:
        return Halt(f"nobody has answered for {within_s:.0f} s")
    except ray.exceptions.RayError as error:
        raise PausedError(f"a worker failed: {str(error).strip().splitlines()[-1]}") from error
    return answer


def _ask(make_judge: MakeJudge, question: ModerationRequest) -> Answer:
    async def asked() -> Answer:
        judge = make_judge()
        try:
            return await judge.judge(question)
        finally:
            await judge.close()

    return asyncio.run(asked())


class _Judging:
    """A worker that judges: its judge is made in the event loop that uses it."""

    def __init__(self, make_judge: MakeJudge, claims: Any, schema: pa.Schema, policy: str, job_name: str) -> None:
        self._make_judge = make_judge
        self._claims = claims
        self._schema = schema
        self._policy = policy
        self._job_name = job_name
        self._judge: Judge | None = None

    async def __call__(self, images: pa.Table) -> AsyncIterator[pa.Table]:
        if self._judge is None:
            self._judge = self._make_judge()
        yield await judge_images(
            images, self._schema, self._judge, self._claim, policy=self._policy, job_name=self._job_name
        )

    async def _claim(self, keys: Sequence[str], numbers: Sequence[int]) -> list[int]:
        owners: list[int] = await self._claims.claim.remote(keys, numbers)
        return owners


class _Claims:
    """The claims, in one place for all workers; begun anew from the shards that are done, should it die."""

    def __init__(self, destination: Address, done: Sequence[int]) -> None:
        self._claims = Claims()
        for shard in done:
            table = read_shard(Destination(destination), shard, ["content_key", "number", "duplicate_of"])
            scored = table.filter(pc.and_(table["content_key"].is_valid(), table["duplicate_of"].is_null()))
            self._claims.known(zip(scored["content_key"].to_pylist(), scored["number"].to_pylist(), strict=True))

    def claim(self, keys: Sequence[str], numbers: Sequence[int]) -> list[int]:
        """As Claims.claim."""
        return self._claims.claim(keys, numbers) if keys else []


def _quiet(workers: Workers) -> None:
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = workers.block_bytes
    context.execution_options.preserve_order = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    # Advice to programmers, which would be printed into the progress of somebody who is none.
    warnings.filterwarnings("ignore", module=r"ray\.data")
