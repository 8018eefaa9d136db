"""Policies, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatepost_client.verdict import Category, Decision


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score, 0 to 1, a category leads to REVIEW and to BLOCK."""

    review: float
    block: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL expression over the evidence, and the decision when it is true."""

    name: str
    expression: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Policy:
    """What scores lead to what decision."""

    name: str
    version: str  # hash of its content, 16 hex digits
    description: str
    is_default: bool  # decides where a request names no policy
    thresholds: Mapping[Category, Thresholds]
    mandatory_stages: tuple[str, ...]  # without these nothing is allowed
    locales: tuple[str, ...]  # that it has messages for, BCP 47
    rules: tuple[Rule, ...]
