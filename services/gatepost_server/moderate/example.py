"""A known-bad example out of a verdict of the record."""

from __future__ import annotations

from gatepost_server.domain.errors import ErrorReason, invalid
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Category
from gatepost_server.policy.bank import LEAST_QUALITY, embedding_model
from gatepost_server.records.record import Kept

_DAY_S = 86_400.0


def example_of(
    kept: Kept, number: str, category: Category, *, added: float, by: str, days: float | None = None, note: str = ""
) -> KnownBad:
    """What is like that image: by its file, its PDQ hash where that says something, and its embedding where it is kept.

    Raises GatepostError (INVALID_ARGUMENT) for a category that no example can show, and for days that are none.
    """
    if category is Category.OFF_SCRIPT:
        raise invalid(ErrorReason.FIELD_INVALID, "no example can show that nobody asked for it", field="category")
    if days is not None and not 0.0 < days < float("inf"):
        raise invalid(ErrorReason.FIELD_INVALID, "an example holds for some days, or for ever", field="days")
    evidence = kept.verdict.evidence
    seen = evidence is not None and evidence.image.pdq_quality >= LEAST_QUALITY
    return KnownBad(
        number,
        category,
        added,
        by,
        expires=None if days is None else added + days * _DAY_S,
        note=note,
        sha256=kept.request.image_sha256,
        pdq=evidence.image.pdq if evidence is not None and seen else "",
        embedding=evidence.embedding if evidence is not None else (),
        embedding_model=embedding_model(evidence) if evidence is not None and evidence.embedding else "",
    )
