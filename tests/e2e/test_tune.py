"""gatepostd tune with the shipped models: a file that gatepostd up reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost_server.cli.tuning.tuned import Machine, read
from tests.e2e.conftest import CARDS

pytestmark = pytest.mark.timeout(600)


def test_one_core_is_measured_and_keeps_the_defaults(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "card.jpg").write_bytes((CARDS / "new_year.jpg").read_bytes())
    command = [sys.executable, "-m", "gatepost_server.cli", "tune", "--state", str(tmp_path), "--images", str(images)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    done = subprocess.run(
        [*command, "--cores", "1", "--turn", "0.1"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "the defaults" in done.stdout
    tuned = read(tmp_path / "tuned.toml")
    assert tuned.machine == Machine.here()
    assert set(tuned.triton.instances.values()) == {1}
    assert set(tuned.triton.parameters.values()) == {"1"}
    assert 1 <= tuned.gateway.background_images <= tuned.gateway.max_images_in_flight
