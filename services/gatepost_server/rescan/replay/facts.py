"""What a policy will ask of a row and no column tells at once, worked out when the row is written.

None of it depends on a policy, so it holds for every policy to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from gatepost_server.domain.asked import SpanKind
from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.labels import Decision, StageName
from gatepost_server.policy.coverage import cover
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.evaluate import GRAVITY
from gatepost_server.policy.lists import comparable
from gatepost_server.text.asked import held_against
from gatepost_server.text.quotes import quoted

_ASKED = pa.struct(
    [
        ("compared", pa.bool_()),  # whether there was anything to hold the lines against
        ("spans", pa.list_(pa.struct([("kind", pa.string()), ("drawn", pa.string()), ("score", pa.float64())]))),
    ]
)
FACTS = pa.struct(
    [
        ("coverage", pa.string()),  # the decision where every stage is mandatory and nothing is tolerated
        ("quoted", pa.bool_()),  # whether the prompt quotes a text, which a policy may count as asked for
        # What does not fit the expected texts, before any decoration is let pass.
        ("asked", _ASKED),
        ("asked_with_quoted", _ASKED),  # the same where what the prompt quotes is expected, too
        ("texts", pa.list_(pa.string())),  # each line, then the lines read together, as lists of texts compare them
    ]
)

# No policy asks for more: where nothing is amiss here, nothing is under any other.
STRICTEST = PolicyDocument.model_construct(mandatory_stages=tuple(StageName), tolerated_skips=(), tolerated_scripts=())


def facts_of(evidence: Evidence, request: ModerationRequest) -> dict[str, Any]:
    """By FACTS. `request` holds its expected texts as they were sent, without what its prompt quotes."""
    _, reasons = cover(evidence, request, STRICTEST)
    quotations = quoted(request.prompt)
    asked = _asked(evidence, request.expected_text)
    with_quoted = tuple(dict.fromkeys((*request.expected_text, *quotations)))
    return {
        "coverage": max((reason.decision for reason in reasons), key=GRAVITY.__getitem__, default=Decision.ALLOW),
        "quoted": bool(quotations),
        "asked": asked,
        "asked_with_quoted": _asked(evidence, with_quoted) if quotations else asked,
        "texts": [*(comparable(line.text) for line in evidence.lines), comparable(evidence.joined_text)],
    }


def _asked(evidence: Evidence, expected: Sequence[str]) -> dict[str, Any]:
    spans = held_against(evidence.lines, expected)
    told = [
        {"kind": span.kind.value, "drawn": span.drawn, "score": span.score}
        for span in spans
        if span.kind is not SpanKind.MATCHED
    ]
    return {"compared": bool(spans), "spans": told}
