"""out/chaos/report.json: one row a fault, and the targets that it is held against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import targets
from benchmarks.chaos.ledger import Asked, Ledger, lost
from benchmarks.chaos.run import LONGEST_S, Row
from gatepost_client import Decision

COMMAND = "make chaos"
REPORT = targets.OUT / "chaos" / "report.json"


def rows_of(rows: Sequence[Row], ledger: Ledger) -> list[dict[str, Any]]:
    """What happened during each fault, in figures."""
    return [_figures(row, ledger.of(row.fault.name), ledger) for row in rows]


def targets_of(rows: Sequence[Row], figures: Sequence[dict[str, Any]]) -> list[targets.Target]:
    """Three for each fault that was injected; one that was not injected as often as it should be is missed."""
    return [target for row, found in zip(rows, figures, strict=True) for target in _targets(row, found)]


def show(figures: Sequence[dict[str, Any]]) -> None:
    """Print one line a fault."""
    table = Table("fault", "injected", "requests", "wrong ALLOWs", "lost", "full service after, s", title="chaos")
    for row in figures:
        seconds = row["full_service_s"]
        spread = (
            f"{min(seconds):.1f} to {max(seconds):.1f}" if len(seconds) > 1 else "".join(f"{s:.1f}" for s in seconds)
        )
        table.add_row(
            row["fault"],
            str(row["injected"]),
            str(row["requests"]),
            str(row["wrong_allows"]),
            str(row["lost"]),
            spread,
        )
    Console().print(table)


def _figures(row: Row, asked: Sequence[Asked], ledger: Ledger) -> dict[str, Any]:
    ends = [entry.final or entry.verdict for entry in asked]
    decisions = [end.decision for end in ends if end is not None]
    return {
        "fault": row.fault.name,
        "injected": row.injected,
        "requests": len(asked),
        "accepted": sum(entry.accepted for entry in asked),
        "held_at_first": sum(entry.verdict is not None and entry.verdict.pending for entry in asked),
        "refused": sum(entry.refused for entry in asked),
        "failed": sum(entry.error is not None and not entry.refused for entry in asked),
        "in_the_end": {str(decision): decisions.count(decision) for decision in Decision if decision in decisions},
        "good_blocked": sum(
            end is not None and end.decision is Decision.BLOCK and not entry.card.bad
            for entry, end in zip(asked, ends, strict=True)
        ),
        "wrong_allows": len(ledger.wrong_allows(asked)),
        "lost": len(lost(asked)),
        "full_service_s": [min(seconds, LONGEST_S) for seconds in row.full_service_s],
        "errors": _counts(entry.error.reason or entry.error.code.name for entry in asked if entry.error is not None),
    }


def _targets(row: Row, found: dict[str, Any]) -> Iterator[targets.Target]:
    name = row.fault.name
    if row.injected < row.fault.times:
        yield targets.at_least(f"{name}: injected", row.injected, row.fault.times, "times", COMMAND)
    if row.injected:
        yield targets.at_most(f"{name}: wrong ALLOWs", found["wrong_allows"], 0, "", COMMAND)
        yield targets.at_most(f"{name}: lost accepted requests", found["lost"], 0, "", COMMAND)
        slowest = max(row.full_service_s)
        seconds = slowest if math.isfinite(slowest) else LONGEST_S
        yield targets.at_most(f"{name}: full service after", seconds, row.fault.within_s, "s", COMMAND)


def _counts(words: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts
