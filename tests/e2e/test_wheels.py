"""The three wheels, installed into an environment of their own, are a whole gatepost.

Third-party packages would be gigabytes to fetch, so the environment borrows the locked ones: a .pth file names this
environment's site-packages. Python reads no .pth files in a folder that is named so, and gatepost is installed here by
.pth files alone (editable), so that no module of ours can come from there: the first test makes sure.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.stack import wait_ready

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "benchmarks" / "demo" / "cards"
PACKAGES = ("gatepost.v1", "gatepost_client", "gatepost_server")

pytestmark = pytest.mark.timeout(600)


class Place:
    """A virtual environment and a folder to work in, both far from the repository."""

    def __init__(self, folder: Path) -> None:
        self.prefix, self.work = folder / "env", folder / "work"
        self.work.mkdir()
        venv.create(self.prefix, symlinks=True)
        self.packages = Path(sysconfig.get_path("purelib", vars={"base": str(self.prefix)}))
        (self.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEPOST_", "PYTHON"))}
        self.environment = {**kept, "PATH": f"{self.prefix / 'bin'}:/usr/bin:/bin", "VIRTUAL_ENV": str(self.prefix)}

    def run(self, *command: str | Path, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.prefix / "bin" / str(command[0])), *map(str, command[1:])],
            cwd=self.work, env=self.environment, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip

    def finds(self, package: str) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-c", f"import {package} as found; print(found.__path__[0])")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    dist = tmp_path_factory.mktemp("dist")
    for folder in ("proto", "clients/python", "."):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)]
        subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True, timeout=300)
    return sorted(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def installed(place: Place, wheels: list[Path]) -> Place:
    for package in PACKAGES:
        absent = place.finds(package)
        assert absent.returncode != 0, f"{package} is there before its wheel: {absent.stdout}"
        assert "ModuleNotFoundError" in absent.stderr
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(place.prefix / "bin" / "python"),
        "install",
        "--no-index",
        "--no-deps",
    ]
    done = subprocess.run([*pip, *map(str, wheels)], env=place.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.fixture(scope="module")
def address(installed: Place) -> Iterator[str]:
    """Where a gatepostd of the wheels listens."""
    ready, log = installed.work / "ready.json", installed.work / "log"
    command = [
        installed.prefix / "bin" / "gatepostd",
        "up",
        "--port",
        "0",
        "--state",
        installed.work / "state",
        "--ready-file",
        ready,
    ]
    with log.open("wb") as stream:
        child = subprocess.Popen(
            command, cwd=installed.work, env={**installed.environment, "GATEPOST_LOG_FORMAT": "json"}, stdout=stream, stderr=stream
        )  # fmt: skip
    try:
        wait_ready(child, ready, log, seconds=300.0)
        yield json.loads(ready.read_text())["grpc"]
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(120)


def test_there_are_three_wheels_of_one_version(wheels: list[Path]) -> None:
    named = [wheel.name.split("-")[:2] for wheel in wheels]
    assert [name for name, _ in named] == ["gatepost", "gatepost_client", "gatepost_proto"]
    assert len({version for _, version in named}) == 1


def test_every_module_of_ours_comes_from_a_wheel(installed: Place) -> None:
    for package in PACKAGES:
        found = installed.finds(package)
        assert found.returncode == 0, found.stderr
        assert Path(found.stdout.strip()).is_relative_to(installed.packages)
    paths = installed.run("python", "-c", "import json, sys; print(json.dumps(sys.path))").stdout
    here = [path for path in map(Path, json.loads(paths)) if path.is_relative_to(ROOT)]
    assert [path for path in here if path != Path(sysconfig.get_path("purelib"))] == []


def test_both_command_lines_tell_the_wheels_version(installed: Place, wheels: list[Path]) -> None:
    version = wheels[0].name.split("-")[1]
    assert f" {version} " in installed.run("gatepost", "version").stdout
    code = "from importlib.metadata import version; print(*{version(n) for n in ('gatepost', 'gatepost-client', 'gatepost-proto')})"
    assert installed.run("python", "-c", code).stdout.split() == [version]


def test_gatepost_check_asks_the_gatepostd_of_the_wheels(installed: Place, address: str) -> None:
    cards = [CARDS / "new_year.jpg", CARDS / "new_year_replaced.jpg"]
    asked = [
        "--expected-text",
        "新年快乐",
        "--expected-text",
        "仕途顺遂",
        "--json",
        "--timeout",
        "120",
        "--target",
        address,
    ]
    done = installed.run("gatepost", "check", *cards, *asked)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["decision"] for answer in answers] == ["ALLOW", "BLOCK"], done.stdout + done.stderr
    assert done.returncode == 1  # some were not allowed


def test_triton_loads_the_models_of_the_wheel(installed: Place, address: str) -> None:
    log = (installed.work / "log").read_text()
    (settings,) = [json.loads(line) for line in log.splitlines() if '"event": "settings"' in line]
    repository = Path(settings["triton"]["repository"])
    assert repository.is_relative_to(installed.packages)
    stubs = [
        process.cmdline()
        for process in psutil.process_iter(["cmdline"])
        if str(repository) in " ".join(process.info["cmdline"] or [])
    ]
    assert len([stub for stub in stubs if stub[0].endswith("triton_python_backend_stub")]) == 6
