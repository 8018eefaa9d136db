"""Where what outlives a restart lies."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from gatepost_server.cli.app import with_state
from gatepost_server.gateway.settings import GatewaySettings


def test_the_backlog_lies_in_the_state_folder_unless_it_has_a_place_of_its_own():
    settings = GatewaySettings.load()
    assert settings.backlog is None
    assert with_state(settings, Path("state")).backlog.get_secret_value() == "state/backlog.db"
    own = settings.model_copy(update={"backlog": SecretStr("postgresql+psycopg://db/gatepost")})
    assert with_state(own, Path("state")).backlog == own.backlog
