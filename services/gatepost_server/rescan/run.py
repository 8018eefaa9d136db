"""The re-scan itself: plan or go on, judge, write whole shards, stop when it makes no sense to go on."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
from PIL import Image

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.rescan.assembling import Assembler
from gatepost_server.rescan.failures import (
    CredentialsError,
    Failure,
    PausedError,
    RescanError,
    SourceError,
    TooManyErrorsError,
)
from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.job import Asked, Destination, Done, Job
from gatepost_server.rescan.judges import MakeJudge
from gatepost_server.rescan.lease import Lease, only_driver
from gatepost_server.rescan.pipeline import RayTerms, Workers, ask, ray_running, rows_of
from gatepost_server.rescan.plan import plan
from gatepost_server.rescan.progress import View
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.sink import read_shard, tally, write_shard
from gatepost_server.rescan.sources.open import open_source
from gatepost_server.rescan.stores.base import Address
from gatepost_server.rescan.work import HALT

_FIRST_ANSWER_S = 120.0  # nets may have to be loaded first
_ENOUGH = 100  # rows before their share of errors says anything


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done. `asked` is `source` and `filters` in the words of whoever asked."""

    source: Address
    out: Address
    asked: Asked
    filters: Filters
    make_judge: MakeJudge
    workers: Workers = field(default_factory=Workers)
    ray: RayTerms = field(default_factory=RayTerms)
    shard_size: int = 512
    max_error_rate: float = 0.5
    resume: bool = True


