"""A known-bad example out of a verdict of the record."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from gatepost_server.domain.errors import ErrorReason, invalid
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Category
from gatepost_server.policy.bank import LEAST_QUALITY, embedding_model
from gatepost_server.policy.lists import comparable
from gatepost_server.records.record import Kept
from gatepost_server.text.known import says_enough

_DAY_S = 86_400.0


class KnownBy(StrEnum):
    """What of an image an example holds."""

    FILE = "file"  # its digest: the same file, and nothing else
    PICTURE = "picture"  # and what it shows: a template with other words on it is like it, too
    TEXT = "text"  # one line that was read, in whatever picture


def example_of(
    kept: Kept,
    number: str,
    category: Category,
    *,
    added: float,
    by: str,
    known_by: KnownBy,
    line: int | None = None,
    days: float | None = None,
    note: str = "",
) -> KnownBad:
    """An example of that image; `line`, an index into its lines, for TEXT.

    Of PICTURE: the file, the PDQ hash where that says something, and the embedding where it is kept. Raises
    GatepostError (INVALID_ARGUMENT) for a category that no example can show, a text that would be found everywhere, and
    days that are none.
    """
    if category is Category.OFF_SCRIPT:
        raise invalid(ErrorReason.FIELD_INVALID, "no example can show that nobody asked for it", field="category")
    if days is not None and not 0.0 < days < float("inf"):
        raise invalid(ErrorReason.FIELD_INVALID, "an example holds for some days, or for ever", field="days")
    example = KnownBad(number, category, added, by, expires=None if days is None else added + days * _DAY_S, note=note)
    evidence = kept.verdict.evidence
    if known_by is KnownBy.TEXT:
        lines = evidence.lines if evidence is not None else ()
        text = lines[line].text if line is not None and 0 <= line < len(lines) else ""
        if not says_enough(comparable(text)):
            raise invalid(ErrorReason.FIELD_INVALID, "a text has two Chinese characters or five letters", field="line")
        return replace(example, text=text)
    example = replace(example, sha256=kept.request.image_sha256)
    if known_by is KnownBy.FILE or evidence is None:
        return example
    return replace(
        example,
        pdq=evidence.image.pdq if evidence.image.pdq_quality >= LEAST_QUALITY else "",
        embedding=evidence.embedding,
        embedding_model=embedding_model(evidence) if evidence.embedding else "",
    )
