"""One image and what is known of it, checked and turned into the request on the wire."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import TypedDict

import grpc

from gatepost.v1 import moderation_pb2
from gatepost_client.errors import InvalidRequest
from gatepost_client.images import ImageSource, ImageUri, check_type, encoded


class Urgency(StrEnum):
    """How soon an image is needed. The sooner goes first."""

    INTERACTIVE = "interactive"  # somebody waits for it; the default of moderate() and gate()
    NEARLINE = "nearline"  # needed soon
    RESCAN = "rescan"  # stored images that are looked at again; the default of moderate_stream()


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: str  # "user" or "assistant"
    text: str


class About(TypedDict, total=False):
    """What is known about why an image was made, and what to send back: keyword arguments of moderate() and gate()."""

    prompt: str  # what the generator was asked for
    expected_text: Sequence[str]  # what the image was meant to say
    turns: Sequence[Turn]  # earlier messages of the conversation, oldest first
    turn_count: int  # of the whole conversation, where `turns` does not hold it; 0: unknown
    locale: str  # BCP 47, e.g. "zh-CN"; "": "en"
    subject: str  # a pseudonym of the person who asked, by which their records can be removed
    policy: str  # "": the operator's default
    labels: Mapping[str, str]  # the caller's own, for the rules of a policy and the records
    request_id: str  # "": one is made up
    evidence: bool  # send Verdict.lines and image_findings; the default
    annotated_image: bool  # send Verdict.annotated_image
    embedding: bool  # send Verdict.embedding
    record: bool  # send Verdict.record
    urgency: Urgency | None  # None: that of the method


@dataclass(frozen=True, slots=True)
class Item:
    """One image for moderate_stream(), with the same fields as About."""

    image: ImageSource
    _: KW_ONLY
    prompt: str = ""
    expected_text: Sequence[str] = ()
    turns: Sequence[Turn] = ()
    turn_count: int = 0
    locale: str = ""
    policy: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    evidence: bool = True
    annotated_image: bool = False
    embedding: bool = False
    record: bool = False
    urgency: Urgency | None = None
    subject: str = ""


_URGENCIES = {
    None: moderation_pb2.URGENCY_UNSPECIFIED,
    Urgency.INTERACTIVE: moderation_pb2.URGENCY_INTERACTIVE,
    Urgency.NEARLINE: moderation_pb2.URGENCY_NEARLINE,
    Urgency.RESCAN: moderation_pb2.URGENCY_RESCAN,
}


def new_request_id() -> str:
    """A request id that nothing else has."""
    return uuid.uuid4().hex


def check_item(item: Item) -> None:
    """TypeError or ValueError for what no server could take: a mistake of the program, not of a request."""
    check_type(item.image)
    for name in ("prompt", "locale", "subject", "policy", "request_id"):
        _require(getattr(item, name), str, name)
    for name in ("expected_text", "turns"):
        if isinstance(getattr(item, name), (str, bytes)):  # a str is a sequence of str, and never what was meant
            raise TypeError(f"{name} must be a list, not {type(getattr(item, name)).__name__}")
        _require(getattr(item, name), Sequence, name)
    for text in item.expected_text:
        _require(text, str, "expected_text")
    for turn in item.turns:
        _require(turn, Turn, "turns")
        _require(turn.text, str, "turns")
        if turn.role not in ("user", "assistant"):
            raise ValueError(f'a turn\'s role must be "user" or "assistant", not {turn.role!r}')
    _require(item.turn_count, int, "turn_count")
    if not 0 <= item.turn_count < 2**32:
        raise ValueError(f"turn_count must be from 0 to 2**32 - 1, not {item.turn_count}")
    _require(item.labels, Mapping, "labels")
    for key, value in item.labels.items():
        _require(key, str, "labels")
        _require(value, str, "labels")
    for name in ("evidence", "annotated_image", "embedding", "record"):
        _require(getattr(item, name), bool, name)
    if item.urgency is not None:
        _require(item.urgency, Urgency, "urgency")


def _require(value: object, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")


def build_request(item: Item, *, request_id: str, max_message_bytes: int) -> moderation_pb2.ModerateRequest:
    """The request of an item that check_item has passed. Reads files and encodes pixels.

    Errors: InvalidRequest for an image that cannot be read or sent, and for text that is not valid Unicode.
    """
    try:
        request = moderation_pb2.ModerateRequest(
            request_id=request_id,
            prompt=item.prompt,
            expected_text=item.expected_text,
            turns=[_turn(turn) for turn in item.turns],
            turn_count=item.turn_count,
            locale=item.locale,
            subject=item.subject,
            policy=item.policy,
            labels=item.labels,
            extras=moderation_pb2.Extras(
                evidence=item.evidence,
                annotated_image=item.annotated_image,
                embedding=item.embedding,
                record=item.record,
            ),
            urgency=_URGENCIES[item.urgency],
        )
    except UnicodeEncodeError as problem:
        message = f"a text is not valid Unicode: {problem.reason}"
        raise InvalidRequest(message, reason="TEXT_NOT_UTF8", code=grpc.StatusCode.INVALID_ARGUMENT) from problem
    if isinstance(item.image, ImageUri):
        request.image_uri = item.image.uri
    else:
        request.image = encoded(item.image, max_bytes=max_message_bytes)
    if (size := request.ByteSize()) > max_message_bytes:
        raise InvalidRequest(
            f"the request is {size:,} bytes long; at most {max_message_bytes:,} can be sent",
            reason="MESSAGE_TOO_LARGE",
            code=grpc.StatusCode.INVALID_ARGUMENT,
        )
    return request


def _turn(turn: Turn) -> moderation_pb2.Turn:
    roles = {"user": moderation_pb2.Turn.ROLE_USER, "assistant": moderation_pb2.Turn.ROLE_ASSISTANT}
    return moderation_pb2.Turn(role=roles[turn.role], text=turn.text)
