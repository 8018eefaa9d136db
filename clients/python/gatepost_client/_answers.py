"""The server's answers, and its silence, as verdicts. Shared by both clients."""

from __future__ import annotations

from gatepost.v1 import moderation_pb2, verdict_pb2
from gatepost_client._convert import verdict_from_proto
from gatepost_client._status import malformed
from gatepost_client.errors import DeadlineExceeded, GatepostError, Overloaded
from gatepost_client.verdict import Decision, Reason, ReasonCode, UserMessage, Verdict

AnyResponse = (
    moderation_pb2.ModerateResponse
    | moderation_pb2.GetVerdictResponse
    | moderation_pb2.WatchVerdictResponse
    | moderation_pb2.AppealVerdictResponse
    | moderation_pb2.ModerateStreamResponse
)


def verdict_of(response: AnyResponse, request_id: str) -> Verdict:
    """The verdict of an answer. ServerError where it holds none, another image's, or one that cannot be read.

    request_id: what was asked; "" where any request's verdict will do.
    """
    if not response.HasField("verdict"):
        raise malformed("the answer holds no verdict", request_id)
    message: verdict_pb2.Verdict = response.verdict
    if request_id and message.request_id != request_id:  # whatever mixed them up, no image is shown on another's word
        raise malformed("the verdict is that of another request", request_id)
    try:
        return verdict_from_proto(message)
    except (ValueError, OverflowError) as problem:  # a time that no calendar has
        raise malformed(f"the verdict cannot be read: {problem}", request_id) from problem


def held(error: GatepostError) -> Verdict:
    """What gate() says where there is no answer: not decided, do not show it."""
    if isinstance(error, Overloaded):
        code = ReasonCode.OVERLOAD
    elif isinstance(error, DeadlineExceeded):
        code = ReasonCode.DEADLINE
    else:
        code = ReasonCode.REQUEST_FAILED
    return Verdict(
        decision=Decision.HOLD,
        request_id=error.request_id,
        reasons=(Reason(code, Decision.HOLD, detail=error.reason or error.code.name),),
        user_message=UserMessage("und", error.user_message) if error.user_message else None,
        error=error.detached(),
    )
