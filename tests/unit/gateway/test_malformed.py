"""Bytes that protobuf refuses are told field by field."""

from __future__ import annotations

import pytest

from gatepost.v1 import moderation_pb2 as wire
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.malformed import tolerant_decoder

GOOD = wire.ModerateRequest(
    request_id="iii", prompt="ppp", expected_text=["fine", "eee"], labels={"kkk": "vvv"}, turns=[wire.Turn(text="ttt")]
)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"iii", "request_id"),
        (b"ppp", "prompt"),
        (b"eee", "expected_text[1]"),
        (b"ttt", "turns[0].text"),
        (b"kkk", "labels[0].key"),
        (b"vvv", "labels[0].value"),
    ],
)
def test_a_string_that_is_not_utf8_is_named(text, field):
    data = GOOD.SerializeToString().replace(text, b"\xff\xfe\xfd")
    error = tolerant_decoder(wire.ModerateRequest)(data)
    assert isinstance(error, GatepostError)
    assert (error.code, error.reason, error.field) == (
        ErrorCode.INVALID_ARGUMENT,
        ErrorReason.TEXT_NOT_UTF8,
        field,
    )


def test_one_inside_of_a_stream_message_is_named_with_its_path():
    data = wire.ModerateStreamRequest(request=GOOD).SerializeToString().replace(b"ppp", b"\xff\xff\xff")
    error = tolerant_decoder(wire.ModerateStreamRequest)(data)
    assert isinstance(error, GatepostError)
    assert error.field == "request.prompt"


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x12\xff", b"GET / HTTP/1.1\r\n"])
def test_garbage_is_an_invalid_argument_too(data):
    error = tolerant_decoder(wire.ModerateRequest)(data)
    assert isinstance(error, GatepostError)
    assert (error.code, error.reason) == (ErrorCode.INVALID_ARGUMENT, ErrorReason.FIELD_INVALID)


def test_a_good_message_is_decoded():
    assert tolerant_decoder(wire.ModerateRequest)(GOOD.SerializeToString()) == GOOD
