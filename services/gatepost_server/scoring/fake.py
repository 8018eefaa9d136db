"""A scorer without weights that drives the whole wire path in tests, scripted by the image bytes themselves.

An image that is a JSON object is a script; any other non-empty bytes are a clean picture. Keys of a script, all
optional:

- `scores`: {category: score}, what fusion would say (source "image")
- `lines`: [{"text", "scores", "expected", "confidence"}], lines that were read
- `delay_s`: how long looking takes
- `error`: {"code", "reason", "message", "field"}, what the ensemble would fail with
- `without`: [stage], stages that report nothing
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.domain.evidence import (
    Evidence,
    Fused,
    ImageFacts,
    ImageFinding,
    ModelVersion,
    StageReport,
    TextLine,
    View,
)
from gatepost_server.domain.labels import CATEGORIES, Category, StageName
from gatepost_server.scoring.base import Priority

WIDTH, HEIGHT = 640, 480


class FakeScorer:
    """A Scorer for tests. `in_flight`, `most_in_flight` and `cancelled` count what happened to it."""

    def __init__(self, *, ready: bool = True) -> None:
        self.is_ready = ready
        self.in_flight = 0
        self.most_in_flight = 0
        self.cancelled = 0
        self.priorities: list[Priority] = []

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score."""
        self.priorities.append(priority)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._look(request, timeout_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1

    async def ready(self) -> bool:
        """What the test said."""
        return self.is_ready

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _look(self, request: ModerationRequest, timeout_s: float) -> Evidence:
        started = time.monotonic()
        if not self.is_ready:
            raise GatepostError(
                ErrorCode.UNAVAILABLE,
                ErrorReason.MODEL_SERVER_UNAVAILABLE,
                "the model server does not answer",
                retry_after_s=1.0,
            )
        if not request.image:
            raise invalid(ErrorReason.IMAGE_EMPTY, "the image is empty", field="image")
        script = _script(request.image)
        delay_s = float(script.get("delay_s", 0.0))
        await asyncio.sleep(min(delay_s, max(0.0, timeout_s)))
        if delay_s > timeout_s or timeout_s <= 0.0:
            raise GatepostError(
                ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "the deadline passed before the image was judged"
            )
        if "error" in script:
            raise _error(script["error"])
        return _evidence(request, script, started)


def _script(image: bytes) -> Mapping[str, Any]:
    try:
        script = json.loads(image)
    except ValueError:
        return {}
    return script if isinstance(script, dict) else {}


def _error(fields: Mapping[str, Any]) -> GatepostError:
    return GatepostError(
        ErrorCode(fields["code"]),
        ErrorReason(fields["reason"]),
        fields.get("message", "as scripted"),
        field=fields.get("field"),
        retry_after_s=fields.get("retry_after_s"),
    )


def _evidence(request: ModerationRequest, script: Mapping[str, Any], started: float) -> Evidence:
    sha256 = hashlib.sha256(request.image).hexdigest()
    scores = {Category(name): float(score) for name, score in script.get("scores", {}).items()}
    lines = tuple(_line(index, fields) for index, fields in enumerate(script.get("lines", ())))
    ended = time.monotonic()
    return Evidence(
        image=ImageFacts(sha256, sha256, 100, WIDTH, HEIGHT, "PNG", 1, (View(0),)),
        lines=lines,
        joined_text=" ".join(line.text for line in lines),
        joined_scores=dict.fromkeys(CATEGORIES, 0.0),
        image_findings={
            category: ImageFinding(score, (0.0, 0.0, float(WIDTH), float(HEIGHT))) for category, score in scores.items()
        },
        prompt_similarity=0.3 if request.prompt else None,
        embedding=(0.6, 0.8) if request.want_embedding else (),
        fused={category: _fused(category, scores, lines) for category in CATEGORIES},
        reports=tuple(
            StageReport(stage, started, ended, (ModelVersion(f"fake-{stage}", "0"),), _looked_at(len(lines)))
            for stage in StageName
            if stage not in script.get("without", ())
        ),
    )


def _looked_at(lines: int) -> Mapping[str, int]:
    """One opaque view, and every line of it; what a stage does not count does not matter."""
    return {"frames": 1, "views": 1, "tiles": 1, "lines": lines}


def _fused(category: Category, scores: Mapping[Category, float], lines: tuple[TextLine, ...]) -> Fused:
    found = [Fused(line.scores.get(category, 0.0), f"line:{index}") for index, line in enumerate(lines)]
    found.append(Fused(scores.get(category, 0.0), "image"))
    worst = max(found, key=lambda fused: fused.score)
    return worst if worst.score > 0.0 else Fused(0.0, "none")


def _line(index: int, fields: Mapping[str, Any]) -> TextLine:
    top = 20.0 + 40.0 * index
    return TextLine(
        polygon=((20.0, top), (300.0, top), (300.0, top + 30.0), (20.0, top + 30.0)),
        view=0,
        text=fields["text"],
        normalized=fields["text"].casefold(),
        language=fields.get("language", "en"),
        confidence=float(fields.get("confidence", 0.9)),
        scores=dict.fromkeys(CATEGORIES, 0.0)
        | {Category(name): float(score) for name, score in fields.get("scores", {}).items()},
        expected=fields.get("expected"),
    )
