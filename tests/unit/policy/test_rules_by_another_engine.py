"""Rules say the same whoever runs them: our engine beside cel-python, over evidence of all kinds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import celpy
import pytest
from celpy.adapter import json_to_cel
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost_server.domain.evidence import Evidence, TextLine
from gatepost_server.domain.labels import CATEGORIES, Decision
from gatepost_server.policy.book import shipped_policies
from gatepost_server.policy.rules import compile_rule, variables_of
from tests.builders import evidence, line, request

OTHERS = (
    "text_scores.insult >= 0.5 && image_scores.weapons < 0.5 || expected_given",
    "lines.all(l, has(l.expected) && l.expected < 0.5 || l.scores.hate >= 0.5)",
    "lines.filter(l, l.confidence > 0.5).size() >= 2 || joined_text.contains('a')",
    "lines.exists_one(l, l.text.startsWith('福') || l.language == 'zh')",
    "lines.map(l, l.text.size()).exists(size, size == 1) ? turn_count > 3 : locale == 'en'",
    "scores.exists(name, scores[name] * tightening > 0.9) && !(off_script == 0.0)",
    "has(prompt.similarity) && prompt.similarity < 0.2 && image.width > 600 && image.format in ['PNG', 'GIF']",
    "has(labels.app) && labels.app.matches('^c.*s$') || 'tier' in labels",
    "skipped.exists(s, s.stage == 'decode' && s.why.endsWith('0'))",
    "1 / (turn_count - 3) >= 0",
)
RULES = [rule.expression for policy in shipped_policies() for rule in policy.document.rules] + list(OTHERS)
ENVIRONMENT = celpy.Environment()
# Compiled here: cel-python's compiler changes the interpreter's recursion limit, which hypothesis minds.
BY_CELPY = {expression: ENVIRONMENT.program(ENVIRONMENT.compile(expression)) for expression in RULES}

scores = st.one_of(st.sampled_from((0.0, 0.15, 0.45, 0.5, 0.9, 1.0)), st.floats(0.0, 1.0), st.just(float("nan")))
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ("福", "恭喜发财", "cards", "a")
)


@st.composite
def lines(draw: st.DrawFn) -> TextLine:
    read = line(
        draw(texts),
        confidence=draw(scores),
        expected=draw(st.none() | scores),
        **draw(st.dictionaries(st.sampled_from([category.value for category in CATEGORIES]), scores, max_size=3)),
    )
    return replace(read, language=draw(st.sampled_from(("zh", "en", "und"))))


@st.composite
def everything_seen(draw: st.DrawFn) -> dict[str, Any]:
    some_scores = st.dictionaries(st.sampled_from(CATEGORIES), scores, max_size=12)
    seen: Evidence = evidence(
        lines=draw(st.lists(lines(), max_size=5)),
        image_scores=draw(some_scores),
        prompt_similarity=draw(st.none() | st.floats(-1.0, 1.0)),
    )
    asked = request(
        locale=draw(st.sampled_from(("en", "zh-CN"))),
        turn_count=draw(st.integers(0, 6)),
        labels=draw(st.dictionaries(st.sampled_from(("app", "tier")), texts, max_size=2)),
        expected_text=tuple(draw(st.lists(texts, max_size=2))),
    )
    return dict(variables_of(seen, asked, draw(some_scores), factor=draw(st.sampled_from((1.0, 0.9, 0.5)))))


def by_celpy(expression: str, variables: dict[str, Any]) -> bool | None:
    try:
        value = BY_CELPY[expression].evaluate({name: json_to_cel(value) for name, value in variables.items()})
    except CELEvalError:
        return None
    return bool(value) if isinstance(value, BoolType) else None


@pytest.mark.parametrize("expression", RULES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(variables=everything_seen())
def test_a_rule_holds_of_the_same_evidence_as_by_cel_python(expression: str, variables: dict[str, Any]) -> None:
    rule = compile_rule("rule", expression, Decision.BLOCK)
    assert rule.holds(variables) is by_celpy(expression, variables)


def test_what_neither_engine_can_tell_is_unknown_to_both() -> None:
    variables = dict(variables_of(evidence(), request(turn_count=3), {}))
    expression = "1 / (turn_count - 3) >= 0"
    assert by_celpy(expression, variables) is None
    assert compile_rule("rule", expression, Decision.BLOCK).holds(variables) is None
