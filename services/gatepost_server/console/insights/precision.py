"""Models held against people: of what a threshold holds back, how much do people hold back, too?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.comparison import Rate, rate
from gatepost_server.policy.document import Thresholds
from gatepost_server.records.insights import Handled


@dataclass(frozen=True, slots=True)
class Precision:
    """One threshold, over verdicts that people decided and whose score reaches it."""

    category: Category
    decision: Decision  # that the threshold leads to: REVIEW or BLOCK
    threshold: float
    held: Rate  # of these, what people held back as well
    otherwise: int  # of what they held back, how many they gave another category


def precision(handled: Iterable[Handled], thresholds: Mapping[Category, Thresholds]) -> tuple[Precision, ...]:
    """Of every threshold, in the policy's order, at today's values: not those of the day of the verdict."""
    decided = [each for each in handled if each.standing.decision is not None]
    return tuple(
        _of(decided, category, decision, threshold)
        for category, levels in thresholds.items()
        for decision, threshold in ((Decision.REVIEW, levels.review), (Decision.BLOCK, levels.block))
        if threshold is not None
    )


def _of(decided: Sequence[Handled], category: Category, decision: Decision, threshold: float) -> Precision:
    reached = [each for each in decided if each.seen.scores.get(category, 0.0) >= threshold]
    held = [each.standing for each in reached if each.standing.decision is Decision.BLOCK]
    otherwise = sum(stands.category not in (None, category) for stands in held)
    return Precision(category, decision, threshold, rate(len(held), len(reached)), otherwise)


def outcomes(handled: Iterable[Handled]) -> Mapping[Decision, Counter[Decision]]:
    """What people decided, by what had been decided without them."""
    counts: dict[Decision, Counter[Decision]] = {}
    for each in handled:
        if each.standing.decision is not None:
            counts.setdefault(each.seen.decision, Counter())[each.standing.decision] += 1
    return counts
