"""A request and its evidence to a judgement: asked-for text, the conversation, then the policy. Pure."""

from __future__ import annotations

from dataclasses import replace

from gatepost_server.domain.decision import Judgement, ModerationRequest
from gatepost_server.domain.evidence import Evidence
from gatepost_server.policy.asked import off_script, unquoted, with_quoted
from gatepost_server.policy.conversation import tightened, tightening_of
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.policy.load import Policy
from gatepost_server.text.lexicon import Lexicon

# Of characters; together they take about two milliseconds (a card with two wishes: one).
_DRAWN, _COMPARED, _SAID = 1_000, 2_000, 200


def is_quick(evidence: Evidence, request: ModerationRequest) -> bool:
    """Whether `judge` takes no longer than an event loop may be kept from others."""
    drawn = sum(len(line.text) for line in evidence.lines)
    asked = sum(len(text) for text in request.expected_text)
    return drawn <= _DRAWN and drawn * asked <= _COMPARED and sum(len(turn.text) for turn in request.turns) <= _SAID


def judge(
    evidence: Evidence, request: ModerationRequest, policy: Policy, *, lexicon: Lexicon | None = None
) -> tuple[Evidence, Judgement]:
    """The judgement, and the evidence as it was judged: with the score of text that nobody asked for.

    `request` holds what its prompt quotes already (policy.asked.with_quoted). `lexicon` finds abuse in earlier turns;
    without it there is none. Never raises for what evidence or request hold.
    """
    evidence, asked = off_script(evidence, request, policy)
    tightening = tightening_of(request, policy.document.conversation, lexicon)
    judgement = evaluate(evidence, request, tightened(policy, tightening), asked=asked)
    return evidence, replace(judgement, asked_text=asked, tightening=tightening)


def judge_again(
    evidence: Evidence, sent: ModerationRequest, policy: Policy, *, lexicon: Lexicon | None = None
) -> Judgement:
    """What `policy` says of stored evidence, which may have been judged under another one. `sent`: as it came."""
    asked = with_quoted(sent, policy)
    _, judgement = judge(unquoted(evidence, sent, asked), asked, policy, lexicon=lexicon)
    return judgement
