"""Every error becomes a complete google.rpc.Status."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.localized import MESSAGES
from gatepost_server.gateway.status import CODES, status_of


def details(error: GatepostError, **known: str) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for packed in status_of(error, **known).details:
        for kind in ("ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage"):
            message = getattr(error_details_pb2, kind)()
            if packed.Unpack(message):
                found[kind] = message
    return found


def test_the_map_of_codes_is_complete_and_means_the_same_on_the_wire():
    assert CODES.keys() == set(ErrorCode)
    assert all(code_pb2.Code.Name(number) == code.value for code, number in CODES.items())


def test_every_reason_has_words_for_people_in_english_and_chinese():
    assert MESSAGES.keys() == set(ErrorReason)
    assert all({"en", "zh"} <= texts.keys() for texts in MESSAGES.values())


@pytest.mark.parametrize("reason", list(ErrorReason))
@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_and_reason_can_be_told(code, reason):
    told = details(GatepostError(code, reason, "what happened", field="image"), request_id="r1")
    info = told["ErrorInfo"]
    assert (info.reason, info.domain) == (reason.value, "gatepost.dev")
    assert dict(info.metadata) == {"request_id": "r1", "field": "image"}
    assert told["LocalizedMessage"].message
    assert ("BadRequest" in told) is (code is ErrorCode.INVALID_ARGUMENT)
    assert ("RetryInfo" in told) is (code in (ErrorCode.RESOURCE_EXHAUSTED, ErrorCode.UNAVAILABLE))


def test_retry_info_says_when():
    error = GatepostError(ErrorCode.UNAVAILABLE, ErrorReason.DRAINING, "going", retry_after_s=2.5)
    assert details(error)["RetryInfo"].retry_delay.ToMilliseconds() == 2_500


@pytest.mark.parametrize(
    ("locale", "chosen"), [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-GB", "en"), ("fr", "en"), ("!!", "en"), ("", "en")]
)
def test_people_are_told_in_their_language_even_when_the_locale_itself_is_wrong(locale, chosen):
    error = GatepostError(ErrorCode.INTERNAL, ErrorReason.INTERNAL, "oops")
    assert details(error, locale=locale)["LocalizedMessage"].locale == chosen
