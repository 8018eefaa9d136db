"""Writes down what is to be scanned before anything is, so that every run of a job means the same inputs."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from gatepost_server.rescan.failures import RescanError
from gatepost_server.rescan.inputs import Input, inputs_from_table, inputs_to_table
from gatepost_server.rescan.job import Asked, Destination, Job
from gatepost_server.rescan.stores.choose import store_of


def plan(
    destination: Destination,
    asked: Asked,
    inputs: Iterable[Input],
    *,
    shard_size: int,
    embedding_size: int,
    told: Callable[[int], None],
) -> Job:
    """Read the source to its end and write one file for each shard, then the job. `told` hears how many there are.

    A plan that was cut short is none, and is written again. Raises SourceError, CredentialsError, RescanError.
    """
    planned = 0
    numbered = iter(inputs)
    for shard in itertools.count():
        chunk = list(itertools.islice(numbered, shard_size))
        if not chunk:
            break
        place = destination.plan_file(shard)
        store_of(place).write(place.path, _parquet(inputs_to_table(chunk)))
        planned += len(chunk)
        told(planned)
    if not planned:
        raise RescanError(f"{asked.source} holds no image that is asked for")
    job = Job(asked, planned, shard_size, embedding_size)
    destination.begin(job)
    return job


def planned(destination: Destination, shard: int) -> list[Input]:
    """The inputs of a shard. Raises SourceError, CredentialsError."""
    place = destination.plan_file(shard)
    content = store_of(place).read(place.path)
    return inputs_from_table(pq.read_table(io.BytesIO(content)))


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
