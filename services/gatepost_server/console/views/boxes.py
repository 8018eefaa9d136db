"""Where texts and findings are in the picture, for an overlay of the picture's own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost_server.console.views.scale import Scale
from gatepost_server.domain.evidence import Evidence, Point
from gatepost_server.domain.labels import Category, Decision


@dataclass(frozen=True, slots=True)
class LineBox:
    """A line of text. `number` counts from 1; `points` is SVG's; (x, y) is where its number stands."""

    number: int
    points: str
    x: float
    y: float
    text: str
    language: str
    confidence: float
    category: Category | None  # of its highest score; None where it has none worth telling
    score: float
    expected: float | None  # 0 to 1, how like what was asked for
    reached: Decision
    matches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture that shows a category. Pixels."""

    category: Category
    score: float
    x: float
    y: float
    width: float
    height: float
    reached: Decision


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything that is drawn over a picture of so many pixels. `unit` is a good height for letters."""

    width: int
    height: int
    unit: float
    lines: Sequence[LineBox]
    regions: Sequence[Region]


_TELLING = 0.05  # scores below it are noise


def overlay_of(evidence: Evidence, scale: Scale) -> Overlay:
    """What reached a threshold is marked as such, whatever it was fused with."""
    limits = {mark.category: (mark.review, mark.block) for mark in scale.marks}

    def reached(category: Category | None, score: float) -> Decision:
        review, block = limits.get(category, (None, None)) if category is not None else (None, None)
        if block is not None and score >= block:
            return Decision.BLOCK
        return Decision.REVIEW if review is not None and score >= review else Decision.ALLOW

    lines = []
    for index, line in enumerate(evidence.lines):
        category, score = max(line.scores.items(), key=lambda each: each[1], default=(None, 0.0))
        if score < _TELLING:
            category, score = None, 0.0
        x, y = _corner(line.polygon)
        lines.append(
            LineBox(
                index + 1,
                " ".join(f"{px:.0f},{py:.0f}" for px, py in line.polygon),
                x,
                y,
                line.text,
                line.language,
                line.confidence,
                category,
                score,
                line.expected,
                reached(category, score),
                line.matches,
            )
        )
    regions = [
        Region(category, found.score, *found.region[:2], *_size(found.region), reached(category, found.score))
        for category, found in evidence.image_findings.items()
        if reached(category, found.score) is not Decision.ALLOW
    ]
    image = evidence.image
    return Overlay(image.width, image.height, max(image.width, image.height) / 40, lines, regions)


def _corner(polygon: tuple[Point, ...]) -> Point:
    return min((x for x, _ in polygon), default=0.0), min((y for _, y in polygon), default=0.0)


def _size(region: tuple[float, float, float, float]) -> tuple[float, float]:
    return max(0.0, region[2] - region[0]), max(0.0, region[3] - region[1])
