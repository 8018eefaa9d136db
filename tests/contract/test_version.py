"""One version, said in one place, that the change log is ready for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from gatepost_client import __version__

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", [".", "proto", "clients/python"])
def test_every_distribution_reads_it_from_the_same_file(folder: str) -> None:
    said = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
    assert said["project"]["dynamic"] == ["version"]
    read = (ROOT / folder / said["tool"]["hatch"]["version"]["path"]).resolve()
    assert read == ROOT / "clients" / "python" / "gatepost_client" / "_version.py"


def test_the_change_log_begins_with_what_comes_or_with_this_version() -> None:
    first = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] in ("Unreleased", __version__)
    assert str(Version(__version__)) == __version__
