"""gatepostd tokens, and what `gatepostd up` makes of its file."""

from __future__ import annotations

import pytest
import structlog
from typer.testing import CliRunner

from gatepost_server.cli.app import app, with_state
from gatepost_server.gateway.credentials.bearer import BearerTokens
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenFile
from gatepost_server.gateway.credentials.watched import WatchedFile
from gatepost_server.gateway.settings import GatewaySettings


@pytest.fixture(autouse=True)
def logs_of_the_next_test_are_its_own():
    """`gatepostd gateway` sets logs up for a process; here they would go to a runner that is closed."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "credentials.json"
    environment = {"GATEPOST_GATEWAY_CREDENTIALS": str(file)}

    def run(*arguments: str):
        return CliRunner().invoke(app, ["tokens", *arguments], env=environment)

    run.file = file
    return run


def test_a_token_is_printed_once_and_lets_its_bearer_in_until_it_is_revoked(tokens):
    made = tokens("new", "--tenant", "cards", "--role", "read", "--id", "ci")
    token = made.stdout.strip()
    assert "ci of cards may read, until" in made.stderr
    found = BearerTokens(WatchedFile(tokens.file, TokenFile.parse))
    assert (found.find(token).tenant, found.find(token).roles) == ("cards", {Role.READ})
    assert tokens("list").stdout.split()[:3] == ["ci", "cards", "active"]
    assert tokens("revoke", "ci").exit_code == 0
    assert found.find(token) is None
    listed = tokens("list").stdout
    assert listed.split()[2] == "revoked"
    assert token not in listed


def test_by_default_a_token_may_moderate_and_read_and_lives_a_year(tokens):
    tokens("new", "--tenant", "cards")
    (entry,) = TokenFile.parse(tokens.file.read_bytes()).tokens
    assert set(entry.roles) == {Role.MODERATE, Role.READ}
    assert (entry.expires - entry.created).days == 365
    tokens("new", "--tenant", "cards", "--days", "0", "--wait", "60")
    entry = TokenFile.parse(tokens.file.read_bytes()).tokens[-1]
    assert entry.expires is None
    assert (entry.not_before - entry.created).seconds == 60


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["revoke", "ci"],
        ["new", "--tenant", "a b"],
        ["new", "--tenant", "cards", "--role", "superuser"],
        ["new", "--tenant", "cards", "--id", "Not An Id"],
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(tokens, arguments):
    result = tokens(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("gatepostd: ")
    assert "Traceback" not in result.stderr


def test_up_asks_for_credentials_once_its_state_holds_tokens(tmp_path):
    assert with_state(GatewaySettings.load(), tmp_path).credentials is None
    (tmp_path / "credentials.json").write_text("{}")
    assert with_state(GatewaySettings.load(), tmp_path).credentials == tmp_path / "credentials.json"
    said = GatewaySettings.load(credentials=tmp_path / "mine.json")
    assert with_state(said, tmp_path).credentials == tmp_path / "mine.json"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("credentials", "hunter2", "mine.file: content: Invalid JSON"),
        ("tenants", "[cards]\nburst = 5", "limits nothing"),
        ("credentials", None, "mine.file: cannot be read"),
    ],
)
def test_a_gateway_with_a_file_that_cannot_be_used_says_so_in_a_line_and_does_not_start(
    tmp_path, name, content, problem
):
    file = tmp_path / "mine.file"
    if content is not None:
        file.write_text(content)
    environment = {f"GATEPOST_GATEWAY_{name.upper()}": str(file), "GATEPOST_GATEWAY_LISTEN": "127.0.0.1:0"}
    result = CliRunner().invoke(app, ["gateway"], env=environment)
    assert result.exit_code == 1
    said = result.stderr.splitlines()[-1]
    assert said.startswith("gatepostd: ")
    assert problem in said
    assert "hunter2" not in result.stderr
