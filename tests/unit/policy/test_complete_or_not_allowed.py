"""From a complete ALLOW, take away or garble any one piece: never ALLOW.

First the arrays, as Triton gives them, through the codec; then the evidence, as any scorer or record may give it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.labels import CATEGORIES, Decision, StageName
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.tensors import contract
from gatepost_server.tensors.codec import decode_evidence
from tests.builders import request
from tests.ensemble_answers import complete_answer, looked_at

Arrays = Mapping[str, np.ndarray[Any, Any]]

SOME = settings(max_examples=25)  # of each tensor

ASKED = request(prompt="a birthday card")
POLICIES = [open_book().get(name) for name in ("greeting-card", "strict")]
LINES = st.lists(st.sampled_from(["Happy Birthday", "生日快乐", "to you", "2027"]), min_size=1, max_size=4, unique=True)
REPORTS = [stage.report.name for stage in contract.STAGES]
# The embedding is for callers who asked for it; nothing is judged by it.
TENSORS = [tensor.name for tensor in contract.ENSEMBLE_OUTPUTS if tensor is not contract.EMBEDDING]


def decided(arrays: Arrays, policy) -> Decision:
    """HOLD stands for what the gateway makes of an answer that cannot be used: an error, which is no ALLOW."""
    try:
        return evaluate(decode_evidence(arrays), ASKED, policy).decision
    except GatepostError:
        return Decision.HOLD


def with_number(value: float) -> Callable[[np.ndarray], np.ndarray | None]:
    def garble(array: np.ndarray) -> np.ndarray | None:
        if array.dtype.kind != "f":
            return None
        changed = array.copy()
        changed.flat[0] = value
        return changed

    return garble


def far_above(array: np.ndarray) -> np.ndarray | None:
    return array + array.dtype.type(99) if array.dtype.kind == "i" else None


def as_text(garbled: bytes | str) -> Callable[[np.ndarray], np.ndarray | None]:
    def garble(array: np.ndarray) -> np.ndarray | None:
        if array.dtype != object:
            return None
        changed = array.copy()
        changed[0] = garbled
        return changed

    return garble


GARBLED: Mapping[str, Callable[[np.ndarray], np.ndarray | None]] = {
    "not a number": with_number(math.nan),
    "infinite": with_number(math.inf),
    "far below": with_number(-1e6),
    "far above": far_above,
    "one too few": lambda array: array[1:],
    "one too many": lambda array: np.concatenate([array, array[:1]]),
    "nothing": lambda array: array[:0],
    "a dimension more": lambda array: array[np.newaxis],
    "a dimension less": lambda array: array.reshape(-1) if array.ndim > 1 else None,
    "wider numbers": lambda array: array.astype(np.float64) if array.dtype.kind == "f" else None,
    "numbers for texts": lambda array: np.zeros(array.shape, np.float32) if array.dtype == object else None,
    "no UTF-8": as_text(b"\xff\xfe"),
    "no bytes": as_text("text"),
}
# What these hold may be anything finite: points are moved into the image, and unlikeness is none.
HARMLESS = {("POLYGON_POINTS", "far below"), ("IMAGE_REGIONS", "far below"), ("LINE_EXPECTED", "far below")}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@given(lines=LINES)
def test_a_complete_answer_is_allowed(policy, lines):
    assert decided(complete_answer(lines), policy) is Decision.ALLOW


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("name", TENSORS)
@SOME
@given(lines=LINES)
def test_without_any_one_tensor_nothing_is_allowed(policy, name, lines):
    arrays = complete_answer(lines)
    del arrays[name]
    assert decided(arrays, policy) is not Decision.ALLOW


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("name", TENSORS)
@SOME
@given(lines=LINES, how=st.sampled_from(list(GARBLED)))
def test_with_any_one_tensor_garbled_nothing_is_allowed(policy, name, lines, how):
    arrays = complete_answer(lines)
    garbled = GARBLED[how](arrays[name])
    assume(garbled is not None and (name, how) not in HARMLESS)
    assert decided({**arrays, name: garbled}, policy) is not Decision.ALLOW


@pytest.mark.parametrize("name", [*REPORTS, "IMAGE_FACTS"])
@given(lines=LINES, data=st.data())
def test_a_report_that_lacks_anything_or_is_cut_is_not_allowed(name, lines, data):
    arrays = complete_answer(lines)
    whole = arrays[name][0]
    fields = json.loads(whole)
    cut = data.draw(st.integers(0, len(whole) - 1))
    lost = data.draw(st.sampled_from(sorted(fields)))
    for changed in (whole[:cut], json.dumps({key: value for key, value in fields.items() if key != lost}).encode()):
        garbled = np.empty(1, object)
        garbled[0] = changed
        assert decided({**arrays, name: garbled}, POLICIES[0]) is not Decision.ALLOW


@given(lines=LINES, pair=st.permutations(REPORTS))
def test_a_stages_report_in_the_place_of_another_is_not_allowed(lines, pair):
    arrays = complete_answer(lines)
    first, second = pair[:2]
    assert decided({**arrays, first: arrays[second]}, POLICIES[0]) is not Decision.ALLOW


# --- evidence -----------------------------------------------------------------------------------

COUNTS = [
    (stage, what)
    for stage, counts in looked_at(1).items()
    for what in counts
    if what not in ("crops", "ornaments", "windows")  # told, and held against nothing
]


def with_count(evidence: Evidence, stage: StageName, change: Callable[[dict[str, int]], object]) -> Evidence:
    reports = []
    for report in evidence.reports:
        counts = dict(report.looked_at)
        if report.stage is stage:
            change(counts)
        reports.append(replace(report, looked_at=counts))
    return replace(evidence, reports=tuple(reports))


@given(
    lines=LINES,
    count=st.sampled_from(COUNTS),
    by=st.integers(-3, 3).filter(bool),
    policy=st.sampled_from(POLICIES),
)
def test_a_count_that_is_another_is_not_allowed(lines, count, by, policy):
    stage, what = count
    assume(count != (StageName.CLIP, "tiles"))  # any number that covers the views is right
    seen = decode_evidence(complete_answer(lines))
    changed = with_count(seen, stage, lambda counts: counts.update({what: counts[what] + by}))
    assert evaluate(changed, ASKED, policy).decision is not Decision.ALLOW


@given(
    lines=LINES,
    count=st.sampled_from([each for each in COUNTS if each[1] not in ("unread", "frames_alike", "frames_left_out")]),
)
def test_a_count_that_is_missing_is_not_allowed(lines, count):
    stage, what = count
    seen = decode_evidence(complete_answer(lines))
    changed = with_count(seen, stage, lambda counts: counts.pop(what))
    assert evaluate(changed, ASKED, POLICIES[0]).decision is not Decision.ALLOW


NO_PROBABILITY = st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 2.0, None])


def without_or_with(scores: Mapping, category, value) -> Mapping:
    """`value` in the place of a category's score; None takes it away."""
    return {key: score for key, score in {**scores, category: value}.items() if score is not None}


