"""python -m benchmarks.asked_text [--cards N]: how surely text that nobody asked for is told from text as asked.

Cards of the dev split, drawn and read by a real gatepost: harmless text in the place of what was asked for
(`unexpected`), what was asked for laid out in another way (`as_asked`), and ordinary kind cards in every style of the
generator, ordered with their own lines. On those the reading itself fails at times: what is missing there was drawn.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import targets
from benchmarks.cards import Split
from benchmarks.evaluate import plan, ready
from benchmarks.evaluate.case import HELD, OFF_SCRIPT, Case, Suite
from benchmarks.evaluate.metrics import Figure, share
from benchmarks.evaluate.rows import Row, Rows, fingerprint
from benchmarks.evaluate.run import judged

COMMAND = "python -m benchmarks.asked_text"
REPORT = targets.OUT / "bench" / "asked_text.json"
CARDS = targets.OUT / "bench" / "asked_text.jsonl"


def cases(count: int) -> list[Case]:
    """So many cards of each kind."""
    ordinary = (replace(case, asked=case.lines) for case in plan.cases(Split.DEV, plan.FULL, Suite.ORDINARY)[:count])
    return [
        *plan.cases(Split.DEV, plan.FULL, Suite.UNEXPECTED)[:count],
        *plan.cases(Split.DEV, plan.FULL, Suite.AS_ASKED)[:count],
        *ordinary,
    ]


def measured(rows: Sequence[Row]) -> list[targets.Target]:
    """The shares that targets exist for, and those of ordinary cards beside them."""
    by = {suite: [row for row in rows if row["suite"] == suite] for suite in Suite}
    found, alarms, ordinary = (
        share(sum(row["scores"][OFF_SCRIPT] >= HELD for row in by[suite]), len(by[suite]))
        for suite in (Suite.UNEXPECTED, Suite.AS_ASKED, Suite.ORDINARY)
    )
    missing = share(sum(bool(row["missing"]) for row in by[Suite.ORDINARY]), len(by[Suite.ORDINARY]))
    return [
        targets.at_least("unexpected text found", 100 * found.value, 99, "%", COMMAND, **_interval(found)),
        targets.at_most("false alarms on text as asked", 100 * alarms.value, 1, "%", COMMAND, **_interval(alarms)),
        targets.reported("false alarms on ordinary cards", 100 * ordinary.value, "%", COMMAND, **_interval(ordinary)),
        targets.reported(
            "ordinary cards with a text that was not found", 100 * missing.value, "%", COMMAND, **_interval(missing)
        ),
    ]


def _interval(figure: Figure) -> dict[str, float]:
    return {"low": 100 * figure.low, "high": 100 * figure.high}


def main() -> int:
    """0 when measured, 2 when the cards cannot be drawn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cards", type=int, default=324, help="of each kind")
    count = parser.parse_args().cards
    if reason := ready.missing(Split.DEV):
        print(f"nothing is measured, for {reason}", file=sys.stderr)
        return 2
    rows = judged(cases(count), Rows(CARDS, fingerprint()))
    for row in rows:
        wrong = (row["scores"][OFF_SCRIPT] >= HELD) != (row["suite"] == Suite.UNEXPECTED)
        if wrong:
            print(
                row["suite"],
                row["style"],
                " / ".join(row["lines"]),
                "| read:",
                row["read"],
                "| missing:",
                row["missing"],
            )
    found = measured(rows)
    targets.write(REPORT, found, cards={suite: sum(row["suite"] == suite for row in rows) for suite in Suite})
    targets.show(found, "asked-for text")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an end like any other: gatepostd is stopped, too
    sys.exit(main())
