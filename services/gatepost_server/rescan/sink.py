"""Writes shards: the file first, then the entry that says that it is complete."""

from __future__ import annotations

import hashlib
import io
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from gatepost_server.rescan.job import Destination, Done


def write_shard(destination: Destination, shard: int, table: pa.Table) -> Done:
    """A job killed between the two writes writes the same shard again. Raises SourceError, CredentialsError."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    content = buffer.getvalue()
    decisions, errors = tally(table)
    done = Done(
        shard=shard,
        file=destination.shard_name(shard),
        rows=len(table),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        decisions=decisions,
        errors=errors,
        duplicates=len(table) - table["duplicate_of"].null_count,
    )
    destination.write(done.file, content)
    destination.finish(done)
    return done


def read_shard(destination: Destination, shard: int, columns: list[str] | None = None) -> pa.Table:
    """A shard's rows, by number. Raises SourceError, CredentialsError."""
    content = destination.read(destination.shard_name(shard))
    return pq.read_table(io.BytesIO(content), columns=columns)


def tally(rows: pa.Table) -> tuple[dict[str, int], dict[str, int]]:
    """How many of each decision, and of each error's reason."""
    decisions = Counter(each for each in rows["decision"].to_pylist() if each is not None)
    errors = Counter(each["reason"] for each in rows["error"].to_pylist() if each is not None)
    return dict(decisions), dict(errors)