@dataclass(frozen=True, slots=True)
class Summary:
    """What DEST holds after a run, and what this run did for it. Seconds are this run's."""

    inputs: int
    rows: int
    decisions: Mapping[str, int]
    errors: Mapping[str, int]
    duplicates: int
    shards: int
    rows_before: int
    ray_s: float
    plan_s: float
    scan_s: float

    @property
    def images_per_s(self) -> float:
        """Rows of this run for each second of scanning."""
        return (self.rows - self.rows_before) / self.scan_s if self.scan_s else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For summary.json."""
        return asdict(self) | {"images_per_s": round(self.images_per_s, 3)}


def rescan(order: Order, view: View) -> Summary:
    """Scan until every input has its row, or raise.

    Raises PausedError and TooManyErrorsError (what is written stays, and the same order goes on), RescanError for an
    order that cannot be carried out.
    """
    destination = Destination(order.out)
    try:
        _known(order, destination)
        with only_driver(destination) as lease:
            job = _known(order, destination)  # again: nobody else changes it from here on
            with ray_running(order.ray) as ray_s:
                started = time.monotonic()
                if job is None:
                    job = _planned(order, destination, view)
                plan_s = time.monotonic() - started
                before = destination.done()
                view.began(job.inputs, list(before.values()))
                scan = _Scan(order, destination, job, dict(before), view, lease)
                scan.run()
    except CredentialsError as error:
        raise PausedError(str(error)) from error
    except SourceError as error:
        raise PausedError(f"{order.out} or {order.source}: {error}") from error
    summary = _summary(job, scan.done, sum(each.rows for each in before.values()), ray_s, plan_s, scan.seconds)
    destination.write("summary.json", (json.dumps(summary.to_dict(), indent=1) + "\n").encode())
    return summary


def _known(order: Order, destination: Destination) -> Job | None:
    job = destination.job()
    if job is None:
        return None
    if not order.resume:
        raise RescanError(f"{order.out} holds a job already; without --no-resume it is gone on with")
    if job.asked != order.asked:
        theirs, ours = asdict(job.asked), asdict(order.asked)
        other = ", ".join(f"{name} {theirs[name]!r}" for name in theirs if theirs[name] != ours[name])
        raise RescanError(f"{order.out} holds another job ({other}); ask for the same, or use another --out")
    return job


def _planned(order: Order, destination: Destination, view: View) -> Job:
    size = _embedding_size(order)
    inputs = open_source(order.source, order.filters)
    return plan(destination, order.asked, inputs, shard_size=order.shard_size, embedding_size=size, told=view.planned)


def _embedding_size(order: Order) -> int:
    """A first, blank image tells whether anybody judges at all, under this policy, and how large embeddings are."""
    blank = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(blank, "PNG")
    question = ModerationRequest(
        f"rescan/{uuid.uuid4().hex}", blank.getvalue(), policy=order.asked.policy, want_embedding=True
    )
    answer = ask(order.make_judge, question, order.workers, within_s=_FIRST_ANSWER_S)
    if isinstance(answer, Verdict):
        if answer.evidence is None or not answer.evidence.embedding:
            raise PausedError("a blank image could not be looked at")
        return len(answer.evidence.embedding)
    raise PausedError(answer.message if isinstance(answer, Failure) else answer.why)


class _Scan:
    """One run over the shards that are not done."""

    def __init__(
        self, order: Order, destination: Destination, job: Job, done: dict[int, Done], view: View, lease: Lease
    ) -> None:
        self._order = order
        self._destination = destination
        self._job = job
        self._view = view
        self._lease = lease
        self._schema = results_schema(job.embedding_size)
        self.done = done
        self.seconds = 0.0
        self._rows = sum(each.rows for each in done.values())
        self._errors: Counter[str] = Counter()
        for each in done.values():
            self._errors.update(each.errors)

    def run(self) -> None:
        """Until no shard is left."""
        started = time.monotonic()
        while todo := [shard for shard in range(self._job.shards) if shard not in self.done]:
            self._pass(todo)
            if not any(shard in self.done for shard in todo):
                raise PausedError("the workers end without results")
        self.seconds = time.monotonic() - started
        self._check_errors(at_end=True)

    def _pass(self, todo: list[int]) -> None:
        assembler = Assembler(
            self._job, self._schema, set(self.done), lambda shard: read_shard(self._destination, shard)
        )
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{self._order.out} {self._job.asked}").hex
        blocks = rows_of(
            self._order.out,
            self._job,
            todo,
            sorted(self.done),
            self._order.make_judge,
            self._order.workers,
            job_name=name,
        )
        for rows in blocks:
            halted = rows[HALT].drop_null()
            good = rows.filter(rows[HALT].is_null())
            self._count(good)
            for shard, table in assembler.add(good):
                self._lease.check()
                self.done[shard] = write_shard(self._destination, shard, table)
                self._view.written(self.done[shard])
            self._check_errors()
            if len(halted):
                raise PausedError(halted[0].as_py())

    def _count(self, rows: pa.Table) -> None:
        decisions, errors = tally(rows)
        self._rows += len(rows)
        self._errors.update(errors)
        self._view.judged(len(rows), decisions, errors)

    def _check_errors(self, *, at_end: bool = False) -> None:
        failed = self._errors.total()
        if (at_end or self._rows >= _ENOUGH) and failed > self._order.max_error_rate * self._rows:
            most = ", ".join(f"{reason} {count}" for reason, count in self._errors.most_common(3))
            raise TooManyErrorsError(
                f"{failed} of {self._rows} images failed ({most}): "
                f"more than --max-error-rate {self._order.max_error_rate}"
            )


def _summary(job: Job, done: Mapping[int, Done], before: int, ray_s: float, plan_s: float, scan_s: float) -> Summary:
    decisions: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for each in done.values():
        decisions.update(each.decisions)
        errors.update(each.errors)
    return Summary(
        inputs=job.inputs,
        rows=sum(each.rows for each in done.values()),
        decisions=dict(decisions),
        errors=dict(errors),
        duplicates=sum(each.duplicates for each in done.values()),
        shards=len(done),
        rows_before=before,
        ray_s=round(ray_s, 3),
        plan_s=round(plan_s, 3),
        scan_s=round(scan_s, 3),
    )
