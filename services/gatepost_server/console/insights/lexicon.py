"""Which entries of the lexicon are found most, and what people made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.comparison import Rate, rate
from gatepost_server.records.insights import Handled, Seen


@dataclass(frozen=True, slots=True)
class Found:
    """One entry."""

    category: Category
    term: str
    images: Rate  # of the sample, how many hold it
    refused: int  # of these, how many were not allowed
    let_go: Rate  # of all that hold it and people decided, how many they allowed


def top(sample: Iterable[Seen], handled: Iterable[Handled], *, most: int) -> Sequence[Found]:
    """The most frequent entries of a sample, first."""
    looked_at, found, refused = 0, Counter[str](), Counter[str]()
    for seen in sample:
        looked_at += 1
        found.update(seen.matches)
        refused.update(seen.matches if seen.decision is not Decision.ALLOW else ())
    decided, allowed = Counter[str](), Counter[str]()
    for each in handled:
        if each.standing.decision is not None:
            decided.update(each.seen.matches)
            allowed.update(each.seen.matches if each.standing.decision is Decision.ALLOW else ())
    first = sorted(found, key=lambda entry: (-found[entry], entry))[:most]
    return [
        _entry(each, rate(found[each], looked_at), refused[each], rate(allowed[each], decided[each])) for each in first
    ]


def _entry(entry: str, images: Rate, refused: int, let_go: Rate) -> Found:
    category, _, term = entry.partition(":")
    return Found(Category(category), term, images, refused, let_go)
