"""A Backlog in a SQL database, shared by as many gateways as use it: SQLite for one host, PostgreSQL for several."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sql
import structlog

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import GatepostError
from gatepost_server.records.backlog import BacklogLimits, Work, backlog_full, store_unavailable
from gatepost_server.records.codec import request_from_json, request_to_json, verdict_from_json, verdict_to_json
from gatepost_server.records.database import Connected, sqlite_url
from gatepost_server.records.migrate import upgrade

_log = structlog.get_logger("gatepost.backlog")

_LONGEST_LEASE_S = 300.0

METADATA = sql.MetaData()
BACKLOG = sql.Table(
    "backlog",
    METADATA,
    sql.Column("name", sql.String(64), primary_key=True),
    sql.Column("accepted", sql.Float, nullable=False),  # Unix seconds, as all times here
    sql.Column("request", sql.LargeBinary, nullable=False),
    sql.Column("image", sql.LargeBinary, nullable=True),  # NULL once it is finished
    sql.Column("image_bytes", sql.Integer, nullable=False),
    sql.Column("attempts", sql.Integer, nullable=False, default=0),
    sql.Column("free_at", sql.Float, nullable=False),  # from then on it may be taken
    sql.Column("owner", sql.String(128), nullable=False, default=""),  # who took it last
    sql.Column("finished", sql.Float, nullable=True),
    sql.Column("verdict", sql.LargeBinary, nullable=False),
    sql.Index("backlog_open", "finished", "free_at", "accepted"),
)


class SqlBacklog:
    """As Backlog. Statements run in one thread, one after another, so that the event loop never waits for a disk.

    `owner` names this gateway. What a gateway of that name had taken when it died is free again when it opens.
    """

    def __init__(
        self,
        url: str,
        limits: BacklogLimits,
        *,
        owner: str = "",
        clock: Callable[[], float] = time.time,
        file: Path | None = None,
    ) -> None:
        """`file` is the database's own, where it is one: while it is away nothing is accepted.

        Raises DatabaseUrlError.
        """
        self._database = Connected(url, name="backlog")
        self._limits = limits
        self._owner = owner
        self._clock = clock
        self._file = file
        self._inode = 0
        self._puts: list[_Put] = []
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def in_file(cls, path: Path, limits: BacklogLimits, *, owner: str = "") -> SqlBacklog:
        """A SQLite database in a file, made when it is not there."""
        return cls(sqlite_url(path), limits, owner=owner, file=path)

    async def open(self) -> None:
        """Bring the tables up to date, and free what this gateway had taken before it died."""

        def opened(connection: sql.Connection) -> None:
            upgrade(connection)
            connection.execute(
                BACKLOG.update()
                .where(BACKLOG.c.finished.is_(None), BACKLOG.c.owner == self._owner)
                .values(free_at=self._clock())
            )

        await self._database.run(opened)
        if self._file is not None:
            self._inode = self._file.stat().st_ino

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await self._database.close()

    async def put(self, name: str, request: ModerationRequest, held: Verdict) -> None:
        """As Backlog.put. What is put while another is written is one transaction: many deadlines may end together."""
        put = _Put(_row(name, request, held, self._clock()), asyncio.get_running_loop().create_future())
        self._puts.append(put)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        error = await put.told
        if error is not None:
            raise error

    async def _write(self) -> None:
        while self._puts:
            puts, self._puts = self._puts, []
            try:
                answers = await self._database.run(partial(self._accept, rows=[put.row for put in puts]))
            except Exception as error:  # noqa: BLE001 - whatever it is, every one of them hears of it
                for put in puts:
                    put.fail(error)
            else:
                for put, answer in zip(puts, answers, strict=True):
                    put.tell(answer)

    def _accept(self, connection: sql.Connection, rows: Sequence[Mapping[str, Any]]) -> list[GatepostError | None]:
        """Write what there is room for; for each row None, or why it was not accepted."""
        # SQLite would go on writing to a file that was deleted, and the next start would find nothing of it.
        if self._file is not None and self._file.stat().st_ino != self._inode:
            raise store_unavailable()
        images, size = connection.execute(
            sql.select(sql.func.count(), sql.func.coalesce(sql.func.sum(BACKLOG.c.image_bytes), 0)).where(
                BACKLOG.c.finished.is_(None)
            )
        ).one()
        answers: list[GatepostError | None] = []
        for row in rows:
            if _exists(connection, row["name"]):
                answers.append(None)
            elif images >= self._limits.images or size + row["image_bytes"] > self._limits.bytes:
                answers.append(backlog_full())
            else:
                connection.execute(BACKLOG.insert().values(**row))
                images, size = images + 1, size + row["image_bytes"]
                answers.append(None)
        return answers

    async def take(self, lease_s: float) -> Work | None:
        """As Backlog.take."""

        def taken(connection: sql.Connection) -> Any:
            now = self._clock()
            # No lease is that long: the clock was set back.
            ahead = BACKLOG.c.free_at > now + _LONGEST_LEASE_S
            free = (BACKLOG.c.finished.is_(None), sql.or_(BACKLOG.c.free_at <= now, ahead))
            first = sql.select(BACKLOG.c.name).where(*free).order_by(BACKLOG.c.accepted, BACKLOG.c.name).limit(1)
            return connection.execute(
                BACKLOG.update()
                # `free` once more: of two gateways that chose the same row, the second finds it taken.
                .where(BACKLOG.c.name == first.scalar_subquery(), *free)
                .values(free_at=now + lease_s, attempts=BACKLOG.c.attempts + 1, owner=self._owner)
                .returning(*BACKLOG.c)
            ).one_or_none()

        row = await self._database.run(taken)
        if row is None:
            return None
        try:
            request, held = request_from_json(row.request, row.image), verdict_from_json(row.verdict)
        except ValueError as error:  # damaged: out of the way of those behind it, for whom it would always be first
            _log.error("backlog_row_unreadable", verdict=row.name, error=type(error).__name__)
            await self._database.run(
                lambda connection: connection.execute(_open(row.name).values(finished=self._clock()))
            )
            return None
        return Work(row.name, request, held, row.attempts, row.accepted)

    async def give_back(self, name: str, retry_in_s: float, *, counted: bool) -> None:
        """As Backlog.give_back."""
        tried = BACKLOG.c.attempts if counted else BACKLOG.c.attempts - 1
        change = _open(name).values(free_at=self._clock() + retry_in_s, owner="", attempts=tried)
        await self._database.run(lambda connection: connection.execute(change))

    async def finish(self, name: str, verdict: Verdict) -> None:
        """As Backlog.finish; also forgets what finished long ago."""

        def finished(connection: sql.Connection) -> None:
            now = self._clock()
            connection.execute(_open(name).values(finished=now, image=None, verdict=verdict_to_json(verdict)))
            connection.execute(BACKLOG.delete().where(BACKLOG.c.finished < now - self._limits.keep_s))

        await self._database.run(finished)

    async def find(self, name: str) -> Verdict | None:
        """As Backlog.find."""
        query = sql.select(BACKLOG.c.verdict, BACKLOG.c.finished).where(BACKLOG.c.name == name)
        row = await self._database.run(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        try:
            return replace(verdict_from_json(row.verdict), pending=row.finished is None)
        except ValueError as error:
            _log.error("backlog_row_unreadable", verdict=name, error=type(error).__name__)
            return None

    async def depth(self) -> int:
        """As Backlog.depth."""
        query = sql.select(sql.func.count()).where(BACKLOG.c.finished.is_(None))
        return int(await self._database.run(lambda connection: connection.execute(query).scalar_one()))


@dataclass(frozen=True, slots=True)
class _Put:
    """One row on its way into the database, and who waits to hear of it: None, or why it was not accepted."""

    row: Mapping[str, Any]
    told: asyncio.Future[GatepostError | None]

    def tell(self, answer: GatepostError | None) -> None:
        if not self.told.done():  # the caller may have left
            self.told.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.told.done():
            self.told.set_exception(error)


def _row(name: str, request: ModerationRequest, held: Verdict, now: float) -> Mapping[str, Any]:
    return {
        "name": name,
        "accepted": now,
        "request": request_to_json(request),
        "image": request.image,
        "image_bytes": len(request.image),
        "attempts": 0,
        "free_at": now,
        "owner": "",
        "verdict": verdict_to_json(held),
    }


def _exists(connection: sql.Connection, name: str) -> bool:
    return connection.execute(sql.select(BACKLOG.c.name).where(BACKLOG.c.name == name)).one_or_none() is not None


def _open(name: str) -> sql.Update:
    return BACKLOG.update().where(BACKLOG.c.name == name, BACKLOG.c.finished.is_(None))
