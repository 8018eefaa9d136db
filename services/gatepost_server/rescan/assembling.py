"""Rows that come in any order, some of them twice, to whole shards; duplicates get the verdict of the row that was
scored. Pure but for the shards that it reads again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache

from gatepost_server.rescan.job import Job

OWNER = "_owner"  # of rows on their way: the number of the input that is scored in the place of this one
_OWN = ("number", "id", "uri", "tenant", "prompt", "expected_text", "locale", "labels", "content_key", "sha256", "size")
_KEPT = 4  # shards that were written, for duplicates to come


class Assembler:
    """Collects rows by the results' schema with OWNER beside it; gives shards by the schema alone.

    `written` are the shards that exist; `fetch` reads one of them. Memory is that of the shards under way.
    """

    def __init__(self, job: Job, schema: pa.Schema, written: set[int], fetch: Callable[[int], pa.Table]) -> None:
        self._job = job
        self._schema = schema
        self._written = set(written)
        self._fetch = fetch
        self._parts: dict[int, dict[int, pa.Table]] = {}  # shard -> number -> a table that holds it
        self._whole: dict[int, pa.Table] = {}  # shards that wait for the rows that they are duplicates of
        self._kept: LRUCache[int, pa.Table] = LRUCache(_KEPT)

    @property
    def waiting(self) -> int:
        """How many shards are begun and not given."""
        return len(self._parts) + len(self._whole)

    def add(self, rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
        """Book rows; the shards that are whole with them, sorted by number. Each must be written before the next is
        asked for."""
        shards = rows["number"].to_numpy() // self._job.shard_size
        for shard in np.unique(shards).tolist():
            if shard not in self._written and shard not in self._whole:
                self._book(shard, rows.filter(pa.array(shards == shard)))
        yield from self._finished()

    def _book(self, shard: int, rows: pa.Table) -> None:
        parts = self._parts.setdefault(shard, {})
        for number in rows["number"].to_pylist():
            parts.setdefault(number, rows)
        if len(parts) == self._job.rows_of(shard):
            tables = {id(table): table for table in parts.values()}.values()
            whole = pa.concat_tables(tables)
            # A row may have come twice: any one of them will do.
            _, first = np.unique(whole["number"].to_numpy(), return_index=True)
            self._whole[shard] = whole.take(pa.array(first)).combine_chunks()
            del self._parts[shard]

    def _finished(self) -> Iterator[tuple[int, pa.Table]]:
        progress = True
        while progress:
            progress = False
            for shard in list(self._whole):
                table = self._completed(self._whole[shard])
                if table is not None:
                    yield shard, table
                    del self._whole[shard]
                    self._written.add(shard)
                    self._kept[shard] = table
                    progress = True

    def _completed(self, whole: pa.Table) -> pa.Table | None:
        """The shard with the verdicts of its duplicates; None while one of these is not there yet."""
        owners = whole[OWNER].combine_chunks()
        own = whole.select(self._schema.names)
        duplicates = np.flatnonzero(owners.is_valid().to_numpy(zero_copy_only=False))
        if not len(duplicates):
            return own.cast(self._schema)
        rows: dict[int, pa.Table] = {}
        for number in pc.unique(owners.drop_null()).to_pylist():
            row = self._scored(number)
            if row is None:
                return None
            rows[number] = row
        places = {number: len(own) + place for place, number in enumerate(rows)}
        everything = pa.concat_tables([own, *rows.values()])
        source = np.arange(len(own))
        source[duplicates] = [places[owners[int(index)].as_py()] for index in duplicates]
        verdicts = everything.take(pa.array(source))
        columns: Mapping[str, pa.ChunkedArray] = {
            name: (own if name in _OWN else verdicts)[name] for name in self._schema.names
        }
        ids = pa.array([None if at < len(own) else everything["id"][int(at)].as_py() for at in source], pa.string())
        return pa.table({**columns, "duplicate_of": ids}).cast(self._schema)

    def _scored(self, number: int) -> pa.Table | None:
        """The row of that number, if it has a verdict of its own or was written with one."""
        shard = number // self._job.shard_size
        if shard in self._whole:
            row = self._whole[shard].slice(number - shard * self._job.shard_size, 1)
            return None if row[OWNER][0].is_valid else row.select(self._schema.names)
        if shard not in self._written:
            return None
        if shard not in self._kept:
            self._kept[shard] = self._fetch(shard)
        return self._kept[shard].slice(number - shard * self._job.shard_size, 1)
