"""Is this run worse than the committed one by more than chance? The same cards are compared one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

BASELINE = Path(__file__).with_name("baseline.json")
SIGNIFICANT = 0.01
SHARED = 0.9  # least share of the baseline's cards that must be judged again
ALWAYS = "plain_abuse"
ALWAYS_LOST = 0.01  # share of a suite's cards that may be lost where the rule is hard

Outcomes = Mapping[str, Mapping[str, bool]]  # by suite, by card: whether it was judged rightly


@dataclass(frozen=True, slots=True)
class Compared:
    """One suite: cards judged both times, those that were right and are wrong now, and the other way round."""

    suite: str
    cards: int
    lost: tuple[str, ...]
    won: tuple[str, ...]
    p: float  # one-sided exact McNemar: the chance of losing that many more than were won, if nothing changed
    failure: str  # "" where nothing is wrong

    @property
    def right_before(self) -> str:
        return f"{len(self.lost)} lost, {len(self.won)} won"


def compare(before: Outcomes, now: Outcomes) -> list[Compared]:
    """Every suite of either run, and all suites together as "all"."""
    compared = [_suite(name, before.get(name, {}), now.get(name, {})) for name in sorted({*before, *now})]
    return [*compared, _suite("all", _flat(before), _flat(now))]


def read(path: Path | None = None) -> dict[str, dict[str, bool]]:
    """The committed outcomes; FileNotFoundError where there are none yet."""
    document = json.loads((path or BASELINE).read_text(encoding="utf-8"))
    return {
        suite: {**dict.fromkeys(cards["right"], True), **dict.fromkeys(cards["wrong"], False)}
        for suite, cards in document["suites"].items()
    }


def write(outcomes: Outcomes, path: Path | None = None) -> None:
    """Keep these outcomes as what later runs are held against."""
    suites = {
        suite: {
            "right": sorted(card for card, right in cards.items() if right),
            "wrong": sorted(card for card, right in cards.items() if not right),
        }
        for suite, cards in sorted(outcomes.items())
    }
    (path or BASELINE).write_text(json.dumps({"suites": suites}, indent=1) + "\n", encoding="utf-8")


def _suite(name: str, before: Mapping[str, bool], now: Mapping[str, bool]) -> Compared:
    both = before.keys() & now.keys()
    lost = tuple(sorted(card for card in both if before[card] and not now[card]))
    won = tuple(sorted(card for card in both if now[card] and not before[card]))
    changed = len(lost) + len(won)
    p = float(binomtest(len(lost), changed, 0.5, alternative="greater").pvalue) if changed else 1.0
    return Compared(name, len(both), lost, won, p, _failure(name, before, both, lost, won, p))


def _failure(
    name: str, before: Mapping[str, bool], both: set[str], lost: tuple[str, ...], won: tuple[str, ...], p: float
) -> str:
    if len(both) < SHARED * len(before):
        return f"only {len(both)} of {len(before)} cards are those of the baseline: look, then run with --accept"
    if p < SIGNIFICANT:
        return f"{len(lost)} cards lost and {len(won)} won: more than chance (p = {p:.2g})"
    net = len(lost) - len(won)
    may_be = max(1, int(ALWAYS_LOST * len(both)))
    if name == ALWAYS and net > may_be:
        return f"{net} more cards of plain abuse are judged wrongly; at most {may_be} of {len(both)} may be"
    return ""


def _flat(outcomes: Outcomes) -> dict[str, bool]:
    return {f"{suite}/{card}": right for suite, cards in outcomes.items() for card, right in cards.items()}
