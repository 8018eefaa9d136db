"""The gateway beside an echo, from its own benchmark (benchmarks/gateway_echo), a shorter run of it by default."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields

from benchmarks.gateway_echo.__main__ import REPORT
from benchmarks.targets import Target
from benchmarks.throughput.part import Part

NAME = "gateway"
SHORT = ("--rounds", "3", "--seconds", "1.5")
_FIELDS = tuple(each.name for each in fields(Target))


def measure(full: bool) -> Part:
    """Its rows as they are. Raises RuntimeError where it wrote nothing new."""
    before = REPORT.stat().st_mtime_ns if REPORT.exists() else 0
    ended = subprocess.run([sys.executable, "-m", "benchmarks.gateway_echo", *(() if full else SHORT)], check=False)
    if not REPORT.exists() or REPORT.stat().st_mtime_ns == before:
        raise RuntimeError(f"benchmarks.gateway_echo ended with {ended.returncode} and wrote no figures")
    document = json.loads(REPORT.read_text(encoding="utf-8"))
    return Part([Target(**{name: row.get(name) for name in _FIELDS}) for row in document["targets"]])
