"""Insights of a record in a SQL database."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import Act, ActKind, standing
from gatepost_server.records.codec import request_from_json, verdict_from_json
from gatepost_server.records.database import Connected, sqlite_url
from gatepost_server.records.insights import Handled, Scope, Seen, Stored, Waiting
from gatepost_server.records.migrate import upgrade
from gatepost_server.records.tables import ACTS, DECISIONS, REVIEW_QUEUE

_AT_ONCE = 500  # names in one statement
_SHORT = (DECISIONS.c.name, DECISIONS.c.tenant, DECISIONS.c.created, DECISIONS.c.decision, DECISIONS.c.verdict)


class SqlInsights:
    """As Insights. Statements run in one thread of their own, beside those of the record."""

    def __init__(self, url: str) -> None:
        """Raises DatabaseUrlError."""
        self._database = Connected(url, name="insights")

    @classmethod
    def at(cls, place: str) -> SqlInsights:
        """A database URL, or a file (SQLite), made when it is not there. Raises DatabaseUrlError, OSError."""
        return cls(place if "://" in place else sqlite_url(Path(place)))

    async def open(self) -> None:
        """Bring the tables up to date. Raises GatepostError."""
        await self._database.run(upgrade)

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await self._database.close()

    async def tenants(self, scope: Scope) -> Sequence[str]:
        """As Insights.tenants."""
        everybody = Scope(scope.since, scope.until, policy=scope.policy)
        query = sql.select(DECISIONS.c.tenant).where(*_within(everybody)).distinct().order_by(DECISIONS.c.tenant)
        return await self._database.run(lambda connection: connection.execute(query).scalars().all())

    async def counts(self, scope: Scope, edges: Sequence[float]) -> Sequence[Mapping[Decision, int]]:
        """As Insights.counts."""
        queries = [
            sql.select(DECISIONS.c.decision, sql.func.count())
            .where(*_within(scope), DECISIONS.c.created >= low, DECISIONS.c.created < high)
            .group_by(DECISIONS.c.decision)
            for low, high in pairwise(edges)
        ]

        def counted(connection: sql.Connection) -> list[Mapping[Decision, int]]:
            return [{Decision(name): count for name, count in connection.execute(query)} for query in queries]

        return await self._database.run(counted)

    async def sample(self, scope: Scope, edges: Sequence[float], *, most: int) -> Sequence[Sequence[Seen]]:
        """As Insights.sample."""
        queries = [_first(scope, low, high, most) for low, high in pairwise(edges)]

        def taken(connection: sql.Connection) -> list[list[Seen]]:
            return [[_seen(row) for row in connection.execute(query)] for query in queries]

        return await self._database.run(taken)

    async def handled(self, scope: Scope, *, most: int) -> Sequence[Handled]:
        """As Insights.handled."""
        acted = sql.exists().where(ACTS.c.verdict == DECISIONS.c.name)
        query = (
            sql.select(*_SHORT, DECISIONS.c.category, DECISIONS.c.opinions)
            .where(*_within(scope), acted)
            .order_by(DECISIONS.c.created.desc(), DECISIONS.c.name)
            .limit(most)
        )

        def found(connection: sql.Connection) -> list[Handled]:
            rows = connection.execute(query).all()
            acts = _acts(connection, [row.name for row in rows])
            return [_handled(row, tuple(acts[row.name])) for row in rows]

        return await self._database.run(found)

    async def stored(self, scope: Scope, *, most: int, after: str = "") -> Sequence[Stored]:
        """As Insights.stored."""
        query = (
            sql.select(DECISIONS.c.verdict, DECISIONS.c.request)
            .where(*_within(scope), DECISIONS.c.name > after)
            .order_by(DECISIONS.c.name)
            .limit(most)
        )

        def found(connection: sql.Connection) -> list[Stored]:
            return [
                Stored(verdict_from_json(verdict), request_from_json(request, b""))
                for verdict, request in connection.execute(query)
            ]

        return await self._database.run(found)

    async def waiting(self, now: float, tenant: str | None = None) -> Waiting:
        """As Insights.waiting."""
        overdue = sql.func.count(sql.case((REVIEW_QUEUE.c.due < now, 1)))
        query = sql.select(sql.func.count(), overdue).where(REVIEW_QUEUE.c.open.is_(True))
        if tenant is not None:
            query = query.where(REVIEW_QUEUE.c.tenant == tenant)
        return Waiting(*await self._database.run(lambda connection: connection.execute(query).one()))

    async def acts_of(self, actor: str, since: float) -> Sequence[Act]:
        """As Insights.acts_of."""
        query = sql.select(ACTS).where(ACTS.c.actor == actor, ACTS.c.at >= since).order_by(ACTS.c.id)
        return await self._database.run(lambda connection: [_act(row) for row in connection.execute(query)])


def _within(scope: Scope) -> list[sql.ColumnElement[bool]]:
    """Conditions on `decisions`. Of a HOLD on which the work went on, only what came of it counts."""
    final = DECISIONS.alias("final")
    came = sql.exists().where(final.c.name == DECISIONS.c.name, final.c.pending.is_(False))
    conditions = [
        DECISIONS.c.created >= scope.since,
        DECISIONS.c.created < scope.until,
        sql.or_(DECISIONS.c.pending.is_(False), ~came),
    ]
    if scope.tenant is not None:
        conditions.append(DECISIONS.c.tenant == scope.tenant)
    if scope.policy is not None:
        conditions.append(DECISIONS.c.policy == scope.policy)
    return conditions


def _first(scope: Scope, low: float, high: float, most: int) -> sql.Select[Any]:
    """The first by name. Names are sorted before verdicts are read, which are kilobytes each."""
    within = (*_within(scope), DECISIONS.c.created >= low, DECISIONS.c.created < high)
    names = sql.select(DECISIONS.c.name, DECISIONS.c.pending).where(*within).order_by(DECISIONS.c.name).limit(most)
    first = names.subquery("first")
    same = sql.and_(DECISIONS.c.name == first.c.name, DECISIONS.c.pending == first.c.pending)
    return sql.select(*_SHORT).join(first, same).order_by(DECISIONS.c.name)


def _acts(connection: sql.Connection, names: Sequence[str]) -> Mapping[str, list[Act]]:
    acts: dict[str, list[Act]] = {name: [] for name in names}
    for start in range(0, len(names), _AT_ONCE):
        some = ACTS.c.verdict.in_(names[start : start + _AT_ONCE])
        for row in connection.execute(sql.select(ACTS).where(some).order_by(ACTS.c.id)):
            acts[row.verdict].append(_act(row))
    return acts


def _handled(row: Any, acts: tuple[Act, ...]) -> Handled:
    seen = _seen(row)
    category = Category(row.category) if row.category else None
    stands = standing(acts, review=seen.decision is Decision.REVIEW, needed=max(1, row.opinions))
    return Handled(seen, category, acts, stands)


def _seen(row: Any) -> Seen:
    """Not the whole verdict: thousands are read for one page."""
    evidence = json.loads(row.verdict)["evidence"] or {"fused": {}, "lines": ()}
    scores = {Category(name): fused["score"] for name, fused in evidence["fused"].items()}
    return Seen(
        name=row.name,
        tenant=row.tenant,
        created=row.created,
        decision=Decision(row.decision),
        scores={name: score for name, score in scores.items() if score is not None and math.isfinite(score)},
        matches=frozenset(match for line in evidence["lines"] for match in line["matches"]),
    )


def _act(row: Any) -> Act:
    category = Category(row.category) if row.category else None
    return Act(row.id, ActKind(row.kind), row.actor, row.at, category, row.text, row.undoes)
