"""gatepostd keys: the ring of keys that release tickets are signed with. Running gateways follow by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost_server.cli.state import state_folder

if TYPE_CHECKING:
    from gatepost_server.tickets.folder import KeyFolder

KEYS_FOLDER = "ticket-keys"  # below the state folder

keys = typer.Typer(no_args_is_help=True, help="Make, rotate, revoke and list the keys that sign release tickets.")

Folder = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        envvar="GATEPOST_GATEWAY_TICKET_KEYS",
        file_okay=False,
        help="The folder of the ring.",
        show_default="ticket-keys in the state folder",
    ),
]


@keys.command()
def init(folder: Folder = None) -> None:
    """Make a ring with one key that signs at once. `gatepostd up` does it by itself."""
    with _ring(folder) as ring:
        typer.echo(f"{ring.init().kid} signs from now on")


@keys.command()
def rotate(
    folder: Folder = None,
    lead: Annotated[
        float, typer.Option(min=0.0, help="Seconds until the new key signs; so long may others keep the old list.")
    ] = 600.0,
) -> None:
    """Make the key that signs next. The one before stays good until the last of its tickets has expired."""
    with _ring(folder) as ring:
        key = ring.rotate(lead_s=lead)
        typer.echo(f"{key.kid} is published and signs from {_shown(key.signs_from)}")


@keys.command()
def revoke(kid: Annotated[str, typer.Argument(help="The key's id.")], folder: Folder = None) -> None:
    """Make every ticket of a key worthless, at once; another key signs where it was the one that did."""
    with _ring(folder) as ring:
        new = ring.revoke(kid)
        typer.echo(f"{kid} is revoked")
        if new is not None:
            typer.echo(f"{new.kid} signs from now on")


@keys.command("list")
def list_keys(folder: Folder = None) -> None:
    """Every key, what it is for, and since when."""
    with _ring(folder) as ring:
        for key, state in ring.states():
            since = key.created if key.revoked is None else key.revoked
            typer.echo(f"{key.kid}  {state.value:8}  {_shown(since)}")


@keys.command()
def jwks(folder: Folder = None) -> None:
    """Print the public keys as a JSON Web Key Set, for programs that check tickets without a server."""
    from gatepost_server.tickets.sign import TicketSigner

    with _ring(folder) as ring:
        ring.read()
        typer.echo(TicketSigner(ring).jwks())


@contextmanager
def _ring(folder: Path | None) -> Iterator[KeyFolder]:
    from gatepost_server.tickets.folder import KeyFolder, RingError

    place = folder if folder is not None else state_folder() / KEYS_FOLDER
    try:
        yield KeyFolder(place)
    except RingError as error:
        typer.echo(f"gatepostd: {place}: {error}", err=True)
        raise typer.Exit(1) from None


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
