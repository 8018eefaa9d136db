"""The locks, pyproject.toml and what is installed say the same. Needs no network: the closure is walked over the
installed packages' own metadata."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
OURS = {"gatepost", "gatepost-client", "gatepost-proto"}


def pins_of(lock: str) -> dict[str, tuple[Requirement, int]]:
    """`name==version` and the number of its hashes, of the pins that hold on this platform."""
    joined = re.sub(r"\\\n\s*", " ", (REQUIREMENTS / f"{lock}.lock").read_text())
    lines = [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    pins: dict[str, tuple[Requirement, int]] = {}
    for line in lines:
        requirement = Requirement(line.partition(" --hash")[0])
        if requirement.marker is None or requirement.marker.evaluate():
            pins[canonicalize_name(requirement.name)] = (
                requirement,
                len(re.findall("--hash=sha256:[0-9a-f]{64}", line)),
            )
    return pins


def version_in(requirement: Requirement) -> str:
    """The version that is pinned, without the "+cpu" of a build."""
    (pin,) = requirement.specifier
    assert pin.operator == "=="
    return Version(pin.version).public


LOCKS = [path.stem for path in sorted(REQUIREMENTS.glob("*.lock"))]
EVERYTHING = {name: pin for lock in ("gatepost", "torch-cpu") for name, (pin, _) in pins_of(lock).items()}


def applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""})


def closure() -> dict[str, list[Requirement]]:
    """Everything that gatepost, with these extras, asks for here, near and far, with each asker's requirement."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = ("triton", "gateway", "rescan", "console", "tracing", "dev")
    lines = [*project["dependencies"], *(line for extra in wanted for line in extras[extra])]
    waiting = [requirement for requirement in map(Requirement, lines) if applies(requirement, set())]
    asked: dict[str, list[Requirement]] = {}
    walked: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        asked.setdefault(name, []).append(requirement)
        if (key := (name, frozenset(requirement.extras))) not in walked:
            walked.add(key)
            needs = map(Requirement, distribution(name).requires or [])
            waiting += [need for need in needs if applies(need, requirement.extras)]
    return asked


def test_everything_that_is_asked_for_is_locked_in_a_version_that_fits() -> None:
    asked = closure()
    unlocked = set(asked) - set(EVERYTHING) - OURS
    assert not unlocked, "make lock"
    unfit = [
        f"{requirement} against {EVERYTHING[name]}"
        for name, requirements in asked.items()
        for requirement in requirements
        if name not in OURS and not requirement.specifier.contains(version_in(EVERYTHING[name]), prereleases=True)
    ]
    assert not unfit


def test_nothing_is_locked_that_nobody_asks_for() -> None:
    assert set(EVERYTHING) - set(closure()) == {"rapidocr"}  # a carrier of weights, in gatepost.in


@pytest.mark.parametrize("lock", ["build", "torch-cpu", "gatepost"])
def test_what_is_installed_is_what_is_locked(lock: str) -> None:
    pinned = {name: version_in(pin) for name, (pin, _) in pins_of(lock).items()}
    assert pinned == {name: Version(distribution(name).version).public for name in pinned}, "make setup"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_has_a_hash(lock: str) -> None:
    pins = pins_of(lock)
    assert pins
    for pin, hashes in pins.values():
        assert version_in(pin)
        assert hashes > 0, pin


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_agree_with_each_other(lock: str) -> None:
    shared = {name: version_in(pin) for name, (pin, _) in pins_of(lock).items() if name in EVERYTHING}
    assert shared == {name: version_in(EVERYTHING[name]) for name in shared}


def test_the_resolver_was_told_about_the_torch_that_is_locked() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["dependency-metadata"]
    assert {entry["name"]: entry["version"] for entry in told} == {
        name: version_in(EVERYTHING[name]) for name in ("rapidocr", "torch")
    }
