"""What a re-scan wrote, a few shards at a time; the next ones are read while these are worked on.

Of each shard only the columns that are asked for are read: most of a row is text and numbers that a policy looks at
once in a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gatepost_server.rescan.failures import RescanError
from gatepost_server.rescan.job import Destination
from gatepost_server.rescan.stores.base import Address
from gatepost_server.rescan.stores.choose import store_of

_TOGETHER, _AHEAD = 8, 2  # shards of a batch, and batches read before they are asked for


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of some shards: a few columns of all, and the rest of those that are asked for."""

    rows: pa.Table
    fetch: Callable[[NDArray[np.int64], Sequence[str]], list[dict[str, Any]]]

    def filter(self, kept: NDArray[np.bool_]) -> Batch:
        """The rows that are `kept`."""
        places = np.flatnonzero(kept)
        return Batch(self.rows.filter(pa.array(kept)), lambda some, names: self.fetch(places[some], names))


@dataclass(frozen=True, slots=True)
class Results:
    """A DEST of `gatepostd rescan`, as far as it is complete."""

    place: Address
    files: tuple[str, ...]  # below the place, in order

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, in order. Columns are names, or leaves ("lines.list.element.confidence"); those that older results
        lack are left out. Raises SourceError, CredentialsError.
        """
        groups = [self.files[start : start + _TOGETHER] for start in range(0, len(self.files), _TOGETHER)]
        with ThreadPoolExecutor(1) as pool:
            coming: deque[Future[Batch]] = deque()
            for group in groups:
                coming.append(pool.submit(self._batch, group, tuple(columns)))
                if len(coming) > _AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()

    def _batch(self, names: Sequence[str], columns: Sequence[str]) -> Batch:
        tables = [self._read(name, columns) for name in names]
        ends = np.cumsum([len(table) for table in tables])

        def fetch(places: NDArray[np.int64], wanted: Sequence[str]) -> list[dict[str, Any]]:
            found: dict[int, dict[str, Any]] = {}
            shards = np.searchsorted(ends, places, side="right")
            for shard in np.unique(shards).tolist():
                some = places[shards == shard]
                within = some - (ends[shard] - len(tables[shard]))
                rows = self._read(names[shard], wanted).take(pa.array(within)).to_pylist()
                found.update(zip(some.tolist(), rows, strict=True))
            return [found[place] for place in places.tolist()]

        return Batch(pa.concat_tables(tables, promote_options="default").combine_chunks(), fetch)

    def _read(self, name: str, columns: Sequence[str]) -> pa.Table:
        place = self.place / name
        with store_of(place).open(place.path) as stream, pq.ParquetFile(stream, pre_buffer=True) as file:
            there = file.schema_arrow.names
            return file.read([each for each in columns if each.partition(".")[0] in there], use_threads=False)


def open_results(place: Address) -> Results:
    """Raises RescanError where there are none, SourceError, CredentialsError."""
    done = Destination(place).done()
    if not done:
        raise RescanError(f"{place} holds no results of gatepostd rescan")
    return Results(place, tuple(each.file for each in done.values()))
