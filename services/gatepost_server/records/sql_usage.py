"""A UsageStore in a SQL database: SQLite for one gateway, PostgreSQL for several."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.database import database

_KEPT = timedelta(days=400)  # for bills and questions

_Answer = TypeVar("_Answer")
_Key = tuple[str, date]

METADATA = sql.MetaData()
USAGE = sql.Table(
    "usage",
    METADATA,
    sql.Column("tenant", sql.String(64), primary_key=True),
    sql.Column("day", sql.Date, primary_key=True),
    sql.Column("images", sql.BigInteger, nullable=False),
)


class SqlUsage:
    """As UsageStore. Statements run in one thread, so that the event loop never waits for a disk."""

    def __init__(self, url: str) -> None:
        self._engine = database(url)
        self._insert: Any = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="usage")

    @classmethod
    def in_file(cls, path: Path) -> SqlUsage:
        """A SQLite database in a file, made when it is not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        return cls(f"sqlite:///{path}")

    async def open(self) -> None:
        """Make the table where there is none. Raises GatepostError."""
        await self._run(lambda connection: METADATA.create_all(connection))

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown(wait=False)

    async def add(self, counted: Mapping[_Key, int]) -> Mapping[_Key, int]:
        """As UsageStore.add; also forgets what is very old."""

        def added(connection: sql.Connection) -> Mapping[_Key, int]:
            # Always in the same order: two gateways must not wait for each other's rows.
            for (tenant, day), images in sorted(counted.items()):
                if images:
                    row = self._insert(USAGE).values(tenant=tenant, day=day, images=images)
                    connection.execute(
                        row.on_conflict_do_update(
                            index_elements=[USAGE.c.tenant, USAGE.c.day],
                            set_={"images": USAGE.c.images + row.excluded.images},
                        )
                    )
            days = {day for _, day in counted}
            if any(counted.values()):
                connection.execute(USAGE.delete().where(USAGE.c.day < max(days) - _KEPT))
            rows = connection.execute(sql.select(*USAGE.c).where(USAGE.c.day.in_(days)))
            return {(tenant, day): images for tenant, day, images in rows}

        return await self._run(added)

    async def day(self, day: date) -> Mapping[_Key, int]:
        """As UsageStore.day."""
        query = sql.select(*USAGE.c).where(USAGE.c.day == day)

        def found(connection: sql.Connection) -> Mapping[_Key, int]:
            return {(tenant, day): images for tenant, day, images in connection.execute(query)}

        return await self._run(found)

    async def _run(self, work: Callable[[sql.Connection], _Answer]) -> _Answer:
        def transaction() -> _Answer:
            with self._engine.begin() as connection:
                return work(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)
        except (SQLAlchemyError, OSError) as problem:
            raise store_unavailable() from problem
