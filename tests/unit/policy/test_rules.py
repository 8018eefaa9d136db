"""CEL rules: checked when they are loaded, harmless when they fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost_server.domain.labels import Decision
from gatepost_server.policy.rules import RuleError, compile_rule, variables_of
from tests.builders import evidence, line, request


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 +", "not a CEL expression"),
        ("nope > 1", "unknown name 'nope'"),
        ("lines.exists(l, nope.text == '')", "unknown name 'nope'"),
        ("scores.insult", "gives double, not bool"),
        ("scores.insults > 0.5", "scores has no 'insults'; it has insult, hate"),
        ("turn_count > 100 && image.wide > 3", "image has no 'wide'"),
        ("scores['insults'] > 0.5", "fails on sample evidence"),
        ("lines.exists(l, l.nope > 1)", "fails on sample evidence"),
        ("prompt.similarity < 0.1", "fails on sample evidence"),  # there may be no prompt
        ("lines.exists(l, l.expected < 0.1)", "fails on sample evidence"),
        ("labels.app == 'x'", "fails on sample evidence"),  # callers may send no labels
        ("locale > 3", "confuses types: found no matching overload"),
        ("turn_count > 0.5", "no matching overload"),
        ("scores.insult > 0.5 || locale.nope()", "unknown name 'nope'"),
        ("scores.insult > 0.5 || 0.5 in [scores . insults]", "scores has no 'insults'"),
        ("scores.insult > 0.5 || has(scores.insults)", "scores has no 'insults'"),
    ],
)
def test_a_rule_that_could_fail_later_is_refused_at_load(expression, said):
    with pytest.raises(RuleError, match=said):
        compile_rule("rule", expression, Decision.BLOCK)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("scores.insult >= 0.5 && off_script >= 0.5", True),
        ("scores['insult'] > 0.7", False),
        ("text_scores.insult == 0.6 && image_scores.weapons == 0.4", True),
        ("lines.exists(l, l.text.contains('Fool') && l.confidence > 0.8)", True),
        ("lines.all(l, has(l.expected) && l.expected < 0.2)", True),
        ("lines.size() == 1 && joined_text == 'You Fool'", True),
        ("image.width == 640 && image.format in ['PNG', 'GIF'] && image.frames == 1", True),
        ("has(prompt.similarity) && prompt.similarity < 0.2", True),
        ("turn_count > 4", True),
        ("has(labels.app) && labels.app == 'cards'", True),
        ("'tier' in labels", False),
        ("locale == 'scores.nope' || true // scores.nope", True),
        ("lines.exists(l, l.text.size() == 8 && l.scores.insult > 0.5)", True),
        ("scores.size() == 12 && scores.exists(name, scores[name] > 0.65)", True),
        ("locale.startsWith('zh')", True),
        ("expected_given", True),
        ("skipped.exists(s, s.stage == 'ocr_detect')", False),
    ],
)
def test_rules_see_the_evidence_and_the_request(expression, holds):
    seen = evidence(
        lines=[line("You Fool", expected=0.1, insult=0.6)], image_scores={"weapons": 0.4}, prompt_similarity=0.1
    )
    asked = request(locale="zh-CN", turn_count=5, labels={"app": "cards"}, expected_text=("hello",))
    variables = variables_of(seen, asked, {"insult": 0.6, "off_script": 0.7})
    assert compile_rule("rule", expression, Decision.BLOCK).holds(variables) is holds


@pytest.mark.parametrize(
    "expression",
    [
        "joined_text.contains('fool')",
        "lines.exists(l, l.text.contains('fool'))",
        "lines.exists(l, l.normalized.contains('fool'))",
        "has(labels.tier) && labels.tier.endsWith('fool')",
    ],
)
def test_a_nul_hides_nothing_from_a_rule(expression):
    seen = replace(evidence(lines=[line("hi\x00fool")]), joined_text="hi\x00fool")
    variables = variables_of(seen, request(labels={"tier": "hi\x00fool"}), {})
    assert compile_rule("rule", expression, Decision.BLOCK).holds(variables) is True


def test_a_rule_that_fails_on_real_evidence_is_unknown_and_not_false():
    rule = compile_rule("rule", "1 / (turn_count - 7) >= 0", Decision.BLOCK)
    assert rule.holds(variables_of(evidence(), request(turn_count=7), {})) is None
    assert rule.holds(variables_of(evidence(), request(turn_count=8), {})) is True
