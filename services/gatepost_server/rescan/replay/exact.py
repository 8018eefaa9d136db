"""One stored row, judged by the very function that a gateway calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatepost_server.domain.decision import Judgement, ModerationRequest, Turn
from gatepost_server.policy.judge import judge_again
from gatepost_server.policy.load import Policy
from gatepost_server.records.codec import evidence_from_json
from gatepost_server.text.lexicon import Lexicon

COLUMNS = ("tenant", "prompt", "expected_text", "locale", "labels", "evidence")
CONVERSATION = ("turns", "turn_count")  # of results that hold one


def request_of(row: Mapping[str, Any]) -> ModerationRequest:
    """What was asked, without the image: no policy looks at it."""
    return ModerationRequest(
        request_id="replay",
        image=b"",
        prompt=row["prompt"] or "",
        expected_text=tuple(row["expected_text"] or ()),
        turns=tuple(Turn(each["role"], each["text"]) for each in row.get("turns") or ()),
        turn_count=row.get("turn_count") or 0,
        locale=row["locale"] or "en",
        labels=dict(row["labels"] or ()),
        tenant=row["tenant"],
    )


def judge_row(row: Mapping[str, Any], policy: Policy, *, lexicon: Lexicon | None = None) -> Judgement:
    """What `policy` says of a row that has evidence. Raises ValueError for evidence that cannot be read."""
    return judge_again(evidence_from_json(row["evidence"]), request_of(row), policy, lexicon=lexicon)
