"""What a decision rests on, by name: a category, `rule:<name>`, `coverage`, `block_list`, `asked_text`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatepost_server.domain.decision import Judgement, ReasonCode
from gatepost_server.domain.labels import Decision
from gatepost_server.policy.asked import MISSING
from gatepost_server.policy.evaluate import GRAVITY

COVERAGE, BLOCK_LIST, ASKED_TEXT, OTHER = "coverage", "block_list", "asked_text", "other"
BY_GRAVITY = tuple(sorted(Decision, key=GRAVITY.__getitem__))  # a decision by its place
ALLOW, REVIEW, HOLD, BLOCK = range(4)


def of_list(category: str | None) -> str:
    """The ground of an entry of a block list; `category` may be the word for it, as stored."""
    return str(category) if category else BLOCK_LIST


def of_reason(reason: Mapping[str, Any]) -> str:
    """The ground of a stored reason."""
    return _ground(reason["code"], reason["category"], reason["detail"])


def of_judgement(judgement: Judgement) -> tuple[str, ...]:
    """The grounds of what it decides."""
    grave = (reason for reason in judgement.reasons if reason.decision is judgement.decision)
    return tuple(dict.fromkeys(_ground(reason.code, reason.category, reason.detail) for reason in grave))


def _ground(code: str, category: str | None, detail: str) -> str:
    if code == ReasonCode.COVERAGE:
        return COVERAGE
    if code == ReasonCode.RULE:
        return ASKED_TEXT if detail == MISSING else f"rule:{detail}"
    if code == ReasonCode.BLOCK_LIST:
        return of_list(category)
    return str(category) if category else OTHER
