"""What a request may hold; anything else is refused before a model sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import langcodes

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import ErrorReason, invalid

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_SUBJECT = re.compile(r"[A-Za-z0-9._:/@+-]{0,128}")
_MAX_LOCALE = 64


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Most of everything. Lengths are characters, sizes bytes."""

    image_bytes: int = 20 << 20
    prompt: int = 8_192
    expected_text: int = 1_024
    expected_texts: int = 64
    turn: int = 8_192
    turns: int = 256
    labels: int = 32
    label_key: int = 64
    label_value: int = 256


def check_fields(request: ModerationRequest, limits: RequestLimits) -> None:
    """Everything but the image. Raises GatepostError (INVALID_ARGUMENT) that names the field."""
    check_request_id(request.request_id)
    check_text(request.prompt, limits.prompt, "prompt")
    _check_count(len(request.expected_text), limits.expected_texts, "expected_text")
    for index, text in enumerate(request.expected_text):
        check_text(text, limits.expected_text, f"expected_text[{index}]")
    _check_count(len(request.turns), limits.turns, "turns")
    for index, turn in enumerate(request.turns):
        check_text(turn.text, limits.turn, f"turns[{index}].text")
    _check_labels(request, limits)
    check_locale(request.locale)
    if not _SUBJECT.fullmatch(request.subject):
        raise invalid(
            ErrorReason.FIELD_INVALID, "subject: at most 128 characters of [A-Za-z0-9._:/@+-]", field="subject"
        )


def check_image(image: bytes, limits: RequestLimits) -> None:
    """Its size; what is in it is the models' business. Raises GatepostError (INVALID_ARGUMENT)."""
    if not image:
        raise invalid(ErrorReason.IMAGE_EMPTY, "the image is empty", field="image")
    if len(image) > limits.image_bytes:
        raise invalid(
            ErrorReason.IMAGE_TOO_LARGE,
            f"the image has {len(image)} bytes; the most is {limits.image_bytes}",
            field="image",
        )


def check_request_id(request_id: str) -> None:
    """Raises GatepostError (INVALID_ARGUMENT) for what is not safe to log and echo."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise invalid(
            ErrorReason.FIELD_INVALID, "request_id: 1 to 128 characters of [A-Za-z0-9._:/-]", field="request_id"
        )


def check_text(text: str, most: int, field: str) -> None:
    """Raises GatepostError (INVALID_ARGUMENT): TEXT_TOO_LONG beyond `most` characters, FIELD_INVALID for a NUL in it.

    PostgreSQL holds no NUL, and libraries in C take one for the end.
    """
    if "\x00" in text:
        raise invalid(ErrorReason.FIELD_INVALID, f"{field} holds a NUL character", field=field)
    if len(text) > most:
        raise invalid(ErrorReason.TEXT_TOO_LONG, f"{field} has {len(text)} characters; the most is {most}", field=field)


def _check_count(count: int, most: int, field: str) -> None:
    if count > most:
        raise invalid(ErrorReason.TOO_MANY_ITEMS, f"{field} has {count} entries; the most is {most}", field=field)


def _check_labels(request: ModerationRequest, limits: RequestLimits) -> None:
    _check_count(len(request.labels), limits.labels, "labels")
    for key, value in request.labels.items():
        check_text(key, limits.label_key, "labels")
        check_text(value, limits.label_value, "labels")


def check_locale(locale: str) -> None:
    """Raises GatepostError (INVALID_ARGUMENT, LOCALE_UNKNOWN) for what is no BCP 47 tag."""
    try:
        valid = len(locale) <= _MAX_LOCALE and langcodes.tag_is_valid(locale)
    except (ValueError, AttributeError):
        valid = False
    if not valid:
        raise invalid(ErrorReason.LOCALE_UNKNOWN, "locale is not a BCP 47 language tag", field="locale")
