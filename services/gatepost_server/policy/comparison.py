"""Two policies over the same evidence: which decisions flip, why, whose, and how often."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from gatepost_server.domain.decision import Judgement
from gatepost_server.policy.evaluate import GRAVITY
from gatepost_server.policy.grounds import of_judgement

Flip = tuple[str, str]  # the decision as it was, and as it would be
EXAMPLES = 5  # of each kind of flip
_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (Wilson's score interval, E. B. Wilson, JASA 22, 1927)."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """0 to 1; 0 of nothing."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """One row that flips."""

    id: str
    uri: str  # "" where there is none
    tenant: str
    grounds: tuple[str, ...]  # of the graver one of the two decisions


@dataclass(slots=True)
class Comparison:
    """Counts over all rows that have evidence."""

    rows: int = 0
    without_evidence: int = 0  # errors, and images on HOLD of which nothing was seen
    one_by_one: int = 0  # rows that columns could not judge
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    flips: Counter[Flip] = field(default_factory=Counter)
    by_ground: dict[str, Counter[Flip]] = field(default_factory=dict)
    by_tenant: dict[str, Counter[Flip]] = field(default_factory=dict)
    tenants: Counter[str] = field(default_factory=Counter)  # rows of each
    examples: dict[Flip, list[Example]] = field(default_factory=dict)

    @property
    def flipped(self) -> Rate:
        """How many rows flip."""
        return rate(self.flips.total(), self.rows)

    def count(self, before: Judgement, after: Judgement, *, name: str, tenant: str) -> None:
        """One row that has evidence, judged twice."""
        old, new = before.decision.value, after.decision.value
        self.rows += 1
        self.before[old] += 1
        self.after[new] += 1
        self.tenants[tenant] += 1
        if old == new:
            return
        why = of_judgement(max(before, after, key=lambda judgement: GRAVITY[judgement.decision]))
        self.flips[old, new] += 1
        self.by_tenant.setdefault(tenant, Counter())[old, new] += 1
        for ground in why:
            self.by_ground.setdefault(ground, Counter())[old, new] += 1
        if self.flips[old, new] <= EXAMPLES:
            self.examples.setdefault((old, new), []).append(Example(name, "", tenant, why))


def rate(count: int, of: int) -> Rate:
    """The share and its interval."""
    if of == 0:
        return Rate(count, of, 0.0, 1.0)
    share, spread = count / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return Rate(count, of, max(0.0, middle - half), min(1.0, middle + half))