def garble_line_score(seen: Evidence, category, value) -> Evidence:
    line, *others = seen.lines
    return replace(seen, lines=(replace(line, scores=without_or_with(line.scores, category, value)), *others))


def garble_joined_score(seen: Evidence, category, value) -> Evidence:
    return replace(seen, joined_scores=without_or_with(seen.joined_scores, category, value))


def garble_fused(seen: Evidence, category, value) -> Evidence:
    fused = None if value is None else replace(seen.fused[category], score=value)
    return replace(seen, fused=without_or_with(seen.fused, category, fused))


@pytest.mark.parametrize("garble", [garble_line_score, garble_joined_score, garble_fused])
@given(lines=LINES, category=st.sampled_from(CATEGORIES), value=NO_PROBABILITY)
def test_a_score_that_is_missing_or_no_probability_is_not_allowed(garble, lines, category, value):
    seen = decode_evidence(complete_answer(lines))
    assert evaluate(garble(seen, category, value), ASKED, POLICIES[0]).decision is not Decision.ALLOW


@given(lines=LINES, data=st.data())
def test_without_any_one_part_of_the_evidence_nothing_is_allowed(lines, data):
    seen = decode_evidence(complete_answer(lines))
    lost = {
        "a line": replace(seen, lines=seen.lines[1:]),
        "a line's text": replace(seen, lines=(replace(seen.lines[0], text=""), *seen.lines[1:])),
        "the lines read together": replace(seen, joined_text=""),
        "likeness to the prompt": replace(seen, prompt_similarity=None),
        "a view": replace(seen, image=replace(seen.image, views=seen.image.views[:1])),
        "all views": replace(seen, image=replace(seen.image, views=())),
        "frames": replace(seen, image=replace(seen.image, frames=2)),
        **{
            f"report of {report.stage}": replace(seen, reports=tuple(r for r in seen.reports if r is not report))
            for report in seen.reports
        },
        **{
            f"nets of {report.stage}": replace(
                seen, reports=tuple(replace(r, models=()) if r is report else r for r in seen.reports)
            )
            for report in seen.reports
            if report.models
        },
    }
    what = data.draw(st.sampled_from(sorted(lost)))
    assert evaluate(lost[what], ASKED, POLICIES[0]).decision is not Decision.ALLOW, what
