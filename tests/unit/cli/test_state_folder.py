"""Commands that change what a gateway reads agree with `up` on where that is."""

import pytest
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.cli.state import state_folder


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["tokens", "new", "--tenant", "cards"], "credentials.json"),
        (["keys", "init"], "ticket-keys/ring.json"),
        (["bank", "list"], "bank.db"),
    ],
)
def test_what_a_command_makes_is_in_the_state_folder_that_the_environment_names(tmp_path, monkeypatch, arguments, made):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "users"))
    monkeypatch.setenv("GATEPOST_STATE", str(tmp_path / "named"))
    (tmp_path / "named").mkdir()
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "named" / made).is_file()
    assert not (tmp_path / "users").exists()


def test_a_purge_looks_for_the_record_there(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEPOST_STATE", str(tmp_path))
    result = CliRunner().invoke(app, ["purge", "--older-than", "1", "--dry-run"])
    assert result.exit_code == 1
    assert f"there is no record {tmp_path / 'record.db'}" in result.output


def test_a_folder_that_is_said_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEPOST_STATE", str(tmp_path / "named"))
    assert state_folder(tmp_path / "said") == tmp_path / "said"
    assert state_folder() == tmp_path / "named"
    monkeypatch.delenv("GATEPOST_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "users"))
    assert state_folder() == tmp_path / "users" / "gatepost"
