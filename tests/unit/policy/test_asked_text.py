"""The spans, the score of off_script and the decision say the same; what decorates is let pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.asked import SpanKind
from gatepost_server.domain.decision import ReasonCode
from gatepost_server.domain.evidence import Fused
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.asked import MISSING, with_quoted
from gatepost_server.policy.book import open_book
from gatepost_server.policy.judge import judge
from gatepost_server.policy.load import PolicyError
from tests.builders import evidence, line, request
from tests.unit.policy.policy_text import policy

ALLOW, REVIEW, BLOCK = Decision.ALLOW, Decision.REVIEW, Decision.BLOCK
CARD = open_book().get("greeting-card")
ASKED = ("新年快乐,仕途顺遂",)


def card(*texts: str, scores: dict[str, float] | None = None, confidence: float = 0.99):
    """Evidence of lines one below the other."""
    lines = []
    for place, text in enumerate(texts):
        top = 10.0 + 60.0 * place
        polygon = ((10.0, top), (10.0 + 40 * len(text), top), (10.0 + 40 * len(text), top + 40.0), (10.0, top + 40.0))
        lines.append(replace(line(text, confidence=confidence), polygon=polygon))
    return evidence(scores or {}, lines=lines)


def judged(seen, policy_, *asked: str):
    return judge(seen, request(expected_text=asked), policy_)


def test_a_card_as_it_was_asked_for_is_allowed_and_told_span_by_span():
    seen, judgement = judged(card("新年快樂", "仕途順遂"), CARD, *ASKED)
    assert judgement.decision is ALLOW
    assert judgement.asked_text is not None
    assert judgement.asked_text.asked == ASKED
    assert [span.kind for span in judgement.asked_text.spans] == [SpanKind.MATCHED, SpanKind.MATCHED]
    assert seen.fused[Category.OFF_SCRIPT] == Fused(0.0, "none")
    assert [each.expected for each in seen.lines] == [1.0, 1.0]


def test_another_text_goes_to_a_person_however_harmless():
    seen, judgement = judged(card("新年快乐", "今晚打老虎"), CARD, *ASKED)
    assert judgement.decision is REVIEW
    assert [(reason.category, reason.source) for reason in judgement.reasons] == [(Category.OFF_SCRIPT, "line:1")]
    assert seen.fused[Category.OFF_SCRIPT] == Fused(1.0, "line:1")
    assert seen.lines[1].expected == 0.0


@pytest.mark.parametrize("category", ["insult", "hate", "threat", "sexual", "ill_omen"])
def test_another_text_that_also_scores_above_review_is_blocked(category):
    seen = card("新年快乐", "今晚打老虎", scores={category: 0.55})
    assert judged(seen, CARD, *ASKED)[1].decision is BLOCK
    assert judged(card("新年快乐", "仕途顺遂", scores={category: 0.55}), CARD, *ASKED)[1].decision is REVIEW
    assert judged(card("今晚打老虎", scores={category: 0.45}), CARD, *ASKED)[1].decision is REVIEW


@given(
    st.lists(st.sampled_from(["新年快乐", "仕途顺遂", "今晚打老虎", "福", "2026", "年年有难", "hello"]), max_size=4),
    st.floats(0.0, 1.0),
)
def test_spans_score_and_reasons_always_agree(texts, confidence):
    seen, judgement = judged(card(*texts, confidence=confidence), CARD, *ASKED)
    unexpected = [span for span in judgement.asked_text.spans if span.kind is SpanKind.UNEXPECTED]
    score = seen.fused[Category.OFF_SCRIPT]
    assert score.score == max((span.score for span in unexpected), default=0.0)
    assert (score.source == "none") == (not unexpected)
    told = any(reason.category is Category.OFF_SCRIPT for reason in judgement.reasons)
    assert told == any(span.score >= 0.5 for span in unexpected)


def test_the_models_own_estimate_gives_way_to_the_spans():
    seen = card("新年快乐", scores={"off_script": 0.9})
    assert judged(seen, CARD, "新年快乐")[0].fused[Category.OFF_SCRIPT].score == 0.0


def test_where_nothing_was_asked_for_nothing_is_off_script():
    seen, judgement = judged(card("今晚打老虎"), CARD)
    assert judgement.asked_text is None
    assert judgement.decision is ALLOW
    assert seen == card("今晚打老虎")


def test_a_score_that_fusion_did_not_give_stays_missing():
    seen = card("新年快乐")
    broken = replace(seen, fused={**seen.fused, Category.OFF_SCRIPT: Fused(float("nan"), "none")})
    assert judged(broken, CARD, "新年快乐")[1].decision is Decision.HOLD


@pytest.mark.parametrize(
    "text",
    [
        "福",
        "囍",
        "2026",
        "2026年",
        "2026.01.29",
        "二〇二六年",
        "丙午年",
        "正月初一",
        "Jan 1, 2026",
        "1st of January",
        "喜 喜",
        "福 2026",
    ],
)
def test_lucky_characters_and_dates_are_decoration(text):
    _, judgement = judged(card("新年快乐", text), CARD, "新年快乐")
    assert judgement.decision is ALLOW
    assert {span.kind for span in judgement.asked_text.spans} <= {SpanKind.MATCHED, SpanKind.DECORATIVE}


def test_decoration_is_a_setting():
    bare = policy(asked_text={"decorative": {"texts": [], "dates": False}})
    signed = policy(asked_text={"decorative": {"brand": ["CardMaker"], "texts": ["恭贺新禧"]}})
    assert judged(card("新年快乐", "2026年"), bare, "新年快乐")[1].decision is REVIEW
    for text in ("CARDMAKER", "Made with CardMaker", "© CardMaker", "CardMaker 出品", "恭賀新禧"):
        assert judged(card("新年快乐", text), signed, "新年快乐")[1].decision is ALLOW
        assert judged(card("新年快乐", text + "今晚打老虎"), signed, "新年快乐")[1].decision is REVIEW


def test_a_line_of_the_allow_list_is_decoration():
    listed = policy(allow_list=[{"id": "ok", "text": "今晚打老虎"}])
    seen, judgement = judged(card("新年快乐", "今晚打老虎！"), listed, "新年快乐")
    assert judgement.decision is ALLOW
    assert judgement.asked_text.spans[1].kind is SpanKind.DECORATIVE
    assert seen.fused[Category.OFF_SCRIPT].score == 0.0


def test_a_missing_text_is_told_and_the_policy_says_what_becomes_of_it():
    _, judgement = judged(card("新年快乐"), CARD, *ASKED)
    assert judgement.decision is ALLOW
    assert [span.asked for span in judgement.asked_text.missing] == ["仕途顺遂"]
    _, minded = judged(card("新年快乐"), policy(asked_text={"missing": "BLOCK"}), *ASKED)
    assert minded.decision is BLOCK
    assert [(reason.code, reason.category, reason.detail) for reason in minded.reasons] == [
        (ReasonCode.RULE, Category.OFF_SCRIPT, MISSING)
    ]


def test_what_a_prompt_quotes_is_asked_for_where_the_policy_says_so():
    asked = request(prompt="贺卡，写着“新年快乐”", expected_text=("仕途顺遂",))
    assert with_quoted(asked, policy()) == asked
    quoting = policy(asked_text={"quoted_in_prompt": True})
    assert with_quoted(asked, quoting).expected_text == ("仕途顺遂", "新年快乐")
    assert with_quoted(request(prompt="贺卡"), quoting).expected_text == ()


@pytest.mark.parametrize(
    "wrong", [{"missing": "ALLOW"}, {"decorative": ["福"]}, {"quoted": True}, {"decorative": {"dates": "yes"}}]
)
def test_a_mistake_in_the_settings_is_refused(wrong):
    with pytest.raises(PolicyError, match="asked_text"):
        policy(asked_text=wrong)
