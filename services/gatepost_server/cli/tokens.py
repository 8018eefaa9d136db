"""gatepostd tokens: bearer tokens for callers. Running gateways follow by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost_server.cli.state import state_folder

if TYPE_CHECKING:
    from gatepost_server.gateway.credentials.token_file import TokenStore

TOKENS_FILE = "credentials.json"  # in the state folder
_ROLES = ["moderate", "read"]  # what an application needs; credentials.caller.Role has them all

tokens = typer.Typer(no_args_is_help=True, help="Make, list and revoke the bearer tokens that callers show.")

File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        envvar="GATEPOST_GATEWAY_CREDENTIALS",
        dir_okay=False,
        help="The file of hashes.",
        show_default=f"{TOKENS_FILE} in the state folder",
    ),
]


@tokens.command()
def new(
    tenant: Annotated[str, typer.Option(help="Whose it is: a table of the tenants' file, where there is one.")],
    role: Annotated[list[str] | None, typer.Option(help="moderate, read, review or admin; may be repeated.")] = None,
    token_id: Annotated[
        str | None, typer.Option("--id", help="Its name in logs and lists.", show_default="made up")
    ] = None,
    days: Annotated[float, typer.Option(min=0.0, max=36_500.0, help="Days until it expires; 0: never.")] = 365.0,
    wait: Annotated[float, typer.Option(min=0.0, help="Seconds until it is good.")] = 0.0,
    file: File = None,
) -> None:
    """Make a token and print it, once: only its hash is kept. What else is said goes to standard error."""
    from gatepost_server.gateway.credentials.caller import Role
    from gatepost_server.gateway.credentials.watched import FileError

    with _store(file) as store:
        try:
            roles = [Role(each) for each in role or _ROLES]
        except ValueError:
            raise FileError(f"a role is one of {', '.join(Role)}") from None
        token, entry = store.new(
            tenant,
            roles,
            id=token_id,
            lifetime=timedelta(days=days) if days else None,
            wait=timedelta(seconds=wait) if wait else None,
        )
    until = "for ever" if entry.expires is None else f"until {_shown(entry.expires)}"
    typer.echo(f"token {entry.id} of {entry.tenant} may {', '.join(entry.roles)}, {until}:", err=True)
    typer.echo(token)


@tokens.command("list")
def list_tokens(file: File = None) -> None:
    """Every token: its id, tenant, what it is now, until when, what it may do."""
    with _store(file) as store:
        now = datetime.now(UTC)
        for each in store.read().tokens:
            until = "-" if each.expires is None else _shown(each.expires)
            typer.echo(f"{each.id}  {each.tenant}  {each.state(now).value:8}  {until}  {','.join(each.roles)}")


@tokens.command()
def revoke(token_id: Annotated[str, typer.Argument(help="The token's id.")], file: File = None) -> None:
    """Make a token worthless for every call from now on."""
    with _store(file) as store:
        store.revoke(token_id)
        typer.echo(f"{token_id} is revoked")


@contextmanager
def _store(file: Path | None) -> Iterator[TokenStore]:
    from gatepost_server.gateway.credentials.token_file import TokenStore
    from gatepost_server.gateway.credentials.watched import FileError

    place = file if file is not None else state_folder() / TOKENS_FILE
    try:
        yield TokenStore(place)
    except FileError as error:
        typer.echo(f"gatepostd: {place}: {error}", err=True)
        raise typer.Exit(1) from None


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
