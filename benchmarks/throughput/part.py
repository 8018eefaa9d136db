"""One part of `make bench`: what it measured, kept in a file of its own so that parts can be run one at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import targets
from benchmarks.targets import Target

FOLDER = targets.OUT / "bench" / "parts"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for the table, and figures behind them for plots, the simulation and `gatepostd capacity`."""

    rows: Sequence[Target]
    figures: Mapping[str, Any] = field(default_factory=dict)


def command(name: str) -> str:
    """What measures the part again."""
    return f"make bench PART={name}"


def keep(name: str, part: Part, load_before: float, folder: Path = FOLDER) -> None:
    """Write the part down. `load_before` is the machine's load average when it began: other work disturbs figures."""
    targets.write(folder / f"{name}.json", part.rows, load_before=load_before, **part.figures)


def kept(names: Sequence[str], folder: Path = FOLDER) -> dict[str, Any]:
    """The parts that have been measured, as documents by name, in the order of `names`."""
    files = {name: folder / f"{name}.json" for name in names}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}


def load_average() -> float:
    """Over the last minute."""
    return round(os.getloadavg()[0], 2)
