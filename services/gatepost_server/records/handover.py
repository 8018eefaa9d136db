"""Verdicts on their way into the record: on this gateway's own disk before anybody is told of them.

A SQLite file that a crash leaves behind is what the next start goes on with. What comes while another is written
shares one commit. It is bounded: what finds no room is refused, and its verdict is never given.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.database import durable, own_file
from gatepost_server.records.entry import Entry

_Answer = TypeVar("_Answer")

_ENTRY = TypeAdapter(Entry)
_BYTES = ("request", "verdict", "embedding", "image")
_TABLE = """
CREATE TABLE IF NOT EXISTS handover (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, size INTEGER NOT NULL, header TEXT NOT NULL,
  request BLOB NOT NULL, verdict BLOB NOT NULL, embedding BLOB NOT NULL, image BLOB
)
"""

Seal = Callable[[bytes, str], bytes]  # an image and its verdict's name -> what may lie on a disk


@dataclass(frozen=True, slots=True)
class HandoverLimits:
    """The most that may be on its way, and how long one verdict waits for the disk."""

    entries: int = 10_000
    bytes: int = 512 << 20
    patience_s: float = 5.0


class Handover:
    """One event loop's, and the only one that uses its file."""

    def __init__(
        self, path: Path, limits: HandoverLimits | None = None, *, seal: Seal = lambda image, _: image
    ) -> None:
        self._path = path
        self._limits = limits if limits is not None else HandoverLimits()
        self._seal = seal
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="handover")
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._entries = self._bytes = 0
        self._puts: list[_Put] = []
        self._writing: asyncio.Task[None] | None = None
        self.more = asyncio.Event()  # set whenever something was put

    async def open(self) -> None:
        """Make the file where there is none. Raises GatepostError (UNAVAILABLE, STORE_UNAVAILABLE)."""

        def opened() -> tuple[int, int]:
            own_file(self._path)
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
            durable(self._connection)
            self._connection.execute(_TABLE)
            self._connection.execute("CREATE INDEX IF NOT EXISTS handover_name ON handover (name)")
            self._inode = self._path.stat().st_ino
            count, size = self._connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM handover").fetchone()
            return count, size

        self._entries, self._bytes = await self._run(opened)
        self.more.set()

    async def close(self) -> None:
        """After what is under way."""
        if self._connection is not None:
            await self._run(self._connection.close)
        self._thread.shutdown(wait=False)

    @property
    def depth(self) -> int:
        """How many are on their way."""
        return self._entries

    def check(self) -> None:
        """Raises GatepostError (RESOURCE_EXHAUSTED, RECORD_FULL) where a verdict could not be written down."""
        if self._entries >= self._limits.entries or self._bytes >= self._limits.bytes:
            raise record_full()

    async def put(self, entries: Sequence[Entry]) -> None:
        """All or none, on the disk once this returns. Raises GatepostError as `check` and `open`."""
        size = sum(entry.size for entry in entries)
        if self._entries + len(entries) > self._limits.entries or self._bytes + size > self._limits.bytes:
            raise record_full()
        self._entries, self._bytes = self._entries + len(entries), self._bytes + size
        put = _Put(entries, asyncio.get_running_loop().create_future())
        self._puts.append(put)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        try:
            # Shielded: a caller who leaves does not unwrite what its neighbours are written with.
            written = await asyncio.wait_for(asyncio.shield(put.written), self._limits.patience_s)
        except TimeoutError:
            raise store_unavailable() from None
        if not written:
            raise store_unavailable()

    async def take(self, most: int, most_bytes: int) -> Sequence[Taken]:
        """The first of them, at least one where there is any."""

        def taken() -> list[Taken]:
            found: list[Taken] = []
            size = 0
            rows = self._opened().execute(
                "SELECT id, size, header, request, verdict, embedding, image FROM handover ORDER BY id LIMIT ?", (most,)
            )
            for number, length, header, *parts in rows:
                size += length
                if found and size > most_bytes:
                    break
                found.append(Taken(number, length, _entry(header, parts)))
            return found

        return await self._run(taken)

    async def drop(self, taken: Sequence[Taken]) -> None:
        """They have arrived."""

        def dropped() -> None:
            with self._opened() as connection:
                connection.executemany("DELETE FROM handover WHERE id = ?", [(each.number,) for each in taken])

        await self._run(dropped)
        self._entries -= len(taken)
        self._bytes -= sum(each.size for each in taken)

    async def find(self, name: str) -> Entry | None:
        """A final verdict that is still on its way."""

        def found() -> Entry | None:
            for header, *parts in self._opened().execute(
                "SELECT header, request, verdict, embedding, image FROM handover WHERE name = ?", (name,)
            ):
                if not (entry := _entry(header, parts)).pending:
                    return entry
            return None

        return await self._run(found) if self._entries else None

    async def _write(self) -> None:
        while self._puts:
            puts, self._puts = self._puts, []
            try:
                await self._run(lambda puts=puts: self._commit(puts))  # type: ignore[misc] # bound now
                written = True
            except GatepostError:
                written = False
                self._entries -= sum(len(put.entries) for put in puts)
                self._bytes -= sum(entry.size for put in puts for entry in put.entries)
            for put in puts:
                if not put.written.done():
                    put.written.set_result(written)
            if written:
                self.more.set()

    def _commit(self, puts: Sequence[_Put]) -> None:
        # SQLite would go on writing to a file that was deleted, and the next start would find nothing of it.
        if self._path.stat().st_ino != self._inode:
            raise store_unavailable()
        rows = [_row(entry, self._seal) for put in puts for entry in put.entries]
        with self._opened() as connection:
            connection.executemany(
                "INSERT INTO handover (name, size, header, request, verdict, embedding, image) VALUES (?,?,?,?,?,?,?)",
                rows,
            )

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise store_unavailable()
        return self._connection

    async def _run(self, work: Callable[[], _Answer]) -> _Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as problem:
            raise store_unavailable() from problem


@dataclass(frozen=True, slots=True)
class Taken:
    """A verdict on its way, with the number and the size that it has in the file. Its image is sealed."""

    number: int
    size: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Put:
    """What one caller handed over, and who waits to hear of it: whether it is on the disk."""

    entries: Sequence[Entry]
    written: asyncio.Future[bool]


def _row(entry: Entry, seal: Seal) -> tuple[Any, ...]:
    image = None if entry.image is None else seal(entry.image, entry.name)
    header = json.dumps(_ENTRY.dump_python(entry, mode="json", exclude=set(_BYTES)))
    return entry.name, entry.size, header, entry.request, entry.verdict, entry.embedding, image


def _entry(header: str, parts: Sequence[bytes | None]) -> Entry:
    bare = _ENTRY.validate_python(json.loads(header) | dict.fromkeys(("request", "verdict"), b""))
    return replace(bare, **dict(zip(_BYTES, parts, strict=True)))  # type: ignore[arg-type]


def record_full() -> GatepostError:
    """No verdict is given that could not be written down."""
    return GatepostError(
        ErrorCode.RESOURCE_EXHAUSTED,
        ErrorReason.RECORD_FULL,
        "too many verdicts are on their way into the record",
        retry_after_s=5.0,
    )
