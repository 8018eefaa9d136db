"""A BankStore in a SQL database: SQLite for the gateways of one host, PostgreSQL for more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from gatepost_server.domain.errors import ErrorReason, invalid
from gatepost_server.domain.known_bad import Change, KnownBad
from gatepost_server.domain.labels import Category
from gatepost_server.records.bank import Version
from gatepost_server.records.database import Connected, sqlite_url
from gatepost_server.records.migrate import upgrade

_Answer = TypeVar("_Answer")

METADATA = sql.MetaData()
EXAMPLES = sql.Table(
    "known_bad",
    METADATA,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("category", sql.String(32), nullable=False),
    sql.Column("added", sql.Float, nullable=False),  # Unix seconds, as all times here
    sql.Column("added_by", sql.String(128), nullable=False),
    sql.Column("expires", sql.Float, nullable=True),
    sql.Column("note", sql.Text, nullable=False),
    sql.Column("sha256", sql.String(64), nullable=False),
    sql.Column("pdq", sql.String(64), nullable=False),
    sql.Column("pdq_distance", sql.Integer, nullable=False),
    sql.Column("embedding", sql.LargeBinary, nullable=False),  # float32, little-endian
    sql.Column("embedding_model", sql.String(256), nullable=False),
    sql.Column("cosine", sql.Float, nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("text_similarity", sql.Float, nullable=False),
    sql.Column("removed", sql.Float, nullable=True),  # kept, so that a verdict's reason can be looked up
)
CHANGES = sql.Table(
    "known_bad_changes",
    METADATA,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("at", sql.Float, nullable=False),
    sql.Column("actor", sql.String(128), nullable=False),
    sql.Column("what", sql.String(16), nullable=False),
    sql.Column("entry", sql.String(64), nullable=False),
)
_FIELDS = [column for column in EXAMPLES.c if column.name != "removed"]


class SqlBank:
    """As BankStore. Statements run in one thread, so that the event loop never waits for a disk.

    The tables are brought up to date with the first of them: the database may be away when a gateway starts.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Raises DatabaseUrlError."""
        self._database = Connected(url, name="bank")
        self._clock = clock
        self._upgraded = False

    @classmethod
    def at(cls, place: str) -> SqlBank:
        """A database URL, or a file (SQLite), made when it is not there. Raises DatabaseUrlError, OSError."""
        return cls(place if "://" in place else sqlite_url(Path(place)))

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await self._database.close()

    async def version(self) -> Version:
        """As BankStore.version."""
        return await self._run(_version)

    async def entries(self) -> tuple[Version, Sequence[KnownBad]]:
        """As BankStore.entries. The version is read first: what changes meanwhile is a change once more."""

        def read(connection: sql.Connection) -> tuple[Version, Sequence[KnownBad]]:
            version = _version(connection)
            rows = connection.execute(sql.select(*_FIELDS).where(EXAMPLES.c.removed.is_(None)).order_by("added", "id"))
            return version, [_example(row) for row in rows]

        return await self._run(read)

    async def add(self, entry: KnownBad) -> None:
        """As BankStore.add."""
        row = {column.name: getattr(entry, column.name) for column in _FIELDS}
        row |= {"category": entry.category.value, "embedding": np.array(entry.embedding, "<f4").tobytes()}

        def added(connection: sql.Connection) -> None:
            try:
                connection.execute(EXAMPLES.insert().values(row))
            except IntegrityError:
                raise invalid(ErrorReason.FIELD_INVALID, "there is an example of that id already", field="id") from None
            self._note(connection, entry.added_by, "added", entry.id)

        await self._run(added)

    async def remove(self, entry: str, actor: str) -> bool:
        """As BankStore.remove."""

        def removed(connection: sql.Connection) -> bool:
            there = EXAMPLES.c.id == entry, EXAMPLES.c.removed.is_(None)
            found = connection.execute(EXAMPLES.update().where(*there).values(removed=self._clock())).rowcount
            if found:
                self._note(connection, actor, "removed", entry)
            return bool(found)

        return await self._run(removed)

    async def changes(self) -> Sequence[Change]:
        """As BankStore.changes."""
        query = sql.select(CHANGES.c.at, CHANGES.c.actor, CHANGES.c.what, CHANGES.c.entry).order_by(CHANGES.c.id)
        return await self._run(lambda connection: [Change(*row) for row in connection.execute(query)])

    async def _run(self, work: Callable[[sql.Connection], _Answer]) -> _Answer:
        if not self._upgraded:
            await self._database.run(upgrade)
            self._upgraded = True
        return await self._database.run(work)

    def _note(self, connection: sql.Connection, actor: str, what: str, entry: str) -> None:
        connection.execute(CHANGES.insert().values(at=self._clock(), actor=actor, what=what, entry=entry))


def _version(connection: sql.Connection) -> Version:
    """Count and highest number: transactions may end in another order than their numbers."""
    query = sql.select(sql.func.count(), sql.func.coalesce(sql.func.max(CHANGES.c.id), 0))
    count, last = connection.execute(query).one()
    return int(count), int(last)


def _example(row: sql.Row[tuple[object, ...]]) -> KnownBad:
    fields = dict(row._mapping)
    embedding = tuple(np.frombuffer(fields["embedding"], "<f4").tolist())
    return KnownBad(**fields | {"category": Category(fields["category"]), "embedding": embedding})
