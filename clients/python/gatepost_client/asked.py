"""What was asked for, held against what was drawn, and what the conversation did to thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Outline = tuple[tuple[float, float], ...]


class SpanKind(StrEnum):
    """How asked-for and drawn text fit."""

    MATCHED = "matched"  # drawn as it was asked for, slips of reading aside
    MISSING = "missing"  # asked for, and not found in the picture
    UNEXPECTED = "unexpected"  # drawn, and not asked for
    DECORATIVE = "decorative"  # drawn, not asked for, and let pass by the policy
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class AskedSpan:
    """A stretch of asked-for or drawn text."""

    kind: SpanKind
    asked: str = ""  # a clause of an asked-for text; "" for what nobody asked for
    drawn: str = ""  # as it was read; "" for what is missing
    similarity: float = 0.0  # 0 to 1: how much of `asked` was found, or how like the closest text the drawn one is
    score: float = 0.0  # 0 to 1: how surely nobody asked for it; the highest is the score of off_script
    polygons: tuple[Outline, ...] = ()  # in pixels of the upright image, one for each line or part of a line
    lines: tuple[int, ...] = ()  # the lines of these polygons, as indices into Verdict.lines

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {
            "kind": self.kind.value,
            "asked": self.asked,
            "drawn": self.drawn,
            "similarity": round(self.similarity, 6),
            "score": round(self.score, 6),
            "polygons": [[[round(x, 6), round(y, 6)] for x, y in polygon] for polygon in self.polygons],
            "lines": list(self.lines),
        }


@dataclass(frozen=True, slots=True)
class AskedText:
    """The texts that were asked for, and every span: matched and missing ones first, then what nobody asked for."""

    asked: tuple[str, ...] = ()
    spans: tuple[AskedSpan, ...] = ()

    def of(self, kind: SpanKind) -> Iterator[AskedSpan]:
        """The spans of one kind."""
        return (span for span in self.spans if span.kind is kind)

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {"asked": list(self.asked), "spans": [span.to_dict() for span in self.spans]}


@dataclass(frozen=True, slots=True)
class Tightening:
    """Why the policy's thresholds were lower for this image."""

    factor: float  # what every threshold was multiplied by, above 0 and below 1
    grounds: tuple[str, ...] = ()  # "turns", "frustration", "abuse"

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {"factor": round(self.factor, 6), "grounds": list(self.grounds)}
