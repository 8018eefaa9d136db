"""python -m benchmarks.evaluate [--split dev|test] [--suite NAME] [--limit N] [--data FOLDER] | --quick [--accept]

Without --suite: every suite of the test split, out/evaluate/quality.json, docs/quality.md and its pictures.
With one: that suite alone, for people who tune: the dev split by default, with the texts of what was judged wrongly
(of the test split figures alone, so that nobody tunes on it).
--quick: a fixed part of the dev split, held against benchmarks/evaluate/baseline.json card by card.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import targets
from benchmarks.cards import Split
from benchmarks.evaluate import baseline, figures, full, images, labelled, ocr, plan, ready
from benchmarks.evaluate.case import Suite, harm, right
from benchmarks.evaluate.report import goals, page, plots, tables
from benchmarks.evaluate.rows import Row

QUALITY = full.FOLDER / "quality.json"
PARTS = ("labelled", "ocr", "images", "cost")


def main() -> int:
    """0 when measured (and, with --quick, nothing is worse), 1 when worse, 2 when it cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", type=Split, choices=[Split.DEV, Split.TEST])
    parser.add_argument("--suite", choices=[*map(str, Suite), *PARTS])
    parser.add_argument("--limit", type=int, help="cards of the suite")
    parser.add_argument("--share", type=float, default=1.0, help="of all cards, for a first look")
    parser.add_argument("--data", type=Path, help="the labelled sets (training/text/README.md)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--accept", action="store_true", help="with --quick: make this run the baseline")
    parser.add_argument("--report", action="store_true", help="write the page and pictures of the last run anew")
    given = parser.parse_args()
    if given.report:
        return report(json.loads(QUALITY.read_text(encoding="utf-8")))
    split = given.split or (Split.DEV if given.suite or given.quick else Split.TEST)
    if reason := ready.missing(split) or (not given.suite and not given.quick and ready.missing(Split.DEV)):
        print(f"\n{'!' * 20} SKIPPED: nothing is measured, for {reason} {'!' * 20}\n", file=sys.stderr)
        return 0 if given.quick else 2
    if given.quick:
        return quick(accept=given.accept)
    if given.suite in PARTS:
        return part(given.suite, split, given.data, given.limit)
    if given.suite:
        return suite(Suite(given.suite), split, given.limit)
    return report(full.measure(split, given.data, given.share))


def report(quality: dict[str, Any]) -> int:
    """Write quality.json, the page and the pictures; print the targets."""
    rows = goals.goals(quality)
    targets.write(QUALITY, rows, **{name: value for name, value in quality.items() if name != "targets"})
    document = json.loads(QUALITY.read_text(encoding="utf-8"))
    page.write(tables.blocks(document))
    plots.draw(document)
    targets.show(rows, "evaluate")
    return 0


def quick(*, accept: bool) -> int:
    """The fixed part of the dev split against the baseline."""
    rows = full.cards(Split.DEV, plan.QUICK)
    now: dict[str, dict[str, bool]] = {}
    for row in rows:
        now.setdefault(row["suite"], {})[row["key"]] = right(row)
    print_shares(rows)
    if accept:
        baseline.write(now)
        print(f"This run is the baseline now: {baseline.BASELINE}")
        return 0
    by_key = {row["key"]: row for row in rows}
    compared = baseline.compare(baseline.read(), now)
    for one in compared:
        if one.suite == "all":
            continue
        for key in one.lost:
            print(f"lost   {_told(by_key[key])}")
        for key in one.won:
            print(f"won    {_told(by_key[key])}")
    for one in compared:
        verdict = f"FAILED: {one.failure}" if one.failure else "ok"
        print(f"{one.suite:28} {one.cards:5} cards  {len(one.lost):3} lost  {len(one.won):3} won  {verdict}")
    return 1 if any(one.failure for one in compared) else 0


def suite(name: Suite, split: Split, limit: int | None) -> int:
    """One suite of cards; on dev what was judged wrongly is printed."""
    rows = full.cards(split, plan.FULL, name, limit)
    if split is Split.DEV:
        for row in (row for row in rows if not right(row)):
            print(_told(row))
    print_shares(rows)
    print(tables.caught(figures.caught(rows, "language", "category", "picture", "style", "evasion")))
    return 0


def part(name: str, split: Split, data: Path | None, limit: int | None) -> int:
    """A suite that needs no running gatepost but for the cost."""
    if name == "labelled" and data is None:
        print("say where the labelled sets are: --data FOLDER", file=sys.stderr)
        return 2
    made = {
        "labelled": lambda: labelled.measure(data or Path(), labelled.Lines()),
        "ocr": lambda: ocr.measure(limit or ocr.EACH),
        "images": lambda: images.measure(split, limit),
        "cost": lambda: full.cost(split, labelled.Lines()),
    }
    print(json.dumps(made[name](), ensure_ascii=False, indent=1))
    return 0


def print_shares(rows: Sequence[Row]) -> None:
    """How many cards of each suite were judged rightly."""
    for name, share in figures.suites(rows).items():
        print(f"{name:28} {share['hits']:5} of {share['n']:5} right: {tables.told(share)} %")


def _told(row: Row) -> str:
    wrong = row["category"] or row["picture"] or "kind"
    why = ", ".join(f"{reason['category'] or reason['detail']}({reason['source']})" for reason in row["reasons"])
    said, read = " / ".join(row["lines"]), " / ".join(text for text, _ in row["read"])
    marks = " ".join(filter(None, (row["suite"], wrong, row["evasion"], row["style"])))
    return f"{marks} | {said} | read: {read} | {row['decision']} {harm(row):.2f} {why}"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an end like any other: gatepostd is stopped, too
    sys.exit(main())
