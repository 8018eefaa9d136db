"""Evidence and requests for tests: clean unless told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import (
    Evidence,
    Fused,
    ImageFacts,
    ImageFinding,
    ModelVersion,
    Skipped,
    StageReport,
    TextLine,
    View,
)
from gatepost_server.domain.labels import CATEGORIES, Category, StageName

POLYGON = ((10.0, 10.0), (200.0, 10.0), (200.0, 40.0), (10.0, 40.0))


def request(**changed: Any) -> ModerationRequest:
    """A request with an image of three bytes."""
    return replace(ModerationRequest("request-1", b"png"), **changed)


def line(text: str, *, expected: float | None = None, confidence: float = 0.9, **scores: float) -> TextLine:
    """A line that was read; scores by category name."""
    by_category = dict.fromkeys(CATEGORIES, 0.0) | {Category(name): score for name, score in scores.items()}
    return TextLine(POLYGON, 0, text, text.casefold(), "en", confidence, by_category, expected)


def evidence(
    scores: Mapping[str, float] | None = None,
    *,
    sources: Mapping[str, str] | None = None,
    lines: Sequence[TextLine] = (),
    image_scores: Mapping[str, float] | None = None,
    without: Sequence[StageName] = (),
    skipped: Mapping[StageName, Sequence[Skipped]] | None = None,
    prompt_similarity: float | None = None,
) -> Evidence:
    """What fusion said (`scores`, resting on `sources`), from a picture of 640x480 that every stage looked at."""
    scores, sources, skipped = scores or {}, sources or {}, skipped or {}
    return Evidence(
        image=ImageFacts("ab" * 32, "cd" * 32, 100, 640, 480, "PNG", 1, (View(0),)),
        lines=tuple(lines),
        joined_text=" ".join(each.text for each in lines),
        joined_scores=dict.fromkeys(CATEGORIES, 0.0),
        image_findings={
            Category(name): ImageFinding(score, (0.0, 0.0, 64.0, 48.0)) for name, score in (image_scores or {}).items()
        },
        prompt_similarity=prompt_similarity,
        embedding=(),
        fused={
            category: Fused(scores.get(category, 0.0), sources.get(category, "image" if category in scores else "none"))
            for category in CATEGORIES
        },
        reports=tuple(
            StageReport(
                stage,
                1.0,
                1.01,
                (ModelVersion(f"net-{stage}", "1"),),
                {"frames": 1, "views": 1, "tiles": 1, "lines": len(lines)},
                tuple(skipped.get(stage, ())),
            )
            for stage in StageName
            if stage not in without
        ),
    )
