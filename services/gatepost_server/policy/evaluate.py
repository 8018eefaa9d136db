"""Evidence and a policy to a judgement: pure, without I/O, the same answer every time.

The gravest decision wins: BLOCK > HOLD > REVIEW > ALLOW. ALLOW is what is left when nothing speaks
against it and every mandatory stage reported with finite scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from gatepost_server.domain.asked import AskedText
from gatepost_server.domain.decision import Judgement, ModerationRequest, Reason, ReasonCode
from gatepost_server.domain.evidence import Evidence, Fused
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.asked import missing_reasons
from gatepost_server.policy.coverage import cover
from gatepost_server.policy.load import Policy
from gatepost_server.policy.messages import user_message
from gatepost_server.policy.rules import variables_of
from gatepost_server.text.similarity import AS_EXPECTED

GRAVITY: Mapping[Decision, int] = {
    Decision.ALLOW: 0,
    Decision.REVIEW: 1,
    Decision.HOLD: 2,
    Decision.BLOCK: 3,
}


def evaluate(
    evidence: Evidence, request: ModerationRequest, policy: Policy, *, asked: AskedText | None = None
) -> Judgement:
    """Judge one image's evidence. Never raises for what evidence holds. `policy.judge` adds what comes before."""
    scores = _judged_scores(evidence, policy.allow_list.lines(evidence))
    coverage, coverage_reasons = cover(evidence, request, policy.document)
    reasons = sorted(
        (
            *coverage_reasons,
            *_score_reasons(scores, policy),
            *_list_reasons(evidence, policy),
            *_rule_reasons(evidence, request, policy, scores),
            *missing_reasons(asked, policy),
        ),
        key=_order,
    )
    decision = max((reason.decision for reason in reasons), key=GRAVITY.__getitem__, default=Decision.ALLOW)
    locale, message = user_message(policy.document, request.locale, decision, reasons)
    return Judgement(
        decision=decision,
        reasons=tuple(reasons),
        coverage=coverage,
        policy=policy.name,
        policy_version=policy.version,
        user_message=message,
        user_locale=locale,
    )


def _order(reason: Reason) -> tuple[int, float, str, str]:
    """Gravest first; then the highest score; then by name, so that the order never changes."""
    return (-GRAVITY[reason.decision], -(reason.score or 0.0), reason.category or "", f"{reason.code}{reason.detail}")


def _judged_scores(evidence: Evidence, cleared: frozenset[int]) -> Mapping[Category, Fused]:
    """The fused scores without what rests on lines of the allow list."""
    if not cleared:
        return evidence.fused
    return {category: _without(evidence, category, fused, cleared) for category, fused in evidence.fused.items()}


def _without(evidence: Evidence, category: Category, fused: Fused, cleared: frozenset[int]) -> Fused:
    """What is left of one score.

    Only a score that rests on a cleared line changes. That of the lines read together stands while any line
    is not cleared, for that may be the other half of an insult; so does one that rests on text and picture
    together.
    """
    rests_on_cleared = fused.source in {f"line:{index}" for index in cleared}
    all_cleared = len(cleared) == len(evidence.lines)
    if not rests_on_cleared and not (fused.source == "joined" and all_cleared):
        return fused
    finding = evidence.image_findings.get(category)
    rest = [Fused(finding.score, "image")] if finding is not None else []
    if not all_cleared:
        rest.append(Fused(evidence.joined_scores.get(category, 0.0), "joined"))
    for index, line in enumerate(evidence.lines):
        if index in cleared:
            continue
        if category is Category.OFF_SCRIPT:
            # Fusion tells the worst line's score only: it bounds every other line that was not asked for.
            score = fused.score if line.expected is not None and line.expected < AS_EXPECTED else 0.0
        else:
            score = line.scores.get(category, 0.0)
        rest.append(Fused(score, f"line:{index}"))
    return max(rest, key=lambda left: left.score, default=Fused(0.0, "none"))


def _score_reasons(scores: Mapping[Category, Fused], policy: Policy) -> Iterator[Reason]:
    for category, thresholds in policy.document.thresholds.items():
        fused = scores.get(category)
        if fused is None or not math.isfinite(fused.score):
            continue  # coverage speaks of it
        if thresholds.block is not None and fused.score >= thresholds.block:
            decision, threshold = Decision.BLOCK, thresholds.block
        elif fused.score >= thresholds.review:
            decision, threshold = Decision.REVIEW, thresholds.review
        else:
            continue
        yield Reason(ReasonCode.SCORE, decision, category, fused.score, threshold, fused.source)


def _list_reasons(evidence: Evidence, policy: Policy) -> Iterator[Reason]:
    for match in policy.block_list.find(evidence):
        entry = match.entry
        yield Reason(ReasonCode.BLOCK_LIST, entry.decision, entry.category, source=match.source, detail=entry.id)


def _rule_reasons(
    evidence: Evidence, request: ModerationRequest, policy: Policy, scores: Mapping[Category, Fused]
) -> Iterator[Reason]:
    if not policy.rules:
        return
    variables = variables_of(
        evidence,
        request,
        {category: fused.score for category, fused in scores.items()},
        only=frozenset().union(*(rule.uses for rule in policy.rules)),
        factor=policy.factor,
    )
    for rule in policy.rules:
        holds = rule.holds(variables)
        if holds is None:  # a rule that cannot be evaluated is no reason to show the image
            yield Reason(ReasonCode.RULE, Decision.REVIEW, detail=rule.name)
        elif holds:
            yield Reason(ReasonCode.RULE, rule.decision, detail=rule.name)
