"""Fails when the committed stubs differ from what the .proto files generate."""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROTO = Path(__file__).parents[1] / "proto"


def drifted() -> list[str]:
    """Names of generated files that are missing or differ from a fresh generation."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "proto"
        shutil.copytree(PROTO, fresh, ignore=shutil.ignore_patterns("*_pb2*", "__pycache__"))
        environment = {"PYTHON": sys.executable, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        subprocess.run([fresh / "generate.sh"], check=True, env=environment)
        generated = sorted(p.relative_to(fresh) for p in fresh.rglob("*_pb2*"))
        committed = sorted(p.relative_to(PROTO) for p in PROTO.rglob("*_pb2*") if "__pycache__" not in p.parts)
        differing = [p for p in generated if p in committed and not filecmp.cmp(fresh / p, PROTO / p, shallow=False)]
        return [str(p) for p in {*differing, *set(generated).symmetric_difference(committed)}]


if __name__ == "__main__":
    if names := drifted():
        sys.exit(f"run `make proto`: the stubs do not match the .proto files: {', '.join(sorted(names))}")
