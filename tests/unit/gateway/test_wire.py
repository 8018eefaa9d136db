"""Protobuf and domain say the same, and nothing is lost between them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.v1 import moderation_pb2, verdict_pb2
from gatepost_server.domain.asked import AskedSpan, AskedText, SpanKind
from gatepost_server.domain.decision import ReasonCode, Tightening, Turn, Verdict
from gatepost_server.domain.evidence import Skipped
from gatepost_server.domain.labels import CATEGORIES, Background, Category, Decision, StageName
from gatepost_server.gateway import wire
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.records.codec import verdict_from_json
from tests.builders import evidence, line, request


@pytest.mark.parametrize(
    ("words", "numbers", "enum"),
    [
        (Decision, wire.DECISIONS, verdict_pb2.Decision),
        (Category, wire.CATEGORY_NUMBERS, verdict_pb2.Category),
        (ReasonCode, wire.REASON_CODES, verdict_pb2.ReasonCode),
        (Background, wire.BACKGROUNDS, verdict_pb2.View.Background),
        (SpanKind, wire.SPAN_KINDS, verdict_pb2.AskedSpan.Kind),
    ],
)
def test_every_word_has_a_number_and_every_number_but_unspecified_a_word(words, numbers, enum):
    assert numbers.keys() == set(words)
    assert sorted(numbers.values()) == sorted(set(enum.values()) - {0})


def test_a_request_arrives_whole():
    message = moderation_pb2.ModerateRequest(
        request_id="r1",
        image=b"png",
        prompt="新年卡",
        expected_text=["快乐", "顺遂"],
        turns=[
            moderation_pb2.Turn(role=moderation_pb2.Turn.ROLE_ASSISTANT, text="Done"),
            moderation_pb2.Turn(text="More"),
        ],
        turn_count=5,
        locale="zh-CN",
        policy="strict",
        labels={"app": "cards"},
        extras=moderation_pb2.Extras(embedding=True),
    )
    assert wire.request_from_wire(message, request_id="r1") == request(
        request_id="r1",
        prompt="新年卡",
        expected_text=("快乐", "顺遂"),
        turns=(Turn("assistant", "Done"), Turn("user", "More")),
        turn_count=5,
        locale="zh-CN",
        policy="strict",
        labels={"app": "cards"},
        want_embedding=True,
    )


def test_without_a_locale_it_is_english():
    assert wire.request_from_wire(moderation_pb2.ModerateRequest(), request_id="r").locale == "en"


def verdict(seen) -> Verdict:
    judgement = evaluate(seen, request(), open_book().get(""))
    return Verdict("verdicts/1", "r1", judgement, seen, 1_700_000_000.25, {"total": 12.5})


ALL = moderation_pb2.Extras(evidence=True, embedding=True)


def test_a_verdict_leaves_whole():
    seen = evidence(
        {"insult": 0.9, "off_script": 0.6},
        sources={"insult": "line:0"},
        lines=[replace(line("You fool", insult=0.9, hate=0.005, expected=0.25), matches=("insult:fool",))],
        image_scores={"weapons": 0.4},
        skipped={StageName.DECODE: [Skipped("frame 7", "too many")]},
        prompt_similarity=-0.25,
    )
    message = wire.verdict_to_wire(verdict(replace(seen, embedding=(0.5, -0.5))), ALL)
    assert (message.name, message.request_id) == ("verdicts/1", "r1")
    assert message.decision == verdict_pb2.DECISION_BLOCK
    assert message.reasons[0].category == verdict_pb2.CATEGORY_INSULT
    assert message.reasons[0].score == pytest.approx(0.9)
    assert message.reasons[0].threshold == pytest.approx(0.8)
    assert message.reasons[0].source == "line:0"
    assert [score.category for score in message.scores] == list(range(1, len(CATEGORIES) + 1))
    sent = message.lines[0]
    assert [(point.x, point.y) for point in sent.polygon] == [(10, 10), (200, 10), (200, 40), (10, 40)]
    assert (sent.text, sent.normalized_text, sent.language, list(sent.matches)) == (
        "You fool",
        "you fool",
        "en",
        ["insult:fool"],
    )
    assert [score.category for score in sent.scores] == [verdict_pb2.CATEGORY_INSULT]  # 0.005 is noise
    assert sent.expected_similarity == 0.25
    assert sent.view.background == verdict_pb2.View.BACKGROUND_OPAQUE
    assert message.image_findings[0].category == verdict_pb2.CATEGORY_WEAPONS
    assert (message.image_findings[0].bottom_right.x, message.image_findings[0].bottom_right.y) == (64, 48)
    assert not message.coverage.complete
    assert (message.coverage.stages[0].skipped[0].what, message.coverage.stages[0].looked_at["views"]) == ("frame 7", 1)
    assert {model.name for model in message.models} == {f"net-{stage}" for stage in StageName}
    assert message.create_time.ToMilliseconds() == 1_700_000_000_250
    assert list(message.embedding) == [0.5, -0.5]
    assert message.prompt_similarity == -0.25
    assert message.user_message.locale == "en"


def test_spans_and_tightening_leave_whole_whatever_parts_are_asked_for():
    span = AskedSpan(SpanKind.UNEXPECTED, "", "滚", 0.25, 0.75, (((1.0, 2.0), (3.0, 4.0)),), (0,))
    given = verdict(evidence(lines=[line("滚")]))
    told = replace(
        given.judgement, asked_text=AskedText(("新年快乐",), (span,)), tightening=Tightening(0.75, ("turns", "abuse"))
    )
    message = wire.verdict_to_wire(replace(given, judgement=told), moderation_pb2.Extras())
    assert list(message.asked_text.asked) == ["新年快乐"]
    (sent,) = message.asked_text.spans
    assert (sent.kind, sent.asked, sent.drawn) == (verdict_pb2.AskedSpan.KIND_UNEXPECTED, "", "滚")
    assert (sent.similarity, sent.score, list(sent.lines)) == (0.25, 0.75, [0])
    assert [[(point.x, point.y) for point in one.points] for one in sent.polygons] == [[(1, 2), (3, 4)]]
    assert message.tightening.factor == 0.75
    assert list(message.tightening.grounds) == ["turns", "abuse"]
    bare = wire.verdict_to_wire(given, moderation_pb2.Extras())
    assert not bare.HasField("asked_text")
    assert not bare.HasField("tightening")


def test_costly_parts_stay_behind_unless_asked_for():
    seen = replace(evidence(lines=[line("Hi")], image_scores={"weapons": 0.4}), embedding=(1.0,))
    message = wire.verdict_to_wire(verdict(seen), moderation_pb2.Extras())
    assert not message.lines
    assert not message.image_findings
    assert not message.embedding
    assert message.scores


def test_what_is_kept_of_a_judgement_is_sent_where_asked_for_and_exact():
    seen = replace(evidence({"insult": 0.1 + 0.2}, lines=[line("滚", hate=0.005)]), embedding=(0.5, -0.5))
    given = replace(verdict(seen), ticket="secret")
    assert not wire.verdict_to_wire(given, ALL).record
    message = wire.verdict_to_wire(given, moderation_pb2.Extras(record=True))
    kept = verdict_from_json(message.record)
    assert kept == replace(given, evidence=replace(seen, embedding=()), ticket="")
    assert b"secret" not in message.record


def test_a_verdict_without_evidence_can_be_told():
    held = replace(verdict(evidence(without=[StageName.CLIP])), evidence=None)
    message = wire.verdict_to_wire(held, ALL)
    assert message.decision == verdict_pb2.DECISION_HOLD
    assert list(message.coverage.missing_stages) == ["clip"]
    assert not message.scores
