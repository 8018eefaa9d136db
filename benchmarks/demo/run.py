"""`make demo`: start everything, moderate the sample cards, show and keep what came out, stop everything.

Exit status: 0 when every decision is one that the manifest calls right, 1 when not, 2 when nothing could be asked.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import stack
from benchmarks.demo.card import Card, read_manifest
from benchmarks.demo.sheet import Cell, contact_sheet
from benchmarks.targets import OUT
from gatepost_client import Client, Reason, Verdict

FOLDER = OUT / "demo"
_COLOURS = {"ALLOW": "green", "REVIEW": "yellow", "BLOCK": "red", "HOLD": "bright_black"}
_UNSURE = 0.6  # lines read with less confidence are left out of the table (not of verdicts.json)


@dataclass(frozen=True, slots=True)
class Judged:
    """A card and its verdict; `took_ms` is what the caller waited."""

    card: Card
    verdict: Verdict
    took_ms: float

    @property
    def as_expected(self) -> bool:
        return self.verdict.decision in self.card.decisions


def main() -> int:
    """Run the demo; the exit status."""
    console = Console()
    try:
        judged = judge_all(console, read_manifest())
    except stack.StackFailedError as error:
        console.print(str(error), style="red", markup=False)
        return 2
    console.print(table(judged))
    keep(judged, FOLDER)
    console.print(f"Verdicts, annotated cards and the contact sheet are in [bold]{FOLDER}[/]")
    wrong = [one for one in judged if not one.as_expected]
    for one in wrong:
        expected = " or ".join(one.card.decisions)
        console.print(f"[red]{one.card.file}: {one.verdict.decision}, expected {expected}[/] ({one.card.shows})")
    console.print(f"{len(judged) - len(wrong)} of {len(judged)} decisions are as expected")
    return 1 if wrong else 0


def judge_all(console: Console, cards: Sequence[Card]) -> Sequence[Judged]:
    """Start everything, ask for each card in turn, stop everything; StackFailedError where it does not start."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        starting = progress.add_task("Starting Triton and the gateway", total=1)
        judged = []
        with stack.running() as gatepost, Client(gatepost.address, timeout=30.0) as client:
            progress.update(starting, completed=1, description=f"Ready after {gatepost.ready_s:.1f} s")
            asking = progress.add_task("Moderating the sample cards", total=len(cards))
            for card in cards:
                judged.append(judge(client, card))
                progress.advance(asking)
            stopping = progress.add_task("Stopping everything", total=1)
        progress.update(stopping, completed=1)
    return judged


def judge(client: Client, card: Card) -> Judged:
    """Ask for one card, as an image generator's backend would."""
    started = time.perf_counter()
    verdict = client.gate(
        card.path,
        prompt=card.prompt,
        expected_text=card.expected_text,
        locale=card.locale,
        annotated_image=True,
    )
    return Judged(card, verdict, (time.perf_counter() - started) * 1000)


def why(verdict: Verdict) -> str:
    """The reasons in a few words, the gravest first."""
    if verdict.error is not None:
        return str(verdict.error)
    return ", ".join(_ground(reason) for reason in verdict.reasons)


def _ground(reason: Reason) -> str:
    name = reason.category or reason.detail or reason.code.lower()
    return str(name) if reason.score is None else f"{name} {reason.score:.2f}"


def read_text(verdict: Verdict) -> str:
    """The lines that were read with confidence."""
    return " / ".join(line.text for line in verdict.lines if line.confidence >= _UNSURE)


def table(judged: Sequence[Judged]) -> Table:
    """What was asked for, what was read, and what became of it."""
    result = Table("card", "asked for", "text read", "decision", "why", "ms", "", title="gatepost: the sample cards")
    for one in judged:
        colour = _COLOURS[one.verdict.decision]
        result.add_row(
            one.card.file,
            " / ".join(one.card.expected_text) or one.card.prompt,
            read_text(one.verdict),
            f"[bold {colour}]{one.verdict.decision}[/]",
            why(one.verdict),
            f"{one.took_ms:.0f}",
            "[green]✓[/]" if one.as_expected else "[red]✗[/]",
        )
    return result


def keep(judged: Sequence[Judged], folder: Path) -> None:
    """Write verdicts.json, the annotated cards and contact_sheet.png into a fresh `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "annotated").mkdir(parents=True)
    cells = []
    for one in judged:
        picture = one.verdict.annotated_image
        if picture:
            (folder / "annotated" / f"{one.card.path.stem}.png").write_bytes(picture)
        cells.append(
            Cell(
                picture or one.card.path.read_bytes(),
                one.verdict.decision,
                f"asked for: {' / '.join(one.card.expected_text) or one.card.prompt}",
                why(one.verdict) or "nothing found",
                one.as_expected,
            )
        )
    right = sum(one.as_expected for one in judged)
    title = f"gatepost demo: {right} of {len(judged)} decisions as expected"
    contact_sheet(cells, title).save(folder / "contact_sheet.png", optimize=True)
    text = json.dumps([_record(one) for one in judged], ensure_ascii=False, indent=1)
    (folder / "verdicts.json").write_text(text + "\n", encoding="utf-8")


def _record(one: Judged) -> dict[str, object]:
    verdict = one.verdict
    return {
        "card": one.card.file,
        "shows": one.card.shows,
        "prompt": one.card.prompt,
        "expected_text": one.card.expected_text,
        "expected": one.card.decisions,
        "as_expected": one.as_expected,
        "decision": verdict.decision,
        "reasons": [
            {"code": reason.code, "category": reason.category, "score": reason.score, "threshold": reason.threshold,
             "source": reason.source, "detail": reason.detail}
            for reason in verdict.reasons
        ],
        "scores": dict(verdict.scores),
        "lines": [
            {"text": line.text, "normalized_text": line.normalized_text, "polygon": line.polygon,
             "confidence": line.confidence, "expected": line.expected, "scores": dict(line.scores)}
            for line in verdict.lines
        ],
        "user_message": verdict.user_message.text if verdict.user_message else "",
        "ticket": verdict.ticket,
        "error": str(verdict.error) if verdict.error else None,
        "took_ms": round(one.took_ms, 1),
        "timings_ms": dict(verdict.timings_ms),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
