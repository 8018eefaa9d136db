"""Results on a disk, as a re-scan leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import Failure
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.job import Asked, Destination, Job
from gatepost_server.rescan.rows import Row, row_of
from gatepost_server.rescan.sink import write_shard
from gatepost_server.rescan.stores.base import address
from tests.unit.rescan.random_results import SIZE, table_of

SHARD = 16


def write_results(folder: Path, rows: Sequence[Row], *, without: Sequence[str] = ()) -> str:
    """Shards of SHARD rows; the address. `without` are columns that older results lack."""
    destination = Destination(address(str(folder)))
    none = [0.0] * SIZE
    for shard in range(-(-len(rows) // SHARD)):
        part = [{"embedding": none} | row for row in rows[shard * SHARD : (shard + 1) * SHARD]]
        table: pa.Table = table_of(part).drop_columns(list(without))
        write_shard(destination, shard, table)
    destination.begin(Job(Asked("cards"), len(rows), SHARD, SIZE))
    return str(folder)


def failed(number: int) -> Row:
    """A row of an image that could not be read."""
    each = Input(number, f"card-{number}", f"cards/{number}.png", f"cards/{number}.png")
    return row_of(each, None, Failure(ErrorCode.NOT_FOUND, "SOURCE_MISSING", "there is no such file"))
