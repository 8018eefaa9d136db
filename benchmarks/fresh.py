"""`make bench-fresh`: what the README's two commands take on a fresh clone, and whether they work there at all.

Clones the committed state into an empty folder (nothing that was installed or built by hand goes along) and
runs `make demo` and `make test` in it. pip's own download cache is left as it is on this machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import targets

COMMAND = "make bench-fresh"
REPORT = targets.OUT / "bench" / "fresh.json"
SOURCE = Path(__file__).parents[1]


def main() -> int:
    """Clone, run both, write the report; 1 when one of them fails."""
    with tempfile.TemporaryDirectory(prefix="gatepost-fresh-") as scratch:
        clone = Path(scratch) / "gatepost"
        subprocess.run(["git", "clone", "--quiet", str(SOURCE), str(clone)], check=True)
        rows: list[targets.Target] = []
        for target in ("demo", "test"):
            started = time.monotonic()
            finished = subprocess.run(["make", target], cwd=clone, check=False)
            rows.append(targets.reported(f"fresh make {target}", time.monotonic() - started, "s", COMMAND))
            rows.append(targets.at_most(f"fresh make {target}, exit status", finished.returncode, 0, "", COMMAND))
        size = sum(f.lstat().st_size for f in (clone / ".venv").rglob("*") if f.is_file() and not f.is_symlink())
        rows.append(targets.reported("install size (.venv)", size / 1e9, "GB", COMMAND))
    targets.write(REPORT, rows)
    targets.show(rows, "fresh clone")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
