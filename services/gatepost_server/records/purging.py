"""The statements of a purge: the one way out of the record, and written down itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sql

from gatepost_server.records.record import Purgeable, PurgeCriteria
from gatepost_server.records.tables import ACTS, DECISIONS, PURGES, REVIEW_QUEUE


def purgeable(connection: sql.Connection, criteria: PurgeCriteria, most: int) -> Sequence[Purgeable]:
    """As Record.purgeable."""
    columns = DECISIONS.c
    conditions: list[Any] = []
    if criteria.before is not None:
        conditions.append(columns.created < criteria.before)
    for column, value in (
        (columns.category, criteria.category),
        (columns.subject, criteria.subject),
        (columns.tenant, criteria.tenant),
        (columns.decision, criteria.decision),
        (columns.policy, criteria.policy),
    ):
        if value is not None:
            conditions.append(column == str(value))
    query = (
        sql.select(columns.name, columns.tenant, sql.func.max(sql.cast(columns.image_kept, sql.Integer)).label("kept"))
        .where(*conditions)
        .group_by(columns.name, columns.tenant)
        .order_by(columns.name)
        .limit(most)
    )
    return [Purgeable(row.name, row.tenant, bool(row.kept)) for row in connection.execute(query)]


def purge(
    connection: sql.Connection,
    names: Sequence[str],
    criteria: PurgeCriteria,
    *,
    actor: str,
    images: int,
    now: float,
) -> int:
    """As Record.purge. The tables let go of rows only beside an unfinished purge, which no other transaction sees."""
    number = connection.execute(
        PURGES.insert()
        .values(
            actor=actor, started=now, criteria=json.dumps(asdict(criteria), sort_keys=True), decisions=0, images=images
        )
        .returning(PURGES.c.id)
    ).scalar_one()
    connection.execute(ACTS.delete().where(ACTS.c.verdict.in_(names)))
    connection.execute(REVIEW_QUEUE.delete().where(REVIEW_QUEUE.c.verdict.in_(names)))
    connection.execute(DECISIONS.delete().where(DECISIONS.c.name.in_(names)))
    connection.execute(PURGES.update().where(PURGES.c.id == number).values(finished=now, decisions=len(names)))
    return len(names)
