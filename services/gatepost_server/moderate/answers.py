"""From what people did to a verdict to what its caller is told. Pure."""

from __future__ import annotations

from dataclasses import replace

from gatepost_server.domain.answer import Answer, Ground
from gatepost_server.domain.asked import SpanKind
from gatepost_server.domain.decision import Judgement, Verdict
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind
from gatepost_server.policy.answers import answer_message
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.messages import user_message
from gatepost_server.records.record import Kept

_LINE = "line:"


def answered(kept: Kept, document: PolicyDocument | None, *, locale: str) -> Verdict:
    """The verdict with people's decision in the place of the models', and no ticket.

    `document` is the policy's, None where it is gone. What people have no part in is as it was.
    """
    standing, verdict = kept.standing, kept.verdict
    answer = answer_of(kept)
    if answer is None:
        return verdict
    judgement = verdict.judgement
    decision = standing.decision or standing.before or judgement.decision
    told = replace(judgement, decision=decision, reasons=() if decision is Decision.ALLOW else judgement.reasons)
    worded = answer_message(answer, locale)
    if answer.decision is Decision.BLOCK and document is not None and category_of(kept) is Category.SELF_HARM:
        # Where to find help matters more than whose doing it was.
        worded = user_message(document, locale, Decision.BLOCK, judgement.reasons)
    if worded is not None:
        told = replace(told, user_locale=worded[0], user_message=worded[1])
    return replace(verdict, judgement=told, people=answer)


def answer_of(kept: Kept) -> Answer | None:
    """None where people have no part in it."""
    standing = kept.standing
    if standing.waits is None and standing.decision is None:
        return None
    appealed = standing.appeal is not None
    before = standing.before or kept.verdict.judgement.decision
    return Answer(
        waiting=standing.waits is not None,
        decision=standing.decision,
        decided=standing.decided,
        appealed=appealed,
        granted=appealed and before is Decision.BLOCK and standing.decision is Decision.ALLOW,
        ground=ground_of(kept) if standing.decision is Decision.BLOCK else None,
    )


def ground_of(kept: Kept) -> Ground | None:
    """As whoever blocked it said, the last of several; else as the evidence has it."""
    said = [act.ground for act in kept.standing.opinions if act.kind is ActKind.BLOCK and act.ground is not None]
    return said[-1] if said else likely_ground(kept.verdict.judgement)


def likely_ground(judgement: Judgement) -> Ground | None:
    """Whose doing it is as far as the text tells: what every reason rests on was asked for, or some of it was not.

    None where it does not tell: of pictures the evidence does not know what was asked for.
    """
    if any(reason.category is Category.OFF_SCRIPT for reason in judgement.reasons):
        return Ground.PICTURE
    sources = {reason.source for reason in judgement.reasons if reason.category is not None}
    lines = {int(source.removeprefix(_LINE)) for source in sources if source.startswith(_LINE)}
    spans = judgement.asked_text.spans if judgement.asked_text is not None else ()
    if lines & {line for span in spans if span.kind is SpanKind.UNEXPECTED for line in span.lines}:
        return Ground.PICTURE
    asked = {line for span in spans if span.kind is SpanKind.MATCHED for line in span.lines}
    return Ground.REQUEST if lines and len(lines) == len(sources) and lines <= asked else None


def category_of(kept: Kept) -> Category | None:
    """As people corrected it; else that of the gravest reason."""
    return kept.standing.category or kept.verdict.judgement.category
