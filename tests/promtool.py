"""A real promtool for tests: the machine's, or Debian's package unpacked into the cache. Nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from platformdirs import user_cache_path


def promtool() -> str:
    """Skips the test, and says so, where there is none to be had."""
    unpacked = user_cache_path("gatepost") / "tests" / "prometheus" / "usr" / "bin" / "promtool"
    found = shutil.which("promtool") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        try:
            _unpack(unpacked.parents[2])
            found = str(unpacked)
        except (OSError, StopIteration, subprocess.SubprocessError) as error:
            pytest.skip(f"ALERTS NOT TESTED: promtool is not installed, and Debian's package cannot be had: {error}")
    return found


def run(*arguments: str | os.PathLike[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """promtool's answer."""
    return subprocess.run(
        [promtool(), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )


def _unpack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "prometheus"], cwd=folder, check=True, capture_output=True, timeout=120)
    package = next(folder.glob("prometheus_*.deb"))
    subprocess.run(["dpkg", "-x", package.name, "."], cwd=folder, check=True, capture_output=True, timeout=120)
    package.unlink()
