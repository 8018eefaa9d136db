"""The one shape of every measurement file: figures, and the targets that they are held against."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OUT = Path(__file__).parents[1] / "out"


@dataclass(frozen=True, slots=True)
class Target:
    """One figure beside what it should be. `met` is None for a figure that is reported without a target."""

    name: str
    value: float
    unit: str
    target: str  # e.g. "<= 20", "" for none
    met: bool | None
    command: str
    low: float | None = None  # 95 % interval of `value`, where it is an estimate
    high: float | None = None


def at_most(
    name: str,
    value: float,
    limit: float,
    unit: str,
    command: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Target:
    """A figure that should not exceed `limit`."""
    return Target(name, float(value), unit, f"<= {limit:g}", bool(value <= limit), command, low, high)


def at_least(
    name: str,
    value: float,
    limit: float,
    unit: str,
    command: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Target:
    """A figure that should reach `limit`."""
    return Target(name, float(value), unit, f">= {limit:g}", bool(value >= limit), command, low, high)


def reported(
    name: str, value: float, unit: str, command: str, *, low: float | None = None, high: float | None = None
) -> Target:
    """A figure that has no target."""
    return Target(name, value, unit, "", None, command, low, high)


def write(path: Path, targets: Sequence[Target], **figures: Any) -> None:
    """Write `figures`, the machine and the targets to `path` as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        **figures,
        "targets": [asdict(target) for target in targets],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def machine() -> Mapping[str, Any]:
    """What the figures were taken on."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def _cpuinfo() -> Sequence[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else ()


def show(targets: Sequence[Target], title: str) -> None:
    """Print the targets as a table."""
    table = Table("measure", "value", "target", "met", title=title)
    for target in targets:
        met = {True: "[green]yes", False: "[red]no", None: "-"}[target.met]
        between = "" if target.low is None else f" ({target.low:.4g} to {target.high:.4g})"
        table.add_row(target.name, f"{target.value:.4g} {target.unit}{between}", target.target, met)
    Console().print(table)
