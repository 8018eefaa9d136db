"""What columns say is what the gateway's own function says, on ten thousand random evidences and many policies."""

from __future__ import annotations

import pytest

from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.asked import with_quoted
from gatepost_server.policy.book import open_book
from gatepost_server.policy.grounds import BY_GRAVITY
from gatepost_server.policy.judge import judge
from gatepost_server.rescan.replay.many import Judge, grave_grounds
from gatepost_server.rescan.replay.results import Batch
from tests.unit.policy.policy_text import policy
from tests.unit.rescan.random_results import SIGNS, sample, stored, table_of

COUNT, SHARE = 10_000, 8
CARD = open_book().get("greeting-card")
EVERY_CATEGORY = {category.value: {"review": 0.4, "block": 0.8} for category in Category}


def rule(expression: str, decision: str = "BLOCK"):
    return policy(rules=[{"name": "tried", "expression": expression, "decision": decision}])


POLICIES = {
    "shipped": CARD,
    "strict": open_book().get("strict"),
    "lower": policy(thresholds=EVERY_CATEGORY),
    "lists": policy(
        block_list=[
            {"id": "horse", "text": "草泥马", "category": "insult"},
            {"id": "ass", "text": "ass", "decision": "REVIEW"},
            {"id": "disguised", "text": "傻逼", "decision": "HOLD"},
        ],
        allow_list=[{"id": "mark", "text": "made with cardmaker"}, {"id": "luck", "text": "福"}],
        thresholds=EVERY_CATEGORY,
    ),
    "tolerant": policy(
        mandatory_stages=["ocr_recognize", "text_toxicity", "fusion"],
        tolerated_skips=["could not"],
        tolerated_scripts=["Cyrl"],
    ),
    "asked": policy(asked_text={"quoted_in_prompt": True, "missing": "REVIEW", "decorative": {"dates": False}}),
    "conversation": policy(
        conversation={"long": {"turns": 3, "factor": 0.8}, "frustration": 0.9, "abuse": 0.5},
        thresholds=EVERY_CATEGORY,
    ),
    "many rules": policy(
        rules=[
            {"name": name, "expression": expression, "decision": decision}
            for name, expression, decision in (
                ("reckoned", "(scores.insult + scores.hate) / 2.0 > 0.3 * tightening && !expected_given", "BLOCK"),
                ("lines", "lines.exists(l, l.scores.insult >= 0.5 && l.confidence > image_scores.hate)", "REVIEW"),
                ("all", "lines.all(line, line.text.size() < 3 || line.scores.spam > 0.1) && off_script > 0.2", "HOLD"),
                ("expected", "lines.exists(l, has(l.expected) && l.expected < 0.3) && text_scores.threat > 0.5", "BLOCK"),
                ("prompt", "has(prompt.similarity) && prompt.similarity < 0.0 || image.width < 100", "REVIEW"),
                ("error", "prompt.similarity < 0.1 && scores.drugs > 0.4", "HOLD"),
                ("texts", "joined_text.contains('Happy') && 'app' in labels && scores.spam >= 0.2", "BLOCK"),
                ("says", "joined_text.contains('Happy') || joined_text.startsWith('福') && scores.insult < 0.1", "REVIEW"),
                ("each", "lines.exists(l, l.text.endsWith('快乐') && l.language != 'zh' && joined_text != 'a')", "HOLD"),
                ("form", "image.format == \"PNG\" && 'GIF' != image.format && scores.hate > 0.6", "BLOCK"),
                ("escaped", "joined_text.contains('\\u65b0') && scores.sexual > 0.45", "REVIEW"),
                ("small", "size(lines) == 1 && size(joined_text) > 8 && image.pdq_quality >= 50", "REVIEW"),
            )
        ]
    ),
}  # fmt: skip


def whole(table) -> Batch:
    """All of a table as a batch."""
    return Batch(table, lambda places, names: table.select(names).take(places).to_pylist())


@pytest.fixture(scope="module")
def results():
    """Evidence that was judged under the shipped policy, as a re-scan stores it."""
    samples = [sample(seed) for seed in range(COUNT)]
    return samples, table_of([stored(number, *each, CARD) for number, each in enumerate(samples)])


@pytest.mark.parametrize("name", POLICIES)
def test_columns_say_what_the_gateway_says(results, name):
    samples, table = results
    if name != "shipped":  # that one on all of them, the others on a share each
        first = list(POLICIES).index(name)
        samples, table = samples[first::SHARE], table.take(list(range(first, COUNT, SHARE)))
    tried = POLICIES[name]
    decided = Judge(tried).judge(whole(table))
    decisions = set()
    for row, (seen, asked) in enumerate(samples):
        _, judgement = judge(seen, with_quoted(asked, tried), tried)
        assert BY_GRAVITY[decided.decisions[row]] is judgement.decision, (row, seen, asked, judgement.reasons)
        assert bool(grave_grounds(decided, row)) == (judgement.decision is not Decision.ALLOW)
        decisions.add(judgement.decision)
    assert len(decisions) >= 3  # the test would be worth little if all were alike
    assert decided.one_by_one < len(samples)


@pytest.mark.parametrize("name", ["shipped", "many rules"])
def test_evidence_judged_where_quotations_count_says_the_same_where_they_do_not(results, name):
    # Expected texts without a letter, beside a quotation: what the models made of those is not kept (docs/replay.md).
    samples = [(seen, asked) for seen, asked in results[0][::SHARE] if asked.expected_text != (SIGNS,)]
    tried = POLICIES[name]
    table = table_of([stored(number, *each, POLICIES["asked"]) for number, each in enumerate(samples)])
    decided = Judge(tried).judge(whole(table))
    told = [judge(seen, with_quoted(asked, tried), tried)[1].decision for seen, asked in samples]
    assert [BY_GRAVITY[place] for place in decided.decisions] == told
