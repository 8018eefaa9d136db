"""The judgement, by table. Nothing but complete and clean evidence is ALLOW."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.decision import ReasonCode
from gatepost_server.domain.evidence import Skipped
from gatepost_server.domain.labels import CATEGORIES, Category, Decision, StageName
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import GRAVITY, evaluate
from tests.builders import evidence, line, request
from tests.unit.policy.policy_text import policy

ALLOW, REVIEW, BLOCK, HOLD = Decision.ALLOW, Decision.REVIEW, Decision.BLOCK, Decision.HOLD
CARD = open_book().get("greeting-card")
STRICT = open_book().get("strict")


@pytest.mark.parametrize(
    ("scores", "default", "strict"),
    [
        ({}, ALLOW, ALLOW),
        ({"insult": 0.29}, ALLOW, ALLOW),
        ({"insult": 0.3}, ALLOW, REVIEW),
        ({"insult": 0.5}, REVIEW, REVIEW),
        ({"insult": 0.79}, REVIEW, BLOCK),
        ({"insult": 0.8}, BLOCK, BLOCK),
        ({"hate": 0.9}, BLOCK, BLOCK),
        ({"threat": 0.9}, BLOCK, BLOCK),
        ({"sexual": 0.9}, BLOCK, BLOCK),
        ({"violence": 0.9}, BLOCK, BLOCK),
        ({"self_harm": 0.9}, BLOCK, BLOCK),
        ({"hate_symbol": 0.9}, BLOCK, BLOCK),
        ({"drugs": 0.85}, REVIEW, BLOCK),
        ({"weapons": 0.9}, REVIEW, BLOCK),
        ({"weapons": 0.96}, BLOCK, BLOCK),
        ({"ill_omen": 0.9}, REVIEW, BLOCK),
        ({"spam": 1.0}, REVIEW, BLOCK),
        ({"off_script": 0.6}, REVIEW, REVIEW),
        ({"off_script": 1.0}, REVIEW, BLOCK),
        ({"off_script": 0.6, "insult": 0.55}, BLOCK, BLOCK),
        ({"off_script": 0.6, "hate": 0.55}, BLOCK, BLOCK),
        ({"off_script": 0.6, "threat": 0.55}, BLOCK, BLOCK),
        ({"off_script": 0.6, "sexual": 0.55}, BLOCK, BLOCK),
        ({"off_script": 0.6, "ill_omen": 0.55}, BLOCK, REVIEW),
        ({"off_script": 0.4, "insult": 0.55}, REVIEW, BLOCK),
        ({"insult": 0.2, "hate": 0.2, "threat": 0.2}, ALLOW, REVIEW),
    ],
)
def test_shipped_policies_decide(scores, default, strict):
    assert evaluate(evidence(scores), request(), CARD).decision is default
    assert evaluate(evidence(scores), request(), STRICT).decision is strict


@pytest.mark.parametrize("stage", list(StageName))
def test_an_image_that_a_mandatory_stage_did_not_see_is_held(stage):
    judgement = evaluate(evidence(without=[stage]), request(), CARD)
    assert judgement.decision is HOLD
    assert judgement.coverage.missing == (stage,)
    assert not judgement.coverage.complete
    assert [(reason.code, reason.detail) for reason in judgement.reasons] == [(ReasonCode.COVERAGE, stage)]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_held(score):
    assert evaluate(evidence({"insult": score}), request(), CARD).decision is HOLD


def test_a_category_without_a_score_is_held():
    seen = evidence()
    lacking = replace(seen, fused={c: f for c, f in seen.fused.items() if c is not Category.HATE})
    judgement = evaluate(lacking, request(), CARD)
    assert judgement.decision is HOLD
    assert judgement.reasons[0].category is Category.HATE


def test_evidence_of_harm_blocks_even_where_something_was_not_seen():
    judgement = evaluate(evidence({"insult": 0.9}, without=[StageName.CLIP]), request(), CARD)
    assert judgement.decision is BLOCK
    assert [reason.decision for reason in judgement.reasons] == [BLOCK, HOLD]


def test_what_a_mandatory_stage_left_out_goes_to_a_person_unless_it_is_tolerated():
    seen = evidence(skipped={StageName.OCR_DETECT: [Skipped("3 lines", "more than 256 lines")]})
    judgement = evaluate(seen, request(), policy())
    assert judgement.decision is REVIEW
    assert not judgement.coverage.complete
    assert judgement.coverage.skipped == (Skipped("3 lines", "more than 256 lines"),)
    assert evaluate(seen, request(), policy(tolerated_skips=["more than"])).decision is ALLOW


def test_reasons_come_gravest_first_and_say_what_they_rest_on():
    seen = evidence(
        {"insult": 0.9, "off_script": 0.6, "weapons": 0.7}, sources={"insult": "line:0", "off_script": "line:0"}
    )
    judgement = evaluate(seen, request(), CARD)
    assert [(r.decision, r.code, r.category, r.score, r.threshold, r.source, r.detail) for r in judgement.reasons] == [
        (BLOCK, ReasonCode.SCORE, Category.INSULT, 0.9, 0.8, "line:0", ""),
        (BLOCK, ReasonCode.RULE, None, None, None, "", "abuse-in-place-of-the-greeting"),
        (REVIEW, ReasonCode.SCORE, Category.WEAPONS, 0.7, 0.5, "image", ""),
        (REVIEW, ReasonCode.SCORE, Category.OFF_SCRIPT, 0.6, 0.5, "line:0", ""),
    ]


def test_a_block_list_entry_is_named_by_its_id_and_never_by_its_text():
    judging = policy(block_list=[{"id": "slogan", "text": "buy now", "category": "spam", "decision": "REVIEW"}])
    judgement = evaluate(evidence(lines=[line("BUY NOW")]), request(), judging)
    (reason,) = judgement.reasons
    assert judgement.decision is REVIEW
    assert (reason.code, reason.category, reason.source, reason.detail) == (
        ReasonCode.BLOCK_LIST,
        Category.SPAM,
        "line:0",
        "slogan",
    )


def test_a_rule_that_fails_sends_the_image_to_a_person():
    judging = policy(rules=[{"name": "fragile", "expression": "1 / (turn_count - 7) > 5", "decision": "BLOCK"}])
    judgement = evaluate(evidence(), request(turn_count=7), judging)
    assert judgement.decision is REVIEW
    assert [(reason.code, reason.detail) for reason in judgement.reasons] == [(ReasonCode.RULE, "fragile")]
    assert evaluate(evidence(), request(turn_count=9), judging).decision is ALLOW


class TestAllowList:
    """An entry clears its own line and nothing else."""

    POLICY = policy(allow_list=[{"id": "ok", "text": "killer sale"}])

    def decide(self, seen) -> Decision:
        return evaluate(seen, request(), self.POLICY).decision

    def test_a_score_that_rests_on_the_cleared_line_is_dropped(self):
        assert (
            self.decide(evidence({"insult": 0.9}, sources={"insult": "line:0"}, lines=[line("Killer Sale!")])) is ALLOW
        )

    def test_another_line_still_counts(self):
        lines = [line("killer sale", insult=0.95), line("you fool", insult=0.9)]
        assert self.decide(evidence({"insult": 0.95}, sources={"insult": "line:0"}, lines=lines)) is BLOCK

    def test_the_picture_still_counts(self):
        seen = evidence(
            {"insult": 0.9}, sources={"insult": "line:0"}, lines=[line("killer sale")], image_scores={"insult": 0.6}
        )
        assert self.decide(seen) is REVIEW

    def test_an_insult_over_several_lines_still_counts(self):
        lines = [line("killer sale"), line("you"), line("fool")]
        assert self.decide(evidence({"insult": 0.9}, sources={"insult": "joined"}, lines=lines)) is BLOCK

    def test_an_insult_over_several_lines_does_not_hide_behind_a_worse_line_that_is_cleared(self):
        lines = [line("killer sale", insult=0.95), line("you"), line("fool")]

        def decided(*read) -> Decision:
            seen = evidence({"insult": 0.95}, sources={"insult": "line:0"}, lines=read)
            return self.decide(replace(seen, joined_scores={**seen.joined_scores, Category.INSULT: 0.9}))

        assert decided(*lines) is BLOCK
        assert decided(lines[0]) is ALLOW  # nothing else to be read with it

    def test_words_and_picture_together_still_count(self):
        seen = evidence({"insult": 0.9}, sources={"insult": "text+image"}, lines=[line("killer sale")])
        assert self.decide(seen) is BLOCK

    def test_a_cleared_line_may_stand_though_nobody_asked_for_it(self):
        lines = [line("killer sale", expected=0.1), line("happy birthday", expected=0.95)]
        assert self.decide(evidence({"off_script": 0.9}, sources={"off_script": "line:0"}, lines=lines)) is ALLOW

    def test_but_not_another_line_that_nobody_asked_for(self):
        lines = [line("killer sale", expected=0.1), line("call now", expected=0.2)]
        assert self.decide(evidence({"off_script": 0.9}, sources={"off_script": "line:0"}, lines=lines)) is REVIEW


class TestMessages:
    """What the person who asked is told."""

    @pytest.mark.parametrize(
        ("locale", "language"),
        [
            ("en", "en"),
            ("en-GB", "en"),
            ("zh", "zh"),
            ("zh-CN", "zh"),
            ("zh-TW", "zh-Hant"),
            ("zh-Hant-HK", "zh-Hant"),
            ("fr", "en"),
            ("tlh", "en"),
        ],
    )
    def test_it_is_in_the_closest_language(self, locale, language):
        judgement = evaluate(evidence({"insult": 0.9}), request(locale=locale), CARD)
        assert judgement.user_locale == language
        assert judgement.user_message == CARD.document.messages[language].block.default

    def test_another_script_is_better_than_another_language(self):
        assert evaluate(evidence({"insult": 0.9}), request(locale="zh-TW"), STRICT).user_locale == "zh"

    def test_nothing_is_said_of_an_allowed_image(self):
        assert evaluate(evidence(), request(), CARD).user_message == ""

    def test_the_gravest_category_picks_the_words(self):
        judgement = evaluate(evidence({"self_harm": 0.9, "weapons": 0.6}), request(), CARD)
        assert "helpline" in judgement.user_message

    def test_it_never_repeats_what_was_read(self):
        seen = evidence({"insult": 0.9}, sources={"insult": "line:0"}, lines=[line("笨蛋滚开", insult=0.9)])
        judgement = evaluate(seen, request(locale="zh"), CARD)
        assert "笨蛋" not in repr(judgement.reasons) + judgement.user_message


@given(
    st.dictionaries(st.sampled_from(CATEGORIES), st.floats(0.0, 1.0)),
    st.sampled_from(CATEGORIES),
    st.floats(0.0, 1.0),
)
def test_more_harm_never_makes_a_decision_milder(scores, category, more):
    for judging in (CARD, STRICT):
        before = evaluate(evidence(scores), request(), judging).decision
        worse = {**scores, category: max(more, scores.get(category, 0.0))}
        assert GRAVITY[evaluate(evidence(worse), request(), judging).decision] >= GRAVITY[before]


@given(st.dictionaries(st.sampled_from(CATEGORIES), st.floats(0.0, 1.0)))
def test_the_same_evidence_is_judged_the_same(scores):
    shuffled = replace(evidence(scores), fused=dict(reversed(evidence(scores).fused.items())))
    assert evaluate(evidence(scores), request(), CARD) == evaluate(shuffled, request(), CARD)


def test_every_judgement_names_the_policy_that_made_it():
    judgement = evaluate(evidence(), request(), CARD)
    assert (judgement.policy, judgement.policy_version) == ("greeting-card", CARD.version)
    assert judgement.coverage.complete
