"""Requests are refused before a model sees them, with the field that is at fault."""

from __future__ import annotations

import time

import pytest

from gatepost_server.domain.decision import Turn
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.moderate.limits import RequestLimits, check_fields, check_image
from tests.builders import request

LIMITS = RequestLimits()


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"prompt": "a" * (1 << 20)}, "TEXT_TOO_LONG", "prompt"),
        ({"prompt": "a" * 8_193}, "TEXT_TOO_LONG", "prompt"),
        ({"expected_text": ("ok", "a" * 1_025)}, "TEXT_TOO_LONG", "expected_text[1]"),
        ({"expected_text": ("a",) * 65}, "TOO_MANY_ITEMS", "expected_text"),
        ({"turns": (Turn("user", "a" * 8_193),)}, "TEXT_TOO_LONG", "turns[0].text"),
        ({"turns": (Turn("user", "a"),) * 257}, "TOO_MANY_ITEMS", "turns"),
        ({"labels": {str(index): "" for index in range(33)}}, "TOO_MANY_ITEMS", "labels"),
        ({"labels": {"k" * 65: ""}}, "TEXT_TOO_LONG", "labels"),
        ({"labels": {"k": "v" * 257}}, "TEXT_TOO_LONG", "labels"),
        ({"prompt": "a card\x00"}, "FIELD_INVALID", "prompt"),
        ({"expected_text": ("hello", "\x00fool")}, "FIELD_INVALID", "expected_text[1]"),
        ({"turns": (Turn("user", "\x00"),)}, "FIELD_INVALID", "turns[0].text"),
        ({"labels": {"tier": "free\x00"}}, "FIELD_INVALID", "labels"),
        ({"labels": {"tier\x00": ""}}, "FIELD_INVALID", "labels"),
        ({"locale": "!!"}, "LOCALE_UNKNOWN", "locale"),
        ({"locale": "xx"}, "LOCALE_UNKNOWN", "locale"),
        ({"locale": "en-" + "a" * 1_000_000}, "LOCALE_UNKNOWN", "locale"),
        ({"locale": "Klingon please"}, "LOCALE_UNKNOWN", "locale"),
        ({"locale": "zh\n"}, "LOCALE_UNKNOWN", "locale"),
        ({"request_id": ""}, "FIELD_INVALID", "request_id"),
        ({"request_id": "a" * 129}, "FIELD_INVALID", "request_id"),
        ({"request_id": "a b"}, "FIELD_INVALID", "request_id"),
        ({"request_id": "a\n"}, "FIELD_INVALID", "request_id"),
    ],
)
def test_a_request_beyond_the_limits_is_refused_in_milliseconds(changed, reason, field):
    asked = request(**changed)
    started = time.perf_counter()
    with pytest.raises(GatepostError) as caught:
        check_fields(asked, LIMITS)
    assert time.perf_counter() - started < 0.1
    assert (caught.value.code, caught.value.reason, caught.value.field) == ("INVALID_ARGUMENT", reason, field)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("locale", ["en", "zh-CN", "zh_CN", "zh-Hant-HK", "pt-BR", "tlh"])
def test_well_formed_locales_are_welcome_whether_there_are_messages_for_them_or_not(locale):
    check_fields(request(locale=locale), LIMITS)


def test_the_largest_allowed_request_is_welcome():
    check_fields(
        request(
            request_id="a" * 128,
            prompt="新" * 8_192,
            expected_text=("年" * 1_024,) * 64,
            turns=(Turn("user", "快" * 8_192),) * 256,
            labels={f"{index:064}": "v" * 256 for index in range(32)},
        ),
        LIMITS,
    )


@pytest.mark.parametrize(
    ("size", "reason"), [(0, ErrorReason.IMAGE_EMPTY), ((20 << 20) + 1, ErrorReason.IMAGE_TOO_LARGE)]
)
def test_images_of_a_wrong_size_are_refused(size, reason):
    with pytest.raises(GatepostError) as caught:
        check_image(bytes(size), LIMITS)
    assert (caught.value.code, caught.value.reason, caught.value.field) == (ErrorCode.INVALID_ARGUMENT, reason, "image")
    check_image(bytes(20 << 20), LIMITS)
