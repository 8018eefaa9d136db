"""What a fake server can be told to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from gatepost.v1 import moderation_pb2, verdict_pb2
from gatepost_client.verdict import Category, Decision


@dataclass(frozen=True, slots=True)
class Failure:
    """A status error with the details that the server gives."""

    code: grpc.StatusCode
    reason: str = ""
    message: str = "scripted failure"
    field: str = ""
    retry_after: float | None = None  # seconds
    user_message: str = ""

    def to_status(self) -> status_pb2.Status:
        """As google.rpc.Status."""
        details: list[Message] = []
        if self.reason:
            details.append(error_details_pb2.ErrorInfo(domain="gatepost.dev", reason=self.reason))
        if self.field:
            violation = error_details_pb2.BadRequest.FieldViolation(field=self.field, description=self.message)
            details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        if self.retry_after is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromNanoseconds(round(self.retry_after * 1e9))
            details.append(retry)
        if self.user_message:
            details.append(error_details_pb2.LocalizedMessage(locale="en", message=self.user_message))
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in details:
            packed = Any()
            packed.Pack(detail)
            status.details.append(packed)
        return status


@dataclass(frozen=True, slots=True)
class Delayed:
    """An answer after so many seconds. A long delay is a server that hangs; closing the server ends it."""

    seconds: float
    answer: Answer


Answer: TypeAlias = "verdict_pb2.Verdict | Failure | Delayed"
Reply: TypeAlias = "Answer | Callable[[moderation_pb2.ModerateRequest], Answer]"


def verdict(
    decision: Decision = Decision.ALLOW,
    category: Category | None = None,
    *,
    score: float = 0.99,
    threshold: float = 0.8,
    text: str = "",
    polygon: Sequence[tuple[float, float]] = ((8, 8), (120, 8), (120, 40), (8, 40)),
    pending: bool = False,
) -> verdict_pb2.Verdict:
    """A verdict as the server sends it: with `category` as the reason, with `text` as the one line that was read.

    Change the returned message for anything else. The fake server fills in name and request id.
    """
    message = verdict_pb2.Verdict(
        decision=verdict_pb2.Decision.Value(f"DECISION_{decision.name}"),
        coverage=verdict_pb2.Coverage(complete=True),
        policy=verdict_pb2.PolicyRef(name="greeting-card", version="0123456789abcdef"),
        timings_ms={"total": 1.0},
        pending=pending,
    )
    source = "line:0" if text else "image"
    if text:
        message.lines.add(
            text=text,
            normalized_text=text,
            language="zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en",
            confidence=0.98,
            polygon=[verdict_pb2.Point(x=x, y=y) for x, y in polygon],
            view=verdict_pb2.View(background=verdict_pb2.View.BACKGROUND_OPAQUE),
        )
    if category is not None:
        number = verdict_pb2.Category.Value(f"CATEGORY_{category.name}")
        message.scores.add(category=number, score=score, source=source)
        if text:
            message.lines[0].scores.add(category=number, score=score, source=source)
        if decision is not Decision.ALLOW:
            message.reasons.add(
                code=verdict_pb2.REASON_CODE_SCORE,
                decision=message.decision,
                category=number,
                score=score,
                threshold=threshold,
                source=source,
            )
    return message
