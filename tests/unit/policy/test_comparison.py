"""Judgements of two policies, counted one by one."""

from __future__ import annotations

from dataclasses import replace

from gatepost_server.domain.decision import Reason, ReasonCode
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.comparison import EXAMPLES, Comparison, Example
from tests.unit.records.backlog_contract import allowed

ALLOWED = allowed().judgement
SCORED = Reason(ReasonCode.SCORE, Decision.BLOCK, Category.INSULT, 0.9, 0.8)
RULED = Reason(ReasonCode.RULE, Decision.REVIEW, detail="no-spirits")
BLOCKED = replace(ALLOWED, decision=Decision.BLOCK, reasons=(SCORED, RULED))
REVIEWED = replace(ALLOWED, decision=Decision.REVIEW, reasons=(RULED,))


def test_what_stays_is_counted_and_what_flips_rests_on_the_graver_of_the_two():
    found = Comparison()
    found.count(ALLOWED, ALLOWED, name="verdicts/1", tenant="cards")
    found.count(ALLOWED, BLOCKED, name="verdicts/2", tenant="cards")
    found.count(REVIEWED, ALLOWED, name="verdicts/3", tenant="posters")
    assert (found.rows, found.flipped.count) == (3, 2)
    assert found.by_ground == {"insult": {("ALLOW", "BLOCK"): 1}, "rule:no-spirits": {("REVIEW", "ALLOW"): 1}}
    assert found.by_tenant["posters"] == {("REVIEW", "ALLOW"): 1}
    assert found.examples["ALLOW", "BLOCK"] == [Example("verdicts/2", "", "cards", ("insult",))]


def test_a_few_examples_are_kept_of_each_kind():
    found = Comparison()
    for number in range(EXAMPLES + 3):
        found.count(ALLOWED, BLOCKED, name=f"verdicts/{number}", tenant="cards")
    assert (found.flips["ALLOW", "BLOCK"], len(found.examples["ALLOW", "BLOCK"])) == (EXAMPLES + 3, EXAMPLES)
