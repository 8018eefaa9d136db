"""A Record in a SQL database, shared by as many gateways as use it: SQLite for one host, PostgreSQL for several."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from gatepost_server.domain.answer import Ground
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import Act, ActKind, QueueKind, Standing, objection, standing
from gatepost_server.records import purging, sql_queue
from gatepost_server.records.codec import request_from_json, verdict_from_json
from gatepost_server.records.database import Connected, sqlite_url
from gatepost_server.records.entry import Entry, unpacked
from gatepost_server.records.migrate import upgrade
from gatepost_server.records.objections import refused, unknown
from gatepost_server.records.record import (
    PURGE_BATCH,
    Kept,
    NewAct,
    Purgeable,
    PurgeCriteria,
    QueueFilter,
    QueueItem,
    QueueLoad,
)
from gatepost_server.records.similar import AMONG, Similar, similar
from gatepost_server.records.tables import ACTS, DECISIONS, REVIEW_QUEUE


class SqlRecord:
    """As Record. Statements run in one thread, one after another, so that the event loop never waits for a disk."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Raises DatabaseUrlError."""
        self._database = Connected(url, name="record")
        self._insert: Any = sqlite.insert if self._database.engine.dialect.name == "sqlite" else postgresql.insert
        self._clock = clock

    @classmethod
    def in_file(cls, path: Path) -> SqlRecord:
        """A SQLite database in a file, made when it is not there."""
        return cls(sqlite_url(path))

    async def open(self) -> None:
        """Bring the tables up to date. Raises GatepostError."""
        await self._database.run(upgrade)

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await self._database.close()

    async def add(self, entries: Sequence[Entry]) -> None:
        """As Record.add."""
        queued = [
            sql_queue.row_of(entry) for entry in entries if entry.decision is Decision.REVIEW and not entry.pending
        ]

        def added(connection: sql.Connection) -> None:
            connection.execute(self._insert(DECISIONS).on_conflict_do_nothing(), [_row(entry) for entry in entries])
            if queued:
                connection.execute(self._insert(REVIEW_QUEUE).on_conflict_do_nothing(), queued)

        if entries:
            await self._database.run(added)

    async def find(self, name: str) -> Kept | None:
        """As Record.find."""
        return await self._database.run(lambda connection: _kept(connection, name))

    async def act(self, name: str, act: NewAct) -> Kept:
        """As Record.act."""

        def done(connection: sql.Connection) -> Kept:
            sql_queue.alone(connection, name)
            found = _kept(connection, name)
            if found is None:
                raise unknown()
            now = self._clock()
            why = objection(
                found.acts,
                found.standing,
                act.kind,
                actor=act.actor,
                senior=act.senior,
                claimed_by=sql_queue.claimant(connection, name, now),
                undoes=act.undoes,
            )
            if why is not None:
                raise refused(why)
            written = _write(connection, name, act, now)
            acts = (*found.acts, written)
            after = _standing(found.verdict.judgement.decision, acts, found.opinions)
            sql_queue.see_to(connection, self._insert, name, after, kind=act.kind)
            return replace(found, acts=acts, standing=after)

        return await self._database.run(done)

    async def last_acts(self, names: Sequence[str]) -> Mapping[str, int]:
        """As Record.last_acts."""
        query = (
            sql.select(ACTS.c.verdict, sql.func.max(ACTS.c.id))
            .where(ACTS.c.verdict.in_(names))
            .group_by(ACTS.c.verdict)
        )
        return await self._database.run(lambda connection: {row[0]: row[1] for row in connection.execute(query)})

    async def queue(self, wanted: QueueFilter, *, most: int, after: str = "") -> tuple[Sequence[QueueItem], str]:
        """As Record.queue. Raises ValueError for an `after` that it did not give."""
        query = sql_queue.query(wanted, most, after)
        now = self._clock()
        return await self._database.run(lambda connection: sql_queue.page(connection, query, wanted, most, now))

    async def waiting(self, name: str) -> QueueItem | None:
        """As Record.waiting."""
        return await self._database.run(lambda connection: sql_queue.waiting(connection, name, self._clock()))

    async def queue_load(self) -> Mapping[QueueKind, QueueLoad]:
        """As Record.queue_load."""
        return await self._database.run(lambda connection: sql_queue.load(connection, self._clock()))

    async def claim(self, name: str, actor: str, lease_s: float) -> QueueItem:
        """As Record.claim."""
        return await self._database.run(
            lambda connection: sql_queue.claim(connection, name, actor, self._clock(), lease_s)
        )

    async def give_back(self, name: str, actor: str) -> None:
        """As Record.give_back."""
        await self._database.run(lambda connection: sql_queue.give_back(connection, name, actor))

    async def similar(self, name: str, *, most: int, among: int = AMONG) -> Sequence[Similar]:
        """As Record.similar."""
        return await self._database.run(lambda connection: similar(connection, name, most=most, among=among))

    async def purgeable(self, criteria: PurgeCriteria, *, most: int = PURGE_BATCH) -> Sequence[Purgeable]:
        """As Record.purgeable."""
        return await self._database.run(lambda connection: purging.purgeable(connection, criteria, most))

    async def purge(self, names: Sequence[str], criteria: PurgeCriteria, *, actor: str, images: int) -> int:
        """As Record.purge."""
        return await self._database.run(
            lambda connection: purging.purge(connection, names, criteria, actor=actor, images=images, now=self._clock())
        )


def _row(entry: Entry) -> Mapping[str, Any]:
    columns = {column.name for column in DECISIONS.columns} - {"image_kept", "decision", "category"}
    return {name: getattr(entry, name) for name in columns} | {
        "decision": entry.decision.value,
        "category": entry.category.value if entry.category is not None else "",
        "image_kept": entry.image is not None,
    }


def _kept(connection: sql.Connection, name: str) -> Kept | None:
    row = connection.execute(
        sql.select(DECISIONS).where(DECISIONS.c.name == name).order_by(DECISIONS.c.pending).limit(1)
    ).one_or_none()
    if row is None:
        return None
    verdict = verdict_from_json(row.verdict)
    if verdict.evidence is not None and row.embedding:
        verdict = replace(verdict, evidence=replace(verdict.evidence, embedding=unpacked(row.embedding)))
    acts = tuple(
        Act(
            each.id,
            ActKind(each.kind),
            each.actor,
            each.at,
            Category(each.category) if each.category else None,
            each.text,
            each.undoes,
            Ground(each.ground) if each.ground else None,
            each.due_s,
        )
        for each in connection.execute(sql.select(ACTS).where(ACTS.c.verdict == name).order_by(ACTS.c.id))
    )
    return Kept(
        verdict,
        request_from_json(row.request, b""),
        row.image_kept,
        row.opinions,
        row.due_s,
        acts,
        _standing(verdict.judgement.decision, acts, row.opinions),
    )


def _standing(decision: Decision, acts: Sequence[Act], opinions: int) -> Standing:
    return standing(acts, review=decision is Decision.REVIEW, needed=max(1, opinions))


def _write(connection: sql.Connection, name: str, act: NewAct, now: float) -> Act:
    number = connection.execute(
        ACTS.insert()
        .values(
            verdict=name,
            kind=act.kind.value,
            actor=act.actor,
            at=now,
            category=act.category.value if act.category is not None else "",
            text=act.text,
            undoes=act.undoes,
            ground=act.ground.value if act.ground is not None else "",
            due_s=act.due_s,
        )
        .returning(ACTS.c.id)
    ).scalar_one()
    return Act(number, act.kind, act.actor, now, act.category, act.text, act.undoes, act.ground, act.due_s)
