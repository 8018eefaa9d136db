"""GatepostError <-> the one string that Triton carries from a failed step to its caller.

The string is compact JSON: {"code", "reason", "message", "field"?, "retry_after_s"?}. Triton may put words of
its own around it ("in ensemble 'moderate', ..."), and says things of its own when a step never answered; those
are replaced on the way back, for they may name files of the server.
"""

from __future__ import annotations

import json
from typing import Any

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError

DEAD_STUB = "Stub process "  # python_be.cc: "Stub process 'decode_0_0' is not healthy."
RESTART_S = 1.0  # half a second to notice, about as long to load


def encode_error(error: GatepostError) -> str:
    """The error as compact JSON."""
    fields: dict[str, Any] = {"code": error.code, "reason": error.reason, "message": error.message}
    if error.field is not None:
        fields["field"] = error.field
    if error.retry_after_s is not None:
        fields["retry_after_s"] = error.retry_after_s
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def decode_error(message: str, *, code: ErrorCode = ErrorCode.INTERNAL) -> GatepostError:
    """The error that a step reported; `code` is used where the message is Triton's own.

    A dead Python stub becomes UNAVAILABLE, for the supervisor brings it back within seconds.
    """
    if DEAD_STUB in message:
        return GatepostError(
            ErrorCode.UNAVAILABLE,
            ErrorReason.MODEL_SERVER_UNAVAILABLE,
            "a model is being restarted",
            retry_after_s=RESTART_S,
        )
    try:
        fields = json.loads(message[message.index("{") : message.rindex("}") + 1])
        retry_after_s = fields.get("retry_after_s")
        return GatepostError(
            ErrorCode(fields["code"]),
            ErrorReason(fields["reason"]),
            str(fields["message"]),
            field=fields.get("field"),
            retry_after_s=None if retry_after_s is None else float(retry_after_s),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return GatepostError(code, ErrorReason.MODEL_FAILED, "a model did not answer")
