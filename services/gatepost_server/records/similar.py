"""Earlier verdicts on pictures that are like one: by embedding, and by PDQ hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sql

from gatepost_server.domain.known_bad import Likeness
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.records.tables import DECISIONS

AMONG = 5_000  # the newest verdicts: some tens of milliseconds
_BITS = 256
_PDQ_DISTANCE = 64  # of 256 bits; half of them differ between pictures that have nothing in common
_COSINE = 0.8


@dataclass(frozen=True, slots=True)
class Similar:
    """One of them. `score` is the cosine, or the share of equal bits; `decision` the verdict's own."""

    verdict: str
    tenant: str
    created: float  # Unix seconds
    decision: Decision
    category: Category | None
    likeness: Likeness
    score: float  # 0 to 1


def similar(connection: sql.Connection, name: str, *, most: int, among: int) -> Sequence[Similar]:
    """As Record.similar; none where there is nothing to compare."""
    own = connection.execute(
        sql.select(DECISIONS.c.pdq, DECISIONS.c.embedding, DECISIONS.c.tenant)
        .where(DECISIONS.c.name == name)
        .order_by(DECISIONS.c.pending)
        .limit(1)
    ).one_or_none()
    if own is None or not (own.pdq or own.embedding):
        return []
    columns = ("name", "tenant", "created", "decision", "category", "pdq", "embedding")
    rows = connection.execute(
        sql.select(*(DECISIONS.c[column] for column in columns))
        .where(DECISIONS.c.tenant == own.tenant, DECISIONS.c.name != name, DECISIONS.c.pending.is_(False))
        .order_by(DECISIONS.c.created.desc())
        .limit(among)
    ).all()
    found = _by_hash(own.pdq, rows) | _by_embedding(own.embedding, rows)  # an embedding says more
    best = sorted(found.items(), key=lambda each: (-each[1][1], each[0]))[:most]
    return [_similar(rows[place], *how) for place, how in best]


def _by_hash(pdq: str, rows: Sequence[Any]) -> dict[int, tuple[Likeness, float]]:
    places = [place for place, row in enumerate(rows) if len(row.pdq) == len(pdq)]
    if not pdq or not places:
        return {}
    bits = np.unpackbits(
        np.frombuffer(bytes.fromhex(pdq + "".join(rows[place].pdq for place in places)), np.uint8).reshape(
            -1, _BITS // 8
        ),
        axis=1,
    )
    distances = (bits[1:] != bits[0]).sum(axis=1)
    return {
        place: (Likeness.PDQ, 1.0 - float(distance) / _BITS)
        for place, distance in zip(places, distances, strict=True)
        if distance <= _PDQ_DISTANCE
    }


def _by_embedding(embedding: bytes, rows: Sequence[Any]) -> dict[int, tuple[Likeness, float]]:
    """Embeddings are of unit length. Those of another size are of another model."""
    places = [place for place, row in enumerate(rows) if len(row.embedding) == len(embedding)]
    if not embedding or not places:
        return {}
    vectors = np.frombuffer(b"".join(rows[place].embedding for place in places), "<f4").reshape(len(places), -1)
    cosines = vectors @ np.frombuffer(embedding, "<f4")
    return {
        place: (Likeness.EMBEDDING, min(1.0, float(cosine)))
        for place, cosine in zip(places, cosines, strict=True)
        if cosine >= _COSINE
    }


def _similar(row: Any, likeness: Likeness, score: float) -> Similar:
    return Similar(
        row.name,
        row.tenant,
        row.created,
        Decision(row.decision),
        Category(row.category) if row.category else None,
        likeness,
        score,
    )
