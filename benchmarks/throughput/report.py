"""What the parts measured as out/bench/cpu.json, as tables in docs/performance.md, and as pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import targets
from benchmarks.evaluate.report.page import filled
from benchmarks.throughput import plots

REPORT = targets.OUT / "bench" / "cpu.json"
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
SHORT = frozenset({"gateway"})  # of these the page has the rows with a target; the others are in the report
BUSY = 0.7  # load average before a part, from which the page says that other work disturbed it

PICTURES = {  # of these parts, shown where they were measured
    "latency": "![Waits and images a second by callers at a time](images/performance-latency.svg)",
    "growth": "![Waits by side, lines of text and frames](images/performance-growth.svg)",
}

Told = Mapping[str, Any]


def write(parts: Mapping[str, Told], report: Path = REPORT, page: Path = PAGE, images: Path = plots.IMAGES) -> None:
    """All three, from the parts that there are; a part that is missing is said to be in the page."""
    figures = {name: {key: part[key] for key in part if key != "targets"} for name, part in parts.items()}
    document = {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(targets.machine()),
        "targets": [row for part in parts.values() for row in part["targets"]],
        "parts": figures,
    }
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    plots.draw(parts, images)
    page.write_text(filled(page.read_text(encoding="utf-8"), blocks(parts)), encoding="utf-8")


def blocks(parts: Mapping[str, Told]) -> dict[str, str]:
    """Every measured block of the page by its name."""
    names = ("peers", "latency", "gateway", "growth", "stream", "startup")
    return {"bench how": how(parts), **{f"bench {name}": _block(name, parts.get(name)) for name in names}}


def _block(name: str, part: Told | None) -> str:
    if part is None:
        return "Not measured yet."
    rows = table(part["targets"], short=name in SHORT)
    return f"{PICTURES[name]}\n\n{rows}" if name in PICTURES else rows


def how(parts: Mapping[str, Told]) -> str:
    """When and on what the parts were measured, and which of them beside other work."""
    if not parts:
        return "Not measured yet."
    machine = next(iter(parts.values()))["machine"]
    when = ", ".join(f"{name} {part['measured'][:16].replace('T', ' ')}" for name, part in parts.items())
    busy = [f"{name} ({part['load_before']:.1f})" for name, part in parts.items() if part["load_before"] >= BUSY]
    beside = (
        f" Beside other work, which makes all slower (load average before it began): {', '.join(busy)}." if busy else ""
    )
    peers = parts.get("peers")
    given = (
        f" {peers['cards']} cards with {peers['lines']} lines; gatepost with {peers['callers']} callers, its own stages"
        f" as they were fastest ({peers['layout'].partition(', ')[2]})."
        if peers
        else ""
    )
    return f"{machine['cpu']}, {machine['cores']} hardware threads; UTC: {when}.{given}{beside}"


def table(rows: Sequence[Told], *, short: bool = False) -> str:
    """Rows as Markdown, those with a target in `short`."""
    made = ["| measure | value | target | command |", "|---|---|---|---|"]
    for row in rows:
        if short and row["met"] is None:
            continue
        missed = ", **missed**" if row["met"] is False else ""
        between = "" if row.get("low") is None else f" ({figure(row['low'])} to {figure(row['high'])})"
        target = row["target"].replace("<=", "≤").replace(">=", "≥") + (f" {row['unit']}" if row["target"] else "")
        value = f"{figure(row['value'])} {row['unit']}{between}"
        made.append(f"| {row['name']} | {value} | {target}{missed} | `{row['command']}` |")
    return "\n".join(made)


def figure(value: float) -> str:
    """Three figures that count, and no more than are needed."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
