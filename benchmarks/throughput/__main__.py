"""`make bench`: every part in turn, or PART=name alone; FULL=1 measures longer.

Each part keeps what it measured in out/bench/parts, so that a part that failed is run again by itself; from all that
are there out/bench/cpu.json, the tables and pictures of docs/performance.md and docs/scaling.md and the figures that
`gatepostd capacity` falls back on are made anew.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from benchmarks.simulation import report as simulation_report
from benchmarks.simulation import study
from benchmarks.targets import Target, show
from benchmarks.throughput import gateway, growth, latency, peers, report, startup, stream
from benchmarks.throughput.part import Part, keep, kept, load_average
from gatepost_server.cli import capacity

PARTS: Mapping[str, Callable[[bool], Part]] = {
    each.NAME: each.measure for each in (startup, peers, latency, gateway, growth, stream, study)
}


def main() -> int:
    """Measure, write, show; 1 when a target of these parts is missed or a part failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="may be repeated; by default all")
    parser.add_argument("--full", action="store_true", help="longer turns, more rounds")
    parser.add_argument("--report-only", action="store_true", help="measure nothing, write the report anew")
    asked = parser.parse_args()
    os.environ.pop("OMP_NUM_THREADS", None)  # everybody runs with its own defaults
    wanted = [] if asked.report_only else asked.part or list(PARTS)
    failed = [name for name in wanted if not _measured(name, asked.full)]
    parts = kept(list(PARTS))
    report.write(parts)
    capacity.keep([file for file in (report.REPORT, gateway.REPORT) if file.exists()])
    simulation_report.write(parts.get(study.NAME))
    rows = [Target(**row) for name in asked.part or PARTS if name in parts for row in parts[name]["targets"]]
    show([row for row in rows if row.met is not None], "bench")
    if failed:
        print(f"failed, see above: {', '.join(failed)}; each again with make bench PART=name", file=sys.stderr)
    return 0 if not failed and all(row.met is not False for row in rows) else 1


def _measured(name: str, full: bool) -> bool:
    """Whether the part could be measured. One that fails leaves what it measured before as it was."""
    before, started = load_average(), time.monotonic()
    try:
        part = PARTS[name](full)
    except Exception:  # noqa: BLE001 - the other parts are worth their minutes whatever becomes of this one
        traceback.print_exc()
        return False
    keep(name, part, before)
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
