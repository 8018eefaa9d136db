"""A verdict's scores on the policy's thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost_server.console.views.grounds import Rest, rest_of
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.load import Policy


@dataclass(frozen=True, slots=True)
class Mark:
    """One category's row. All numbers are 0 to 1; `block` is None where people decide, `review` where nobody does."""

    category: Category
    score: float
    review: float | None
    block: float | None
    rest: Rest

    @property
    def reached(self) -> Decision:
        """What the score alone leads to."""
        if self.block is not None and self.score >= self.block:
            return Decision.BLOCK
        if self.review is not None and self.score >= self.review:
            return Decision.REVIEW
        return Decision.ALLOW


@dataclass(frozen=True, slots=True)
class Scale:
    """All rows, those that decided first."""

    marks: Sequence[Mark]
    factor: float  # what the conversation multiplied thresholds by; 1.0: nothing
    grounds: tuple[str, ...]  # of that
    changed: bool  # the policy is another one now than when the verdict was given


def scale_of(verdict: Verdict, policy: Policy | None) -> Scale:
    """Thresholds are those of the policy as it is now; without one there are scores alone."""
    judgement, evidence = verdict.judgement, verdict.evidence
    tightening = judgement.tightening
    factor = 1.0 if tightening is None else tightening.factor
    thresholds = {} if policy is None else policy.document.thresholds
    marks = []
    for category, fused in (evidence.fused if evidence is not None else {}).items():
        if not math.isfinite(fused.score):
            continue  # a reason of its own says so
        own = thresholds.get(category)
        review = None if own is None else own.review * factor
        block = None if own is None or own.block is None else own.block * factor
        marks.append(Mark(category, fused.score, review, block, rest_of(fused.source, evidence)))
    order = (Decision.BLOCK, Decision.REVIEW, Decision.ALLOW)
    marks.sort(key=lambda mark: (order.index(mark.reached), -mark.score, mark.category))
    changed = policy is None or policy.version != judgement.policy_version
    return Scale(marks, factor, () if tightening is None else tightening.grounds, changed)
