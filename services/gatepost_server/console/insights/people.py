"""Reviewers held against one another, where several looked at the same verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from gatepost_server.domain.review import OPINIONS, Act, ActKind
from gatepost_server.policy.comparison import Rate, rate
from gatepost_server.records.insights import Handled


@dataclass(frozen=True, slots=True)
class Person:
    """One reviewer. Undone opinions do not count."""

    name: str
    opinions: int
    blocked: Rate
    agreed: Rate  # with each other opinion on the same verdict


@dataclass(frozen=True, slots=True)
class Together:
    """All reviewers."""

    pairs: Rate  # of two opinions on the same verdict, how often they are the same
    alpha: float | None  # agreement beyond chance, at most 1; None where it is not defined
    people: tuple[Person, ...]  # by name


@dataclass(slots=True)
class _Tally:
    opinions: int = 0
    blocked: int = 0
    pairs: int = 0
    same: int = 0


@dataclass(slots=True)
class _Count:
    people: dict[str, _Tally] = field(default_factory=dict)

    def of(self, name: str) -> _Tally:
        return self.people.setdefault(name, _Tally())


def together(handled: Iterable[Handled]) -> Together:
    """Agreement over all rounds: an appeal begins a new one, which is not compared with the one before."""
    count, units = _Count(), []
    for opinions in (opinions for each in handled for opinions in rounds(each.acts)):
        units.append(Counter(act.kind for act in opinions))
        for act in opinions:
            tally = count.of(act.actor)
            tally.opinions += 1
            tally.blocked += act.kind is ActKind.BLOCK
        for one, other in combinations(opinions, 2):
            for act in (one, other):
                count.of(act.actor).pairs += 1
                count.of(act.actor).same += one.kind is other.kind
    tallies = sorted(count.people.items())
    pairs = sum(tally.pairs for _, tally in tallies) // 2  # each is two people's
    same = sum(tally.same for _, tally in tallies) // 2
    return Together(
        rate(same, pairs),
        alpha(units),
        tuple(
            Person(name, each.opinions, rate(each.blocked, each.opinions), rate(each.same, each.pairs))
            for name, each in tallies
        ),
    )


def rounds(acts: Sequence[Act]) -> Iterator[tuple[Act, ...]]:
    """The opinions of each round, the last one of each person; what was undone is as if it had not been."""
    undone = {act.undoes for act in acts if act.kind is ActKind.UNDO}
    opinions: dict[str, Act] = {}
    for act in acts:
        if act.kind is ActKind.APPEAL:
            yield tuple(opinions.values())
            opinions = {}
        elif act.kind in OPINIONS and act.id not in undone:
            opinions[act.actor] = act
    yield tuple(opinions.values())


def alpha(units: Iterable[Counter[ActKind]]) -> float | None:
    """Krippendorff's alpha for nominal data, of opinions counted for each verdict (K. Krippendorff, Computing
    Krippendorff's Alpha-Reliability, 2011). None where nobody was compared, or all opinions are the same.
    """
    compared = [unit for unit in units if unit.total() > 1]
    totals: Counter[ActKind] = sum(compared, Counter())
    by_chance = _unlike(totals)
    if not by_chance:
        return None
    observed = sum(_unlike(unit) / (unit.total() - 1) for unit in compared)
    return 1.0 - (totals.total() - 1) * observed / by_chance


def _unlike(counts: Counter[ActKind]) -> int:
    """Ordered pairs of different opinions."""
    return counts.total() ** 2 - sum(count * count for count in counts.values())
