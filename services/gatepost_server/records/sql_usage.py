"""A UsageStore in a SQL database: SQLite for one gateway, PostgreSQL for several."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from gatepost_server.records.database import Connected, sqlite_url
from gatepost_server.records.migrate import upgrade

_KEPT = timedelta(days=400)  # for bills and questions

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
        self._database = Connected(url, name="usage")
        self._insert: Any = sqlite.insert if self._database.engine.dialect.name == "sqlite" else postgresql.insert

    @classmethod
    def in_file(cls, path: Path) -> SqlUsage:
        """A SQLite database in a file, made when it is not there."""
        return cls(sqlite_url(path))

    async def open(self) -> None:
        """Bring the tables up to date. Raises GatepostError."""
        await self._database.run(upgrade)

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await self._database.close()

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

        return await self._database.run(added)

    async def day(self, day: date) -> Mapping[_Key, int]:
        """As UsageStore.day."""
        query = sql.select(*USAGE.c).where(USAGE.c.day == day)

        def found(connection: sql.Connection) -> Mapping[_Key, int]:
            return {(tenant, day): images for tenant, day, images in connection.execute(query)}

        return await self._database.run(found)
