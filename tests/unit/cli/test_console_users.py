"""gatepostd console user: accounts on the command line."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.console.passwords import Passwords
from gatepost_server.records.accounts import Account, AccountRole
from gatepost_server.records.sql_accounts import SqlAccounts

PASSWORD = "correct horse battery"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs `gatepostd console user ...` on a state folder; "" or what went wrong."""
    monkeypatch.setenv("GATEPOST_STATE", str(tmp_path))

    def run(*arguments: str, typed: str = PASSWORD) -> str:
        done = CliRunner().invoke(app, ["console", "user", *arguments], input=f"{typed}\n{typed}\n")
        assert done.exit_code in (0, 1), done.output
        return done.output if arguments[0] == "list" else "" if done.exit_code == 0 else done.output

    return run


@pytest.fixture
def find(tmp_path):
    async def found(name: str) -> Account | None:
        accounts = SqlAccounts.at(str(tmp_path / "record.db"))
        try:
            return await accounts.find(name)
        finally:
            await accounts.close()

    return lambda name: asyncio.run(found(name))


def test_the_first_account_is_made_on_the_command_line_with_a_hash_of_its_password(run, find):
    assert run("add", "ana", "--role", "admin") == ""
    account = find("ana")
    assert account.role is AccountRole.ADMIN
    assert PASSWORD not in account.password
    assert asyncio.run(Passwords().right(account.password, PASSWORD))


def test_a_password_may_come_from_standard_input_and_be_changed(run, find):
    assert run("add", "rui", "--role", "reviewer", "--password-stdin") == ""
    assert run("password", "rui", "--password-stdin", typed="another good one") == ""
    assert asyncio.run(Passwords().right(find("rui").password, "another good one"))


def test_roles_change_and_accounts_are_disabled_and_listed(run, find):
    run("add", "ana", "--role", "admin")
    assert run("role", "ana", "viewer") == ""
    assert run("disable", "ana") == ""
    assert run("list").split() == ["ana", "viewer", "disabled"]
    assert run("enable", "ana") == ""
    assert not find("ana").disabled


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (("add", "Ana", "--role", "admin"), PASSWORD, "small letters"),
        (("add", "rui", "--role", "king"), PASSWORD, "viewer, reviewer, admin"),
        (("add", "rui", "--role", "viewer"), "short", "12 to"),
        (("add", "ana", "--role", "admin"), PASSWORD, "already"),
        (("role", "nobody", "viewer"), PASSWORD, "no account nobody"),
        (("disable", "nobody"), PASSWORD, "no account nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run, arguments, typed, told):
    run("add", "ana", "--role", "admin")
    refused = run(*arguments, typed=typed)
    assert told in refused
    assert "Traceback" not in refused
