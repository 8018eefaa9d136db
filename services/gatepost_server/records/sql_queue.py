"""The statements of the review queue. What waits follows from the record; who is at it stands here alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sql

from gatepost_server.domain.labels import Category
from gatepost_server.domain.review import ActKind, Objection, QueueKind, Standing
from gatepost_server.records.entry import Entry
from gatepost_server.records.objections import refused, unknown
from gatepost_server.records.record import QueueFilter, QueueItem, QueueLoad
from gatepost_server.records.tables import DECISIONS, REVIEW_QUEUE

_QUEUE = REVIEW_QUEUE.c
_KEEPS_CLAIM = frozenset({ActKind.NOTE, ActKind.RECATEGORISE, ActKind.UNDO})  # nobody is done by these


def alone(connection: sql.Connection, name: str) -> None:
    """Until the transaction ends, nobody else does anything to this verdict."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def row_of(entry: Entry) -> Mapping[str, Any]:
    """The row of a REVIEW verdict."""
    return {
        "verdict": entry.name,
        "tenant": entry.tenant,
        "kind": QueueKind.REVIEW.value,
        "category": entry.category.value if entry.category is not None else "",
        "severity": entry.severity,
        "queued": entry.created,
        "due": entry.created + entry.due_s,
        "open": True,
        "claimed_by": "",
        "claimed_until": 0.0,
    }


def see_to(connection: sql.Connection, insert: Any, name: str, after: Standing, *, kind: ActKind) -> None:
    """The row as it follows from what stands after an act of that kind."""
    change: dict[str, Any] = {"open": after.waits is not None}
    if kind not in _KEEPS_CLAIM:
        change |= {"claimed_by": "", "claimed_until": 0.0}
    if after.waits is not None:
        facts = connection.execute(
            sql.select(DECISIONS).where(DECISIONS.c.name == name).order_by(DECISIONS.c.pending).limit(1)
        ).one()
        since = after.since or facts.created
        # An appeal has its own clock, also where it was escalated, or decided and that undone.
        asked_s = after.appeal.due_s if after.appeal is not None else None
        due_s = facts.due_s if asked_s is None else asked_s
        change |= {"kind": after.waits.value, "queued": since, "due": since + due_s}
        change["category"] = facts.category if after.category is None else after.category.value
        first = {
            "verdict": name,
            "tenant": facts.tenant,
            "severity": facts.severity,
            "claimed_by": "",
            "claimed_until": 0.0,
        }
        row = insert(REVIEW_QUEUE).values(first | change)
        connection.execute(row.on_conflict_do_update(index_elements=[_QUEUE.verdict], set_=change))
    else:
        connection.execute(REVIEW_QUEUE.update().where(_QUEUE.verdict == name).values(change))


def claimant(connection: sql.Connection, name: str, now: float) -> str:
    """Who is at it; "" where nobody is."""
    found = connection.execute(
        sql.select(_QUEUE.claimed_by).where(_QUEUE.verdict == name, _QUEUE.claimed_until > now)
    ).scalar_one_or_none()
    return found or ""


def waiting(connection: sql.Connection, name: str, now: float) -> QueueItem | None:
    """As Record.waiting."""
    row = connection.execute(
        sql.select(REVIEW_QUEUE).where(_QUEUE.verdict == name, _QUEUE.open.is_(True))
    ).one_or_none()
    return None if row is None else _item(row, now)


def load(connection: sql.Connection, now: float) -> Mapping[QueueKind, QueueLoad]:
    """As Record.queue_load."""
    overdue = sql.func.sum(sql.case((_QUEUE.due < now, 1), else_=0))
    counted = sql.select(_QUEUE.kind, sql.func.count(), overdue, sql.func.min(_QUEUE.queued))
    rows = connection.execute(counted.where(_QUEUE.open.is_(True)).group_by(_QUEUE.kind))
    return {QueueKind(kind): QueueLoad(items, late, max(0.0, now - first)) for kind, items, late, first in rows}


def claim(connection: sql.Connection, name: str, actor: str, now: float, lease_s: float) -> QueueItem:
    """As Record.claim: one statement, so that of two who claim together one is refused."""
    free = sql.or_(_QUEUE.claimed_by.in_(("", actor)), _QUEUE.claimed_until <= now)
    row = connection.execute(
        REVIEW_QUEUE.update()
        .where(_QUEUE.verdict == name, _QUEUE.open.is_(True), free)
        .values(claimed_by=actor, claimed_until=now + lease_s)
        .returning(*REVIEW_QUEUE.c)
    ).one_or_none()
    if row is not None:
        return _item(row, now)
    waiting = connection.execute(sql.select(_QUEUE.open).where(_QUEUE.verdict == name)).scalar_one_or_none()
    if waiting is None and not _recorded(connection, name):
        raise unknown()
    raise refused(Objection.CLAIMED if waiting else Objection.NOT_WAITING)


def give_back(connection: sql.Connection, name: str, actor: str) -> None:
    """As Record.give_back."""
    theirs = (_QUEUE.verdict == name, _QUEUE.claimed_by == actor)
    connection.execute(REVIEW_QUEUE.update().where(*theirs).values(claimed_by="", claimed_until=0.0))


def query(wanted: QueueFilter, most: int, after: str) -> sql.Select[Any]:
    """The next page. Raises ValueError for an `after` that `page` did not give."""
    order = -_QUEUE.severity if wanted.gravest_first else _QUEUE.due
    conditions: list[sql.ColumnElement[bool]] = [_QUEUE.open.is_(True)]
    for column, value in (
        (_QUEUE.tenant, wanted.tenant),
        (_QUEUE.category, wanted.category),
        (_QUEUE.kind, wanted.kind),
    ):
        if value is not None:
            conditions.append(column == str(value))
    if after:
        place, _, name = after.partition(" ")
        conditions.append(sql.tuple_(order, _QUEUE.verdict) > sql.tuple_(float(place), name))
    return sql.select(REVIEW_QUEUE).where(*conditions).order_by(order, _QUEUE.verdict).limit(most + 1)


def page(
    connection: sql.Connection, query: sql.Select[Any], wanted: QueueFilter, most: int, now: float
) -> tuple[Sequence[QueueItem], str]:
    """As Record.queue."""
    rows = connection.execute(query).all()
    items = [_item(row, now) for row in rows[:most]]
    if len(rows) <= most:
        return items, ""
    last = items[-1]
    return items, f"{-last.severity if wanted.gravest_first else last.due!r} {last.verdict}"


def _recorded(connection: sql.Connection, name: str) -> bool:
    query = sql.select(DECISIONS.c.name).where(DECISIONS.c.name == name).limit(1)
    return connection.execute(query).one_or_none() is not None


def _item(row: Any, now: float) -> QueueItem:
    held = row.claimed_until > now
    return QueueItem(
        verdict=row.verdict,
        tenant=row.tenant,
        kind=QueueKind(row.kind),
        category=Category(row.category) if row.category else None,
        severity=row.severity,
        queued=row.queued,
        due=row.due,
        claimed_by=row.claimed_by if held else "",
        claimed_until=row.claimed_until if held else 0.0,
    )
