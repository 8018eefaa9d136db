"""Protobuf to the SDK's values, requests to protobuf."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import UTC, datetime
from typing import get_type_hints

import pytest
from google.protobuf.descriptor import EnumDescriptor

from gatepost.v1 import moderation_pb2, verdict_pb2
from gatepost_client import (
    About,
    AskedSpan,
    Background,
    Category,
    Decision,
    Ground,
    InvalidRequest,
    Item,
    PeoplesAnswer,
    ReasonCode,
    ServerError,
    SpanKind,
    Tightening,
    Turn,
    Urgency,
)
from gatepost_client._answers import verdict_of
from gatepost_client._convert import verdict_from_proto
from gatepost_client.requests import build_request, check_item
from gatepost_client.testing import verdict


def full_verdict() -> verdict_pb2.Verdict:
    """A verdict with everything set."""
    message = verdict(Decision.BLOCK, Category.INSULT, text="去死吧")
    message.name, message.request_id, message.ticket = "verdicts/1", "card-7", "ticket"
    message.lines[0].expected_similarity = 0.0
    message.lines[0].matches.append("insult:去死")
    message.image_findings.add(
        category=verdict_pb2.CATEGORY_WEAPONS,
        score=0.5,
        top_left=verdict_pb2.Point(x=1, y=2),
        bottom_right=verdict_pb2.Point(x=3, y=4),
    )
    message.image.MergeFrom(
        verdict_pb2.ImageFacts(
            sha256="ab" * 32, pdq="cd" * 32, pdq_quality=90, width=10, height=20, format="GIF", frames=2
        )
    )
    message.image.views.add(frame=1, background=verdict_pb2.View.BACKGROUND_BLACK)
    message.coverage.stages.add(stage="decode", looked_at={"frames": 2}).skipped.add(what="frame 1", why="same")
    message.coverage.missing_stages.append("clip")
    message.coverage.scripts.update({"Hani": 2, "Cyrl": 1})
    message.coverage.unjudged_scripts.append("Cyrl")
    message.models.add(name="ocr", version="6")
    message.user_message.MergeFrom(verdict_pb2.LocalizedText(locale="zh-CN", text="请再试一次"))
    message.create_time.FromSeconds(1_800_000_000)
    message.annotated_image = b"png"
    message.embedding.extend([0.6, 0.8])
    message.record = b"{}"
    message.prompt_similarity = 0.25
    message.asked_text.asked.append("新年快乐")
    message.asked_text.spans.add(
        kind=verdict_pb2.AskedSpan.KIND_UNEXPECTED,
        asked="新年快乐",
        drawn="去死吧",
        similarity=0.25,
        score=1.0,
        polygons=[verdict_pb2.Polygon(points=[verdict_pb2.Point(x=1, y=2)])],
        lines=[0],
    )
    message.tightening.MergeFrom(verdict_pb2.Tightening(factor=0.75, grounds=["abuse"]))
    message.people.MergeFrom(
        verdict_pb2.PeoplesAnswer(
            decision=verdict_pb2.DECISION_BLOCK, appealed=True, ground=verdict_pb2.PeoplesAnswer.GROUND_REQUEST
        )
    )
    message.people.decide_time.FromSeconds(1_800_000_000)
    message.decision = verdict_pb2.DECISION_HOLD  # nothing else can be pending
    message.pending = True
    return message


def members(descriptor: EnumDescriptor, prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in descriptor.values_by_name} - {"UNSPECIFIED"}


def test_the_enumerations_are_those_of_the_wire() -> None:
    own = {"UNSPECIFIED", "REQUEST_FAILED"}
    assert members(verdict_pb2.Decision.DESCRIPTOR, "DECISION_") == set(Decision.__members__)
    assert members(verdict_pb2.Category.DESCRIPTOR, "CATEGORY_") == set(Category.__members__) - own
    assert members(verdict_pb2.ReasonCode.DESCRIPTOR, "REASON_CODE_") == set(ReasonCode.__members__) - own
    assert members(verdict_pb2.View.Background.DESCRIPTOR, "BACKGROUND_") == set(Background.__members__) - own
    assert members(verdict_pb2.AskedSpan.Kind.DESCRIPTOR, "KIND_") == set(SpanKind.__members__) - own


def test_nothing_of_a_full_verdict_is_lost() -> None:
    message = full_verdict()
    assert {field.name for field, _ in message.ListFields()} == {*message.DESCRIPTOR.fields_by_name}
    value = verdict_from_proto(message)
    empty = {field.name for field in dataclasses.fields(value) if not getattr(value, field.name)}
    assert empty == {"error"}  # gate()'s own
    assert value.lines[0].expected == 0.0
    assert value.image is not None
    assert value.image.views[0].background is Background.BLACK
    assert value.image_findings[0].region == (1, 2, 3, 4)
    assert value.coverage.stages[0].skipped[0].why == "same"
    assert value.asked_text is not None
    (span,) = value.asked_text.of(SpanKind.UNEXPECTED)
    assert span == AskedSpan(SpanKind.UNEXPECTED, "新年快乐", "去死吧", 0.25, 1.0, (((1.0, 2.0),),), (0,))
    assert value.tightening == Tightening(0.75, ("abuse",))
    assert value.people == PeoplesAnswer(
        decided=datetime(2027, 1, 15, 8, tzinfo=UTC), appealed=True, ground=Ground.REQUEST
    )
    assert value.created is not None
    assert value.created.isoformat() == "2027-01-15T08:00:00+00:00"


def test_a_verdict_becomes_json_and_survives_pickling() -> None:
    value = verdict_from_proto(full_verdict())
    described = json.loads(json.dumps(value.to_dict()))
    left_out = {"annotated_image", "embedding", "record", "error"}
    renamed = {"timings_ms": "timing_ms"}
    assert set(described) == {
        renamed.get(field.name, field.name) for field in dataclasses.fields(value) if field.name not in left_out
    }
    assert described["scores"] == {"insult": 0.99}
    assert described["lines"][0]["expected"] == 0.0
    assert described["asked_text"]["spans"][0]["kind"] == "unexpected"
    assert described["tightening"] == {"factor": 0.75, "grounds": ["abuse"]}
    assert described["people"]["decided"] == "2027-01-15T08:00:00+00:00"
    assert pickle.loads(pickle.dumps(value)) == value


def test_what_a_newer_server_knows_is_unspecified_and_keeps_the_gravest_score() -> None:
    message = verdict_pb2.Verdict()
    message.decision = 77  # type: ignore[assignment]
    for score in (0.2, 0.9, 0.1):
        message.scores.add(score=score).category = 77  # type: ignore[assignment]
    message.reasons.add().code = 77  # type: ignore[assignment]
    value = verdict_from_proto(message)
    assert value.decision is Decision.HOLD
    assert value.scores == {Category.UNSPECIFIED: pytest.approx(0.9)}
    assert value.reasons[0].code is ReasonCode.UNSPECIFIED


def test_an_answer_without_a_verdict_is_a_servers_error() -> None:
    with pytest.raises(ServerError) as caught:
        verdict_of(moderation_pb2.ModerateResponse(), "card-7")
    assert (caught.value.reason, caught.value.request_id) == ("ANSWER_MALFORMED", "card-7")


@pytest.mark.parametrize("other", ["card-8", ""])
def test_no_image_is_shown_on_the_verdict_of_another(other: str) -> None:
    response = moderation_pb2.ModerateResponse(verdict=verdict())
    response.verdict.request_id = other
    with pytest.raises(ServerError, match="another request"):
        verdict_of(response, "card-7")


def test_a_verdict_of_no_calendars_time_is_a_servers_error() -> None:
    response = moderation_pb2.ModerateResponse(verdict=verdict())
    response.verdict.request_id = "card-7"
    response.verdict.create_time.seconds = 2**62
    with pytest.raises(ServerError):
        verdict_of(response, "card-7")


def test_moderate_and_moderate_stream_take_the_same_arguments() -> None:
    hints = get_type_hints(Item)
    assert {field.name for field in dataclasses.fields(Item)} - {"image"} == set(get_type_hints(About))
    assert {name: hints[name] for name in get_type_hints(About)} == get_type_hints(About)


def test_every_field_of_the_request_can_be_set() -> None:
    item = Item(
        b"image",
        prompt="p",
        expected_text=["e"],
        turns=[Turn("user", "t")],
        turn_count=2,
        locale="en",
        policy="strict",
        labels={"k": "v"},
        embedding=True,
        subject="user-4711",
        urgency=Urgency.RESCAN,
    )
    check_item(item)
    request = build_request(item, request_id="card-7", max_message_bytes=10**6)
    fields = {field.name for field, _ in request.ListFields()}
    assert fields == set(request.DESCRIPTOR.fields_by_name) - {"image_uri"}


@pytest.mark.parametrize(
    "item",
    [
        Item(b"x", turns=[Turn("system", "t")]),
        Item(b"x", turn_count=-1),
        Item(b"x", turn_count=2**32),
    ],
)
def test_values_that_the_wire_cannot_carry_are_mistakes(item: Item) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        check_item(item)


def test_long_texts_count_towards_the_longest_message() -> None:
    with pytest.raises(InvalidRequest) as caught:
        build_request(Item(b"x", prompt="y" * 100), request_id="", max_message_bytes=100)
    assert caught.value.reason == "MESSAGE_TOO_LARGE"
