"""The three wheels, installed into an environment of their own (tests/places.py), are a whole gatepost."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.stack import wait_ready
from tests.e2e.conftest import CARDS
from tests.places import LOCKED, PACKAGES, ROOT, Place

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Place:
    made = Place(tmp_path_factory.mktemp("place"))
    made.install(wheels)
    return made


@pytest.fixture(scope="module")
def address(place: Place) -> Iterator[str]:
    """Where a gatepostd of the wheels listens."""
    ready, log = place.work / "ready.json", place.work / "log"
    command = [place.program("gatepostd"), "up", "--port", "0", "--state", str(place.work / "state")]
    environment = {**place.environment, "GATEPOST_LOG_FORMAT": "json"}
    with log.open("wb") as stream:
        child = subprocess.Popen(
            [*command, "--ready-file", str(ready)], cwd=place.work, env=environment, stdout=stream, stderr=stream
        )
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


def test_every_module_of_ours_comes_from_a_wheel(place: Place) -> None:
    for package in PACKAGES:
        found = place.finds(package)
        assert found.returncode == 0, found.stderr
        assert Path(found.stdout.strip()).is_relative_to(place.packages)
    paths = place.run("python", "-c", "import json, sys; print(json.dumps(sys.path))").stdout
    assert [path for path in map(Path, json.loads(paths)) if path.is_relative_to(ROOT)] in ([LOCKED], [])


def test_both_command_lines_are_of_the_wheels_version(place: Place, wheels: list[Path]) -> None:
    version = wheels[0].name.split("-")[1]
    assert f" {version} " in place.run("gatepost", "version").stdout
    names = "('gatepost', 'gatepost-client', 'gatepost-proto')"
    code = f"from importlib.metadata import version; print(*{{version(name) for name in {names}}})"
    assert place.run("python", "-c", code).stdout.split() == [version]


def test_gatepost_check_asks_the_gatepostd_of_the_wheels(place: Place, address: str) -> None:
    cards = [CARDS / "new_year.jpg", CARDS / "new_year_replaced.jpg"]
    asked = ["--expected-text", "新年快乐", "--expected-text", "仕途顺遂", "--json", "--timeout", "120"]
    done = place.run("gatepost", "check", *cards, *asked, "--target", address)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["decision"] for answer in answers] == ["ALLOW", "BLOCK"], done.stdout + done.stderr
    assert done.returncode == 1  # some were not allowed


def test_triton_loads_the_models_of_the_wheel(place: Place, address: str) -> None:
    log = (place.work / "log").read_text()
    (settings,) = [json.loads(line) for line in log.splitlines() if '"event": "settings"' in line]
    repository = Path(settings["triton"]["repository"])
    assert repository.is_relative_to(place.packages)
    stubs = [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if str(repository) in " ".join(process.info["cmdline"] or [])
    ]
    models = [stub for stub in stubs if stub[0].endswith("triton_python_backend_stub")]
    assert len(models) == len(list(repository.glob("*/1/model.py")))


def test_the_sample_cards_of_tune_come_with_the_wheel(place: Place) -> None:
    told = place.run("python", "-c", "from gatepost_server.cli.tune import sample_cards; print(sample_cards())").stdout
    folder = Path(told.strip())
    assert folder.is_relative_to(place.packages)
    assert (folder / "new_year.jpg").read_bytes() == (CARDS / "new_year.jpg").read_bytes()
