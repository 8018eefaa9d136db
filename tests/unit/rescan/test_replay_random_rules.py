"""Rules put together at random by seed: columns and CEL agree on every one of them, in every row."""

from __future__ import annotations

import random

from gatepost_server.domain.labels import Decision
from gatepost_server.policy.asked import with_quoted
from gatepost_server.policy.judge import judge
from gatepost_server.policy.rules import RuleError, compile_rule
from gatepost_server.rescan.replay.many import Judge
from gatepost_server.rescan.replay.results import Batch
from tests.unit.policy.policy_text import policy
from tests.unit.rescan.random_results import sample, stored, table_of

RULES, ROWS = 80, 400
NUMBERS = (
    "scores.hate",
    "scores.insult",
    "off_script",
    "text_scores.threat",
    "image_scores.spam",
    "tightening",
    "(scores.drugs + image_scores.hate)",
    "scores.spam * 2.0",
    "scores.hate / scores.insult",
)
COUNTS = ("size(lines)", "joined_text.size()", "image.width", "image.pdq_quality", "turn_count")
TRUTHS = (
    "expected_given",
    "(has(prompt.similarity) && prompt.similarity < 0.1)",
    "joined_text.contains('快乐')",
    "joined_text.matches('H.*y')",
    "'app' in labels",
    "('app' in labels && labels['app'] == 'cards')",
    "image.format == 'PNG'",
)
OF_LINES = (
    "l.confidence < 0.45",
    "l.scores.insult >= 0.4",
    "l.text.size() > 4",
    "l.text.startsWith('H')",
    "(has(l.expected) && l.expected < 0.5)",
    "scores.hate > l.scores.hate",
    "l.language == 'en'",
)


def expression(rng: random.Random, depth: int = 3) -> str:
    """A rule's condition."""
    if depth == 0 or rng.random() < 0.25:
        return atom(rng)
    match rng.randrange(4):
        case 0:
            return f"({expression(rng, depth - 1)} && {expression(rng, depth - 1)})"
        case 1:
            return f"({expression(rng, depth - 1)} || {expression(rng, depth - 1)})"
        case 2:
            return f"!{expression(rng, depth - 1)}"
    sign = rng.choice(("&&", "||"))
    return f"lines.{rng.choice(('exists', 'all'))}(l, {rng.choice(OF_LINES)} {sign} {rng.choice(OF_LINES)})"


def atom(rng: random.Random) -> str:
    sign = rng.choice(("<", "<=", ">", ">=", "==", "!="))
    match rng.randrange(3):
        case 0:
            return f"({rng.choice(NUMBERS)} {sign} {rng.choice((0.0, 0.1, 0.4, 0.5, 0.8))})"
        case 1:
            return f"({rng.choice(COUNTS)} {sign} {rng.choice((0, 1, 3, 90, 800))})"
    return rng.choice(TRUTHS)


def usable(rng: random.Random) -> str:
    """One that a policy takes: some fail where there is no prompt, or no text was asked for."""
    while True:
        text = expression(rng)
        try:
            compile_rule("tried", text, Decision.REVIEW)
        except RuleError:
            continue
        return text


def test_every_rule_holds_in_the_same_rows():
    rng = random.Random(20_261_123)
    rules = [{"name": f"r{at}", "expression": usable(rng), "decision": "REVIEW"} for at in range(RULES)]
    tried = policy(rules=rules, thresholds={"spam": {"review": 1.0}})
    samples = [sample(seed) for seed in range(50_000, 50_000 + ROWS)]
    reasons = [judge(seen, with_quoted(asked, tried), tried)[1].reasons for seen, asked in samples]
    table = table_of([stored(number, *each, tried) for number, each in enumerate(samples)])
    batch = Batch(table, lambda places, names: table.select(names).take(places).to_pylist())
    one_by_one = 0
    for rule in rules:
        alone = policy(rules=[rule], thresholds={"spam": {"review": 1.0}})
        decided = Judge(alone).judge(batch)
        one_by_one += decided.one_by_one
        held = decided.graves[:, decided.grounds.index(f"rule:{rule['name']}")] > 0
        assert held.tolist() == [any(each.detail == rule["name"] for each in of_row) for of_row in reasons], rule
    assert one_by_one < RULES * ROWS / 2  # the test would be worth nothing if CEL had answered itself
