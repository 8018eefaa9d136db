"""What the whole ensemble answers for one image, as arrays without the batch dimension: complete, and clean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gatepost_server.domain.evidence import ImageFacts, ModelVersion, StageReport, View
from gatepost_server.domain.labels import CATEGORIES, Background, StageName
from gatepost_server.stages.base import text_array
from gatepost_server.tensors import contract
from gatepost_server.tensors.facts import encode_facts
from gatepost_server.tensors.reports import encode_report

C = len(CATEGORIES)
FACTS = ImageFacts(
    "ab" * 32, "cd" * 32, 90, 1000, 500, "PNG", 1, (View(0, Background.WHITE), View(0, Background.BLACK))
)
_SQUARE = [(0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4)]


def looked_at(lines: int) -> Mapping[StageName, Mapping[str, int]]:
    """What each stage says that it looked at, of two views and so many lines."""
    return {
        StageName.DECODE: {"frames": 1, "frames_alike": 0, "frames_left_out": 0, "views": 2},
        StageName.OCR_DETECT: {"views": 2, "lines": lines},
        StageName.OCR_RECOGNIZE: {"lines": lines, "crops": lines, "ornaments": 0, "unread": 0},
        StageName.TEXT_TOXICITY: {"lines": lines, "windows": lines},
        StageName.CLIP: {"views": 2, "tiles": 12},
        StageName.FUSION: {"lines": lines},
    }


def report_of(stage: StageName, lines: int) -> StageReport:
    """A stage's report."""
    models = () if stage is StageName.DECODE else (ModelVersion(f"net-{stage}", "1"),)
    return StageReport(stage, 1.0, 2.0, models, looked_at(lines)[stage])


def complete_answer(lines: Sequence[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Every tensor, for a picture with these lines and a prompt."""
    count = len(lines)
    zeros = np.zeros(C, np.float32)
    arrays = {
        "IMAGE_FACTS": text_array([encode_facts(FACTS)]),
        "POLYGON_POINTS": np.array(_SQUARE * count, dtype=np.float32).reshape(-1, 2),
        "POLYGON_SIZES": np.full(count, 4, dtype=np.int32),
        "LINE_VIEWS": np.ones(count, dtype=np.int32),
        "TEXTS": text_array(lines),
        "TEXT_CONFIDENCES": np.full(count, 0.9, dtype=np.float32),
        "NORMALIZED_TEXTS": text_array([line.casefold() for line in lines]),
        "LANGUAGES": text_array(["en"] * count),
        "LINE_SCORES": np.zeros((count, C), dtype=np.float32),
        "LINE_EXPECTED": np.full(count, -1.0, dtype=np.float32),
        "LINE_MATCHES": text_array([""] * count),
        "JOINED_TEXT": text_array([" ".join(lines)]),
        "JOINED_SCORES": zeros,
        "IMAGE_SCORES": np.full(C, 0.01, np.float32),
        "IMAGE_REGIONS": np.zeros((C, 4), dtype=np.float32),
        "PROMPT_SIMILARITY": np.array([0.25], np.float32),
        "EMBEDDING": np.array([0.6, 0.8], np.float32),
        "SCORES": zeros,
        "SCORE_SOURCES": text_array(["none"] * C),
    }
    reports = {each.report.name: text_array([encode_report(report_of(each.model, count))]) for each in contract.STAGES}
    return arrays | reports
