"""From a verdict to what pages show of it."""

from __future__ import annotations

from dataclasses import replace

from gatepost_server.console.views.boxes import overlay_of
from gatepost_server.console.views.grounds import Rest, grounds, rest_of
from gatepost_server.console.views.scale import scale_of
from gatepost_server.domain.decision import Reason, ReasonCode, Tightening
from gatepost_server.domain.evidence import Fused
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.book import open_book
from tests.builders import evidence, line
from tests.unit.records.backlog_contract import allowed

POLICY = open_book().get("")


def verdict(seen, *reasons, version=POLICY.version, tightening=None):
    before = allowed()
    judgement = replace(
        before.judgement, reasons=reasons, policy=POLICY.name, policy_version=version, tightening=tightening
    )
    return replace(before, evidence=seen, judgement=judgement)


def test_a_score_rests_on_a_line_the_lines_together_the_picture_or_an_example():
    seen = evidence(lines=[line("you"), line("fool")])
    assert rest_of("line:1", seen) == Rest("line", 2, "fool")
    assert rest_of("joined", seen) == Rest("joined", text="you fool")
    assert rest_of("image", seen) == Rest("image")
    assert rest_of("text+image", seen) == Rest("text_image")
    assert rest_of("bank:abc", seen) == Rest("bank", entry="abc")
    for source in ("none", "", "line:7"):
        assert rest_of(source, seen) == Rest("none")
    assert rest_of("line:0", None) == Rest("none")


def test_a_rule_is_shown_as_the_policy_has_it():
    name = POLICY.document.rules[0].name
    reason = Reason(ReasonCode.RULE, Decision.BLOCK, detail=name)
    found = grounds(verdict(evidence(), reason, Reason(ReasonCode.SCORE, Decision.BLOCK, detail=name)), POLICY)
    assert found[0].rule == POLICY.document.rules[0].expression
    assert found[1].rule == ""
    assert grounds(verdict(evidence(), reason), None)[0].rule == ""


def test_scores_stand_on_the_thresholds_with_what_decided_first():
    scale = scale_of(verdict(evidence({"spam": 0.9, "insult": 0.85, "threat": 0.6, "hate": 0.2})), POLICY)
    assert [(mark.category, mark.reached) for mark in scale.marks[:4]] == [
        (Category.INSULT, Decision.BLOCK),
        (Category.SPAM, Decision.REVIEW),  # which the policy never blocks
        (Category.THREAT, Decision.REVIEW),
        (Category.HATE, Decision.ALLOW),
    ]
    assert (scale.marks[0].review, scale.marks[0].block) == (0.5, 0.8)
    assert (scale.factor, scale.changed) == (1.0, False)


def test_a_conversation_that_tightened_the_policy_moves_the_thresholds():
    scale = scale_of(verdict(evidence({"insult": 0.45}), tightening=Tightening(0.8, ("turns",))), POLICY)
    assert scale.marks[0].reached is Decision.REVIEW
    assert scale.marks[0].review == 0.4


def test_a_policy_that_changed_or_went_away_is_said_so():
    assert scale_of(verdict(evidence(), version="0" * 16), POLICY).changed
    gone = scale_of(verdict(evidence({"insult": 0.9})), None)
    assert gone.changed
    assert gone.marks[0].review is None


def test_a_score_that_is_no_number_stands_nowhere():
    seen = evidence({"insult": 0.9})
    broken = replace(seen, fused={**seen.fused, Category.INSULT: Fused(float("nan"), "image")})
    assert Category.INSULT not in {mark.category for mark in scale_of(verdict(broken), POLICY).marks}


def test_boxes_lie_over_the_lines_and_over_what_the_picture_shows():
    seen = evidence(
        {"insult": 0.9}, lines=[line("fool", insult=0.9), line("hello")], image_scores={"weapons": 0.7, "drugs": 0.1}
    )
    overlay = overlay_of(seen, scale_of(verdict(seen), POLICY))
    assert (overlay.width, overlay.height, overlay.unit) == (640, 480, 16.0)
    first, second = overlay.lines
    assert (first.number, first.points, first.x, first.y) == (1, "10,10 200,10 200,40 10,40", 10.0, 10.0)
    assert (first.category, first.reached) == (Category.INSULT, Decision.BLOCK)
    assert (second.category, second.reached) == (None, Decision.ALLOW)
    assert [(region.category, region.width, region.reached) for region in overlay.regions] == [
        (Category.WEAPONS, 64.0, Decision.REVIEW)
    ]
