from __future__ import annotations

import json

import pytest
import structlog
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.cli.unknown import unknown_variables

PREFIX = "GATEPOST_GATEWAY_"


def test_a_misspelt_setting_is_named():
    assert unknown_variables(["GATEPOST_GATEWAY_TOKEN"], PREFIX, {"tokens"}) == ["GATEPOST_GATEWAY_TOKEN"]


@pytest.mark.parametrize(
    "name",
    [
        "GATEPOST_GATEWAY_TOKENS",
        "GATEPOST_GATEWAY_TLS__KEY",
        "GATEPOST_GATEWAY_SERVICE_HOST",
        "GATEPOST_GATEWAY_SERVICE_PORT_GRPC",
        "GATEPOST_GATEWAY_PORT",
        "GATEPOST_GATEWAY_PORT_50051_TCP_ADDR",
        "GATEPOST_TRITON_HOST",
        "HOME",
    ],
)
def test_known_settings_and_those_of_kubernetes_and_of_others_are_not(name):
    assert unknown_variables([name], PREFIX, {"tokens", "tls"}) == []


def test_the_command_warns_of_it_without_its_value():
    before = structlog.get_config()
    try:
        environment = {"GATEPOST_GATEWAY_TOKEN": "hunter2", "GATEPOST_GATEWAY_LISTEN": "nowhere"}
        result = CliRunner().invoke(app, ["gateway"], env=environment)
    finally:
        structlog.configure(**before)
    warnings = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert {"event": "settings.unknown", "names": ["GATEPOST_GATEWAY_TOKEN"]}.items() <= warnings[0].items()
    assert "hunter2" not in result.output
