"""The ensemble's arrays as evidence: pixels, lines left out, sources counted anew, nonsense refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import ImageFacts, ModelVersion, StageReport, View
from gatepost_server.domain.labels import CATEGORIES, Background, Category, StageName
from gatepost_server.tensors import contract
from gatepost_server.tensors.codec import decode_evidence
from gatepost_server.tensors.facts import encode_facts
from gatepost_server.tensors.reports import encode_report

C = len(CATEGORIES)
FACTS = ImageFacts(
    "ab" * 32, "cd" * 32, 90, 1000, 500, "PNG", 1, (View(0, Background.WHITE), View(0, Background.BLACK))
)
SQUARE = [(0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4)]


def texts(*values: str | bytes) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = [value.encode() if isinstance(value, str) else value for value in values]
    return array


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def by_category(**scores: float) -> np.ndarray:
    return floats(*(scores.get(category, 0.0) for category in CATEGORIES))


def answer(*lines: str, **changed: Any) -> dict[str, np.ndarray]:
    """What the ensemble gives for an image with these lines, each at SQUARE; tensors replaced by `changed`."""
    count = len(lines)
    arrays = {
        "IMAGE_FACTS": texts(encode_facts(FACTS)),
        "POLYGON_POINTS": np.array(SQUARE * count, dtype=np.float32).reshape(-1, 2),
        "POLYGON_SIZES": np.full(count, 4, dtype=np.int32),
        "LINE_VIEWS": np.ones(count, dtype=np.int32),
        "TEXTS": texts(*lines),
        "TEXT_CONFIDENCES": np.full(count, 0.9, dtype=np.float32),
        "NORMALIZED_TEXTS": texts(*(line.casefold() for line in lines)),
        "LANGUAGES": texts(*("en" for _ in lines)),
        "LINE_SCORES": np.zeros((count, C), dtype=np.float32),
        "LINE_EXPECTED": np.full(count, -1.0, dtype=np.float32),
        "LINE_MATCHES": texts(*("" for _ in lines)),
        "JOINED_TEXT": texts(" ".join(lines)),
        "JOINED_SCORES": by_category(),
        "IMAGE_SCORES": by_category(),
        "IMAGE_REGIONS": np.zeros((C, 4), dtype=np.float32),
        "PROMPT_SIMILARITY": floats(math.nan),
        "EMBEDDING": floats(0.6, 0.8),
        "SCORES": by_category(),
        "SCORE_SOURCES": texts(*("none" for _ in CATEGORIES)),
    }
    for stage in contract.STAGES:
        report = StageReport(stage.model, 1.0, 2.0, (ModelVersion("net", "1"),), {"views": 2})
        arrays[stage.report.name] = texts(encode_report(report))
    return arrays | changed


def sources(**by_name: str) -> np.ndarray:
    return texts(*(by_name.get(category, "none") for category in CATEGORIES))


def test_polygons_and_regions_become_pixels_of_the_original():
    regions = np.zeros((C, 4), dtype=np.float32)
    regions[CATEGORIES.index(Category.WEAPONS)] = (0.5, 0.5, 1.0, 1.0)
    seen = decode_evidence(answer("Hi", IMAGE_SCORES=by_category(weapons=0.7), IMAGE_REGIONS=regions))
    assert seen.lines[0].polygon == ((100.0, 100.0), (300.0, 100.0), (300.0, 200.0), (100.0, 200.0))
    assert seen.image_findings[Category.WEAPONS].region == (500.0, 250.0, 1000.0, 500.0)
    assert seen.image_findings.keys() == {Category.WEAPONS}


def test_points_outside_of_the_image_are_moved_to_its_edge():
    points = np.array([(-0.1, 0.0), (1.2, 0.0), (1.2, 1.1), (-0.1, 1.1)], dtype=np.float32)
    assert decode_evidence(answer("Hi", POLYGON_POINTS=points)).lines[0].polygon == (
        (0.0, 0.0),
        (1000.0, 0.0),
        (1000.0, 500.0),
        (0.0, 500.0),
    )


def test_lines_that_could_not_be_read_are_left_out_and_sources_follow_their_lines():
    seen = decode_evidence(
        answer(
            "", "first", "", "second",
            SCORES=by_category(insult=0.9, hate=0.4, threat=0.3, spam=0.01),
            SCORE_SOURCES=sources(insult="line:3", hate="line:1", threat="joined", spam="line:0"),
        )
    )  # fmt: skip
    assert [line.text for line in seen.lines] == ["first", "second"]
    assert seen.fused[Category.INSULT].source == "line:1"
    assert seen.fused[Category.HATE].source == "line:0"
    assert seen.fused[Category.THREAT].source == "joined"
    assert seen.fused[Category.SPAM].source == "none"


def test_polygons_of_different_lengths_stay_with_their_lines():
    bent = [(0.0, 0.0), (0.1, 0.0), (0.2, 0.1), (0.2, 0.2), (0.1, 0.2), (0.0, 0.1)]
    points = np.array([*bent, *SQUARE], dtype=np.float32)
    seen = decode_evidence(answer("a", "b", POLYGON_POINTS=points, POLYGON_SIZES=np.array([6, 4], dtype=np.int32)))
    assert [len(line.polygon) for line in seen.lines] == [6, 4]
    assert seen.lines[1].polygon[0] == (100.0, 100.0)


def test_what_was_not_asked_for_is_none():
    seen = decode_evidence(answer("a", LINE_EXPECTED=floats(-1.0)))
    assert seen.lines[0].expected is None
    assert seen.prompt_similarity is None
    asked = decode_evidence(answer("a", LINE_EXPECTED=floats(0.25), PROMPT_SIMILARITY=floats(0.5)))
    assert asked.lines[0].expected == 0.25
    assert asked.prompt_similarity == 0.5


def test_the_embedding_may_be_left_out():
    arrays = answer("a")
    assert decode_evidence(arrays).embedding == pytest.approx((0.6, 0.8))
    del arrays["EMBEDDING"]
    assert decode_evidence(arrays).embedding == ()


def test_an_image_without_text_is_fine():
    seen = decode_evidence(answer())
    assert seen.lines == ()
    assert {report.stage for report in seen.reports} == set(StageName)


def test_lexicon_matches_and_scores_stay_with_their_line():
    scores = np.stack([by_category(), by_category(insult=0.5)])
    seen = decode_evidence(answer("a", "b", LINE_SCORES=scores, LINE_MATCHES=texts("", "insult:b\nhate:b")))
    assert seen.lines[0].matches == ()
    assert seen.lines[1].matches == ("insult:b", "hate:b")
    assert seen.lines[1].scores[Category.INSULT] == 0.5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SCORES": by_category(insult=math.nan)}, "SCORES is not finite"),
        ({"SCORES": by_category(insult=1.5)}, "SCORES holds something other than probabilities"),
        ({"SCORES": floats(0.1)}, "SCORES has shape"),
        ({"SCORES": by_category().astype(np.float64)}, "SCORES is float64"),
        ({"TEXTS": texts(b"\xff")}, "not UTF-8"),
        ({"TEXTS": texts("a", "b")}, "NORMALIZED_TEXTS holds 1 lines, TEXTS 2"),
        ({"TEXT_CONFIDENCES": floats(-0.5)}, "TEXT_CONFIDENCES holds"),
        ({"POLYGON_SIZES": np.array([5], dtype=np.int32)}, "POLYGON_SIZES does not fit"),
        ({"POLYGON_SIZES": np.array([2], dtype=np.int32)}, "POLYGON_SIZES does not fit"),
        ({"LINE_VIEWS": np.array([2], dtype=np.int32)}, "names a view that is not there"),
        ({"SCORE_SOURCES": sources(insult="line:1")}, "names a line that is not there"),
        ({"SCORE_SOURCES": sources(insult="guess")}, "unknown source"),
        ({"PROMPT_SIMILARITY": floats(2.0)}, "no cosine"),
        ({"CLIP_REPORT": texts(b"{}")}, "not a stage report"),
        ({"CLIP_REPORT": texts(encode_report(StageReport(StageName.DECODE, 0.0, 1.0)))}, "another stage's"),
        ({"IMAGE_FACTS": texts(b"[]")}, ""),
        ({"IMAGE_FACTS": texts(b"{")}, ""),
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_an_error_and_never_evidence(changed, said):
    with pytest.raises(GatepostError) as caught:
        decode_evidence(answer("a", **changed))
    assert caught.value.code is ErrorCode.INTERNAL
    assert caught.value.reason is ErrorReason.MODEL_OUTPUT_INVALID
    assert said in caught.value.message


@pytest.mark.parametrize("name", [t.name for t in contract.ENSEMBLE_OUTPUTS if t is not contract.EMBEDDING])
def test_every_other_tensor_is_needed(name):
    arrays = answer("a")
    del arrays[name]
    with pytest.raises(GatepostError, match=f"{name} is missing"):
        decode_evidence(arrays)
