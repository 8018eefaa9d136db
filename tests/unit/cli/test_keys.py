"""gatepostd keys, and the ring that `gatepostd up` makes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gatepost_client.tickets import Jwks
from gatepost_server.cli.app import app, make_ring, with_state
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.tickets.folder import KeyFolder


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "ring"
    environment = {"GATEPOST_GATEWAY_TICKET_KEYS": str(folder)}

    def run(*arguments: str):
        return CliRunner().invoke(app, ["keys", *arguments], env=environment)

    run.folder = KeyFolder(folder)
    return run


def test_a_ring_is_made_rotated_listed_revoked_and_shown(keys):
    first = keys("init").stdout.split()[0]
    second = keys("rotate", "--lead", "0").stdout.split()[0]
    third = keys("rotate").stdout.split()[0]
    listed = {line.split()[0]: line.split()[1] for line in keys("list").stdout.splitlines()}
    assert listed == {first: "retired", second: "active", third: "next"}
    revoked = keys("revoke", second)
    assert revoked.exit_code == 0
    assert f"{third} signs from now on" in revoked.stdout
    shown = keys("jwks").stdout
    assert {key["kid"] for key in json.loads(shown)["keys"]} == {first, third}
    assert Jwks(shown).find(third)


@pytest.mark.parametrize("arguments", [["rotate"], ["list"], ["jwks"], ["revoke", "0" * 16]])
def test_without_a_ring_it_says_so_in_a_line(keys, arguments):
    result = keys(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("gatepostd: ")
    assert "Traceback" not in result.stderr


def test_a_ring_is_not_made_twice_and_an_unknown_key_not_revoked(keys):
    keys("init")
    assert keys("init").exit_code == 1
    assert keys("revoke", "unknown").exit_code == 1
    assert len(keys.folder.read().keys) == 1


def test_up_makes_a_ring_in_its_state_once_and_opens_the_page(tmp_path):
    settings = with_state(GatewaySettings.load(), tmp_path / "state")
    for _ in range(2):
        make_ring(settings)
    assert settings.ticket_keys == tmp_path / "state" / "ticket-keys"
    assert len(KeyFolder(settings.ticket_keys).read().keys) == 1
    assert settings.http_listen == "127.0.0.1:0"


def test_up_keeps_what_the_settings_say(tmp_path):
    said = GatewaySettings.load(ticket_keys=tmp_path / "mine", http_listen="127.0.0.1:8080")
    settings = with_state(said, tmp_path / "state")
    assert (settings.ticket_keys, settings.http_listen) == (tmp_path / "mine", "127.0.0.1:8080")
