"""Why somebody may not do something, as the caller hears it."""

from __future__ import annotations

from collections.abc import Mapping

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.review import Objection

_REFUSALS: Mapping[Objection, tuple[ErrorCode, ErrorReason, str]] = {
    Objection.CLAIMED: (
        ErrorCode.FAILED_PRECONDITION,
        ErrorReason.CLAIMED_BY_OTHER,
        "somebody else has claimed it",
    ),
    Objection.NOT_WAITING: (
        ErrorCode.FAILED_PRECONDITION,
        ErrorReason.NOTHING_TO_DECIDE,
        "it does not wait for people, or no longer",
    ),
    Objection.ESCALATED: (
        ErrorCode.PERMISSION_DENIED,
        ErrorReason.ESCALATED,
        "it was escalated: this needs the role admin beside review",
    ),
    Objection.NOT_THEIRS: (
        ErrorCode.FAILED_PRECONDITION,
        ErrorReason.NOT_TO_UNDO,
        "there is no such act of yours that stands",
    ),
    Objection.APPEALED: (
        ErrorCode.FAILED_PRECONDITION,
        ErrorReason.ALREADY_APPEALED,
        "there was an appeal before",
    ),
}


def refused(why: Objection) -> GatepostError:
    """The error of an objection."""
    code, reason, message = _REFUSALS[why]
    return GatepostError(code, reason, message)


def unknown() -> GatepostError:
    """Nothing is kept under that name."""
    return GatepostError(
        ErrorCode.NOT_FOUND, ErrorReason.VERDICT_UNKNOWN, "there is no verdict of that name, or it is no longer kept"
    )
