"""gatepostd console: the review console, and who may use it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gatepost_server.cli.ready import announce
from gatepost_server.cli.settings import SettingsError, read_table
from gatepost_server.cli.state import state_folder

if TYPE_CHECKING:
    from gatepost_server.console.settings import ConsoleSettings
    from gatepost_server.gateway.settings import GatewaySettings
    from gatepost_server.records.accounts import Account, AccountRole
    from gatepost_server.records.sql_accounts import SqlAccounts

_Answer = TypeVar("_Answer")

_ALONE, _BESIDE = "127.0.0.1:8080", "127.0.0.1:0"  # where it listens unless told: alone, and in `up`
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_SHARED = (
    "record",
    "record_images",
    "image_keys",
    "bank",
    "ticket_keys",
    "ticket_issuer",
    "policies",
    "default_policy",
)

console = typer.Typer(help="Run the review console alone, until SIGTERM or Ctrl-C; manage its accounts.")
user = typer.Typer(no_args_is_help=True, help="Accounts of the console.")
console.add_typer(user, name="user")

Config = Annotated[
    Path | None, typer.Option(envvar="GATEPOST_CONFIG", dir_okay=False, exists=True, help="A TOML file of settings.")
]
State = Annotated[
    Path | None,
    typer.Option(
        envvar="GATEPOST_STATE",
        file_okay=False,
        help="The state folder of `gatepostd up`, where settings name no other places.",
        show_default="the user's state folder",
    ),
]
Name = Annotated[str, typer.Argument(help="Small letters, digits and . _ @ -")]
Role = Annotated[str, typer.Option(help="viewer, reviewer or admin.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def read_console(config: Path | None, gateway: GatewaySettings) -> ConsoleSettings:
    """[console], with the gateway's value for what both have. Raises SettingsError."""
    from gatepost_server.console.settings import ConsoleSettings

    said = read_table(ConsoleSettings, "console", config, {})
    shared = {name: getattr(gateway, name) for name in _SHARED if getattr(said, name) is None}
    return said.model_copy(update=shared)


@contextlib.asynccontextmanager
async def serving_console(settings: ConsoleSettings, *, default: str = _BESIDE) -> AsyncIterator[str]:
    """The console, while the block runs; its address. Raises OSError, ValueError, PolicyError."""
    from gatepost_server.console.app import application
    from gatepost_server.console.opening import opened
    from gatepost_server.gateway.http import listening

    listen = settings.listen or default
    async with opened(settings) as parts, contextlib.AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(listening(application(parts), listen))
        except OSError as error:
            raise OSError(f"the console cannot listen on {listen}: {error}") from error
        yield address


@console.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    config: Config = None,
    state: State = None,
    ready_file: Annotated[Path | None, typer.Option(help="JSON with the address and the process id.")] = None,
) -> None:
    """Run the review console alone, until SIGTERM or Ctrl-C; or manage its accounts."""
    from gatepost_server.policy.load import PolicyError
    from gatepost_server.tickets.folder import RingError

    if context.invoked_subcommand is not None:
        context.obj = (config, state)
        return
    with _failures(SettingsError, OSError, ValueError, PolicyError, RingError):
        settings = _settings(config, state)
        asyncio.run(_until_told(settings, lambda address: announce(ready_file, console=address)))


@user.command()
def add(context: typer.Context, name: Name, role: Role, password_stdin: PasswordStdin = False) -> None:
    """Make an account. Its password is asked for, twice."""
    from gatepost_server.console.passwords import hashed
    from gatepost_server.records.accounts import Account

    with _failures(SettingsError, OSError, ValueError):
        if not _NAME.fullmatch(name):
            raise ValueError("a name has small letters, digits and . _ @ -, 64 at most")
        account = Account(name, _role(role), hashed(_password(password_stdin)))
        if not asyncio.run(_with_accounts(context, lambda accounts: accounts.add(account))):
            raise ValueError(f"there is an account {name} already")
    typer.echo(f"{name} may sign in, as {account.role}")


@user.command("list")
def list_users(context: typer.Context) -> None:
    """Every account: name, role, and whether it can be used."""
    with _failures(SettingsError, OSError, ValueError):
        for each in asyncio.run(_with_accounts(context, lambda accounts: accounts.everybody())):
            typer.echo(f"{each.name}  {each.role}  {'disabled' if each.disabled else 'active'}")


@user.command()
def password(context: typer.Context, name: Name, password_stdin: PasswordStdin = False) -> None:
    """Give an account another password, and end its sessions."""
    from gatepost_server.console.passwords import hashed

    with _failures(SettingsError, OSError, ValueError):
        kept = hashed(_password(password_stdin))
        asyncio.run(_changed(context, name, lambda account: replace(account, password=kept)))
    typer.echo(f"{name} has another password")


@user.command("role")
def set_role(context: typer.Context, name: Name, role: Annotated[str, typer.Argument(help="The new one.")]) -> None:
    """Give an account another role, and end its sessions."""
    with _failures(SettingsError, OSError, ValueError):
        asyncio.run(_changed(context, name, lambda account: replace(account, role=_role(role))))
    typer.echo(f"{name} is {role} now")


@user.command()
def disable(context: typer.Context, name: Name) -> None:
    """Nobody signs in with it any more, and whoever is signed in is out. What they did stays theirs."""
    with _failures(SettingsError, OSError, ValueError):
        asyncio.run(_changed(context, name, lambda account: replace(account, disabled=True)))
    typer.echo(f"{name} is disabled")


@user.command()
def enable(context: typer.Context, name: Name) -> None:
    """The account can be used again."""
    with _failures(SettingsError, OSError, ValueError):
        asyncio.run(_changed(context, name, lambda account: replace(account, disabled=False)))
    typer.echo(f"{name} may sign in")


async def _until_told(settings: ConsoleSettings, ready: Callable[[str], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving_console(settings, default=_ALONE) as address:
        ready(f"http://{address}")
        await stop.wait()


async def _with_accounts(context: typer.Context, work: Callable[[SqlAccounts], Awaitable[_Answer]]) -> _Answer:
    from gatepost_server.console.opening import opened_accounts

    config, state = context.obj
    async with opened_accounts(_settings(config, state)) as accounts:
        return await work(accounts)


async def _changed(context: typer.Context, name: str, change: Callable[[Account], Account]) -> None:
    async def changing(accounts: SqlAccounts) -> None:
        account = await accounts.find(name)
        if account is None:
            raise ValueError(f"there is no account {name}")
        await accounts.change(change(account))

    await _with_accounts(context, changing)


def _settings(config: Path | None, state: Path | None) -> ConsoleSettings:
    from gatepost_server.cli.app import make_ring, read_gateway, start_logs, with_state

    start_logs(config)
    said = read_gateway(config, None)
    gateway = with_state(said, state_folder(state))
    settings = read_console(config, gateway)
    if said.ticket_keys is None and settings.ticket_keys == gateway.ticket_keys:
        make_ring(gateway)  # as `up` does; a folder that somebody named is there, or it is a mistake
    return settings


def _role(said: str) -> AccountRole:
    from gatepost_server.records.accounts import AccountRole

    try:
        return AccountRole(said)
    except ValueError:
        raise ValueError(f"a role is one of {', '.join(AccountRole)}") from None


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    said: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return said


@contextlib.contextmanager
def _failures(*kinds: type[Exception]) -> Iterator[None]:
    from gatepost_server.domain.errors import GatepostError

    expected: tuple[type[Exception], ...] = (*kinds, GatepostError)
    try:
        yield
    except expected as error:
        typer.echo(f"gatepostd: {error}", err=True)
        raise typer.Exit(1) from None
