"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """FAILED keeps gatepost from working, or from working safely; a WARNING will some day."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` is "" where there is nothing to do. Neither holds secrets."""

    check: str
    health: Health
    said: str
    advice: str = ""


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Health.OK, said)


def warning(check: str, said: str, advice: str) -> Finding:
    """It works, and should not stay so."""
    return Finding(check, Health.WARNING, said, advice)


def failed(check: str, said: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(check, Health.FAILED, said, advice)
