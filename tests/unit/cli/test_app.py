"""gatepostd's command line, short of starting anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.cli.ready import announce
from gatepost_server.cli.stopping import stop_on_signals

POLICIES = Path(__file__).parents[3] / "services" / "gatepost_server" / "policy" / "policies"


@pytest.fixture
def run():
    """Runs a command in this process, with logs of its own that end with it."""
    before = structlog.get_config()
    yield lambda *arguments, **options: CliRunner().invoke(app, [*map(str, arguments)], **options)
    structlog.configure(**before)


def test_a_good_policy_file_is_named_with_its_version(run):
    result = run("policy", "check", POLICIES / "greeting-card.yaml")
    assert result.exit_code == 0
    assert "greeting-card, version " in result.stdout


def test_a_bad_policy_file_is_named_and_good_ones_beside_it_still_checked(run, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nthresholds_of_mine: 1\n")
    result = run("policy", "check", bad, POLICIES / "strict.yaml")
    assert result.exit_code == 1
    assert "bad.yaml" in result.stderr
    assert "strict, version " in result.stdout


@pytest.mark.parametrize("command", ["up", "triton", "gateway"])
def test_settings_that_make_no_sense_end_it_with_a_line_and_no_traceback(run, tmp_path, command):
    config = tmp_path / "gatepost.toml"
    config.write_text("[triton]\nhots = 1\n[gateway]\nhots = 1\n")
    result = run(command, "--config", config)
    assert result.exit_code == 1
    assert "hots" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_instance_count_for_no_model_ends_it_with_a_line(run, tmp_path):
    environment = {"GATEPOST_TRITON_INSTANCES__LUNCH": "1", "GATEPOST_TRITON_CACHE": str(tmp_path)}
    result = run("triton", env=environment)
    assert result.exit_code == 1
    assert "no model named lunch" in result.stderr


def test_the_policy_of_the_command_line_needs_no_models(tmp_path):
    """Importing torch to check a file of YAML would take seconds."""
    code = (
        "import sys\nfrom gatepost_server.cli.app import app\n"
        f"app(['policy', 'check', {str(POLICIES / 'strict.yaml')!r}], standalone_mode=False)\n"
        "print(sorted({'torch', 'cv2', 'grpc', 'tritonclient'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_ready_file_holds_the_addresses_and_this_process(tmp_path, capsys):
    announce(tmp_path / "ready.json", grpc="127.0.0.1:5", triton="127.0.0.1:6")
    assert json.loads((tmp_path / "ready.json").read_text()) == {
        "grpc": "127.0.0.1:5",
        "triton": "127.0.0.1:6",
        "pid": os.getpid(),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
    assert capsys.readouterr().out == "gatepost is ready: grpc on 127.0.0.1:5, triton on 127.0.0.1:6\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_set_the_event_only_inside_the_block(number):
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) == before
