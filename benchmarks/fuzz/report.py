"""out/fuzz/report.json and the section "Bad images" of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.fuzz.cases import FORMATS
from benchmarks.fuzz.guided import Guided
from benchmarks.fuzz.served import Served
from benchmarks.fuzz.tally import Tally
from benchmarks.targets import OUT, Target, at_least, at_most, reported, write

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
REPORT = OUT / "fuzz" / "report.json"
HEADING = "## Bad images"
COMMAND = "make fuzz"
GROWTH = 1.2
SERVED = "of the images, through the whole service"


def targets(
    tally: Tally, guided: Sequence[Guided], served: Served | None, bad_allows: Sequence[str], seconds: float
) -> list[Target]:
    """What has to hold, and how long it took."""
    crashes = len(tally.faults["crash"]) + sum(not run.ok for run in guided) + (served.restarts if served else 0)
    untyped = len(tally.faults["untyped"]) + (len(served.failures) if served else 0)
    in_child = tally.after_mb / tally.before_mb
    return [
        at_least("hostile images", tally.cases, 10_000, "images", COMMAND),
        *(reported(f"guided inputs, {run.role}", run.runs, "inputs", COMMAND) for run in guided),
        reported(SERVED, sum(served.decisions.values()) if served else 0, "images", COMMAND),
        at_most("crashes", crashes, 0, "", COMMAND),
        at_most("hangs", len(tally.faults["hang"]), 0, "over 5 s", COMMAND),
        at_most("slowest image", tally.slowest_s, 5, "s of processor time", COMMAND),
        at_most("answers that are neither pixels nor a typed refusal", untyped, 0, "", COMMAND),
        at_most("undecodable, but taken by the decode step", len(tally.undecodable), 0, "", COMMAND),
        at_most("decoder's memory after all images", in_child, GROWTH, "of that before", COMMAND),
        at_most("whole run", seconds / 60, 10, "min", COMMAND),
        *(_of_service(served, bad_allows) if served else ()),
    ]


def _of_service(served: Served, bad_allows: Sequence[str]) -> list[Target]:
    in_stub = served.after_mb / served.before_mb
    return [
        at_most("undecodable, but ALLOW", len(bad_allows), 0, "", COMMAND),
        at_most("decode stub's memory after the sample", in_stub, GROWTH, "of that before", COMMAND),
    ]


def save(
    measured: Sequence[Target],
    tally: Tally,
    guided: Sequence[Guided],
    served: Served | None,
    bad_allows: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Write the report."""
    kinds = sorted({*tally.refused, *tally.taken})
    write(
        REPORT,
        measured,
        notes=list(notes),
        table=[
            {"format": form, "kind": kind, "refused": tally.refused[form, kind], "taken": tally.taken[form, kind]}
            for form, kind in kinds
        ],
        reasons=dict(tally.reasons.most_common()),
        faults=tally.faults,
        undecodable=tally.undecodable,
        undecodable_allowed=list(bad_allows),
        slowest=tally.slowest,
        guided=[asdict(run) for run in guided],
        served={
            "decisions": served.decisions,
            "failures": served.failures,
            "restarts": served.restarts,
            "before_mb": served.before_mb,
            "after_mb": served.after_mb,
        }
        if served
        else None,
    )


_INTRODUCTION = """\
`make fuzz` (seeded; out/fuzz/report.json). Files of every accepted format are damaged, bombs are crafted, and what
installed packages and Pillow's own tests ship is taken along. All go through the decode step in a child process with a
stub's memory limit; what it takes for an image is read once more by Pillow alone, with its own settings. A sample goes
through a real gateway and Triton; a stub that had to be restarted there counts as a crash. atheris then looks for new
paths in the decoder and in the wire mapping."""
_TABLE = """\
Refused / taken for an image, by format and kind of damage. A file may be damaged and still be a picture, which is then
judged like any other."""


def section(measured: Sequence[Target], tally: Tally, served: Served | None, notes: Sequence[str]) -> str:
    """The section as Markdown."""
    columns = (*FORMATS, "other")
    kinds = sorted({kind for _, kind in (*tally.refused, *tally.taken)})
    decisions = sorted(served.decisions.items()) if served else []
    sampled = ", ".join(f"{count} {word}" for word, count in decisions) or "not run"
    rows = [[kind, *(_cell(tally, form, kind) for form in columns)] for kind in kinds]
    figures = [[each.name, f"{_number(each.value)} {each.unit}", each.target + _missed(each)] for each in measured]
    parts = [
        HEADING,
        _INTRODUCTION,
        _table(["measure", "value", "target"], figures),
        _TABLE,
        _table(["kind", *columns], rows),
        f"The sample through the whole service: {sampled}.",
        *notes,
    ]
    return "\n\n".join(parts) + "\n"


def into_document(text: str) -> None:
    """Replace the section in docs/reliability.md, or add it at the end."""
    document = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else "# Reliability\n"
    before, found, rest = document.partition(HEADING + "\n")
    after = rest[rest.index("\n## ") + 1 :] if found and "\n## " in rest else ""
    DOCUMENT.write_text(before.rstrip("\n") + "\n\n" + text + ("\n" + after if after else ""), encoding="utf-8")


def _cell(tally: Tally, form: str, kind: str) -> str:
    refused, taken = tally.refused[form, kind], tally.taken[form, kind]
    return f"{refused} / {taken}" if refused or taken else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 or value == int(value) else f"{value:.3g}"


def _missed(target: Target) -> str:
    return ", missed" if target.met is False else ""
