"""What was asked for, held against what was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost_server.domain.evidence import Point


class SpanKind(StrEnum):
    """How asked-for and drawn text fit."""

    MATCHED = "matched"  # drawn as it was asked for, slips of reading aside
    MISSING = "missing"  # asked for, and not found in the picture
    UNEXPECTED = "unexpected"  # drawn, and not asked for
    DECORATIVE = "decorative"  # drawn, not asked for, and let pass by the policy


@dataclass(frozen=True, slots=True)
class AskedSpan:
    """A stretch of asked-for or drawn text.

    `similarity` is 0 to 1 over comparable characters: how much of `asked` was found, or how like the closest asked-for
    text the unexpected one is. `score`, 0 to 1, is how surely nobody asked for it: 0 but for what is unexpected.
    """

    kind: SpanKind
    asked: str = ""  # a clause of an asked-for text, as it was written; "" for what nobody asked for
    drawn: str = ""  # as it was read; "" for what is missing
    similarity: float = 0.0
    score: float = 0.0
    polygons: tuple[tuple[Point, ...], ...] = ()  # as TextLine.polygon, one for each line or part of one
    lines: tuple[int, ...] = ()  # indices into Evidence.lines, one for each polygon


@dataclass(frozen=True, slots=True)
class AskedText:
    """All texts that were asked for and every span; the score of off_script is the highest of the spans'."""

    asked: tuple[str, ...]
    spans: tuple[AskedSpan, ...]

    @property
    def missing(self) -> tuple[AskedSpan, ...]:
        """What was asked for and is not there."""
        return tuple(span for span in self.spans if span.kind is SpanKind.MISSING)

    @property
    def worst(self) -> AskedSpan | None:
        """What was drawn most surely without being asked for; the first of several."""
        unexpected = [span for span in self.spans if span.kind is SpanKind.UNEXPECTED]
        return max(unexpected, key=lambda span: span.score, default=None)
