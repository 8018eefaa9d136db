"""An environment of its own for the three wheels: third-party packages are borrowed, ours are not.

To fetch the packages anew would be gigabytes. So a .pth file names a folder that has them. Python reads no .pth files in a
folder that is named so, and gatepost is installed in this environment by .pth files alone (editable): no module of ours can
come from there. `Place.install` makes sure of it before the wheels come.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("gatepost.v1", "gatepost_client", "gatepost_server")
LOCKED = Path(sysconfig.get_path("purelib"))


def build_wheels(into: Path) -> list[Path]:
    """gatepost, gatepost-client and gatepost-proto, in this order."""
    for folder in ("proto", "clients/python", "."):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
        subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True, timeout=300)
    return sorted(into.glob("*.whl"))


def only(lock: str, into: Path) -> Path:
    """A folder of links to the packages that requirements/<lock>.lock pins, and no others."""
    into.mkdir()
    for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{lock}.lock").read_text(), re.MULTILINE):
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            link = into / top
            if not link.exists():
                link.symlink_to(LOCKED / top)
    return into


class Place:
    """A virtual environment and a folder to work in, both far from the repository."""

    def __init__(self, folder: Path, borrowed: Path = LOCKED) -> None:
        self.prefix, self.work = folder / "env", folder / "work"
        self.work.mkdir(parents=True)
        venv.create(self.prefix, symlinks=True)
        self.packages = Path(sysconfig.get_path("purelib", vars={"base": str(self.prefix)}))
        (self.packages / "borrowed.pth").write_text(f"{borrowed}\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEPOST_", "PYTHON"))}
        self.environment = {**kept, "PATH": f"{self.prefix / 'bin'}:/usr/bin:/bin", "VIRTUAL_ENV": str(self.prefix)}

    def program(self, name: str) -> str:
        return str(self.prefix / "bin" / name)

    def run(self, name: str, *arguments: str | Path, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        command = [self.program(name), *map(str, arguments)]
        return subprocess.run(
            command, cwd=self.work, env=self.environment, capture_output=True, text=True, timeout=timeout
        )

    def finds(self, package: str) -> subprocess.CompletedProcess[str]:
        """Where a package is: its folder on standard output, or what Python said."""
        return self.run("python", "-c", f"import {package} as found; print(found.__path__[0])")

    def install(self, wheels: Sequence[Path]) -> None:
        """The wheels, into an environment where nothing of ours is."""
        for package in PACKAGES:
            absent = self.finds(package)
            assert absent.returncode != 0, f"{package} is there before its wheel: {absent.stdout}"
            assert "ModuleNotFoundError" in absent.stderr
        pip = [sys.executable, "-m", "pip", "--python", self.program("python"), "install", "--no-index", "--no-deps"]
        done = subprocess.run(
            [*pip, *map(str, wheels)], env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
