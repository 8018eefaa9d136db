"""gatepostd bank: known-bad examples. Running gateways follow within a second or two."""

from __future__ import annotations

import asyncio
import getpass
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from gatepost_server.cli.find import Cosine, Distance, Similarity, filled, show_matches
from gatepost_server.cli.refused import refused
from gatepost_server.cli.state import state_folder
from gatepost_server.domain.known_bad import COSINE, PDQ_DISTANCE, TEXT_SIMILARITY, KnownBad
from gatepost_server.domain.labels import Category

if TYPE_CHECKING:
    from gatepost_server.records.bank import BankStore

BANK_FILE = "bank.db"  # below the state folder

_Answer = TypeVar("_Answer")
_DAY_S = 86_400.0

bank = typer.Typer(no_args_is_help=True, help="Add, list, remove and try known-bad examples.")

Place = Annotated[
    str,
    typer.Option(
        "--bank",
        envvar="GATEPOST_GATEWAY_BANK",
        help="File (SQLite) or database URL.",
        show_default="bank.db in the state folder",
        show_envvar=True,
    ),
]
Actor = Annotated[str, typer.Option("--by", help="Who does it, for the audit.", show_default="the system's user")]
Label = Annotated[Category, typer.Option(help="The category that a hit counts as.")]


@bank.command()
def add(
    label: Label,
    image: Annotated[Path | None, typer.Option(dir_okay=False, exists=True, help="An image.")] = None,
    text: Annotated[str, typer.Option(help="A text as it is drawn.")] = "",
    days: Annotated[float | None, typer.Option(min=0.001, help="Days that it holds.", show_default="for ever")] = None,
    note: Annotated[str, typer.Option(help="Why, for whoever looks at it later.")] = "",
    distance: Distance = PDQ_DISTANCE,
    cosine: Cosine = COSINE,
    similarity: Similarity = TEXT_SIMILARITY,
    exact: Annotated[
        bool, typer.Option("--exact", help="Know the image by its file alone, not by what it looks like.")
    ] = False,
    preview: Annotated[
        str, typer.Option(help="Add nothing: list what of these results it would have hit.", metavar="RESULTS")
    ] = "",
    by: Actor = "",
    place: Place = "",
) -> None:
    """Add an example, or see first what it would have hit."""
    with refused():
        if label is Category.OFF_SCRIPT:
            raise ValueError("off_script is about what was asked for; no example can show it")
        now = time.time()
        example = KnownBad(
            uuid.uuid4().hex[:12],
            label,
            now,
            by or getpass.getuser(),
            expires=None if days is None else now + days * _DAY_S,
            note=note,
            pdq_distance=distance,
            cosine=cosine,
            text_similarity=similarity,
        )
        example = filled(example, text=text, image=image)
        if exact:
            example = replace(example, pdq="", embedding=(), embedding_model="")
        if preview:
            show_matches(preview, example, 50)
            return
        _run(place, lambda store: store.add(example))
        if image is not None and not exact:
            typer.echo("cards of the same template are like it, too, whatever is written on them (--exact)", err=True)
        if image is not None and not example.pdq and not exact:
            typer.echo("the picture is too plain for a PDQ hash: it is known by its digest and its embedding", err=True)
        typer.echo(example.id)


@bank.command(name="list")
def show(
    place: Place = "",
    audit: Annotated[bool, typer.Option(help="Who changed what, instead.")] = False,
) -> None:
    """List examples; those that expired are marked."""
    with refused():
        console = Console()
        if audit:
            table = Table("when", "who", "what", Column("example", no_wrap=True))
            for change in _run(place, lambda store: store.changes()):
                table.add_row(_day(change.at), change.actor, change.what, change.entry)
        else:
            table = Table(
                Column("id", no_wrap=True),
                "label",
                "known by",
                *(Column(each, overflow="fold") for each in ("expires", "added", "by", "note")),
            )
            now = time.time()
            for entry in _run(place, lambda store: store.entries())[1]:
                expires = "" if entry.expires is None else _day(entry.expires)
                ended = "" if entry.holds_at(now) else " (over)"
                known = ", ".join(name for name in ("sha256", "pdq", "embedding", "text") if getattr(entry, name))
                table.add_row(
                    entry.id, entry.category, known, expires + ended, _day(entry.added), entry.added_by, entry.note
                )
        console.print(table)


@bank.command()
def remove(example: Annotated[str, typer.Argument(help="Its id.")], by: Actor = "", place: Place = "") -> None:
    """Remove an example; that it was there, and who removed it, is kept."""
    with refused():
        if not _run(place, lambda store: store.remove(example, by or getpass.getuser())):
            raise ValueError(f"there is no example {example!r}")
        typer.echo(f"{example} removed")


@bank.command()
def preview(
    results: Annotated[str, typer.Argument(help="The --out of a gatepostd rescan.")],
    example: Annotated[str, typer.Argument(help="The id of an example that was added.")],
    limit: Annotated[int, typer.Option(min=1, help="Rows that are shown.")] = 50,
    place: Place = "",
) -> None:
    """List what of some results an example hits: what went out before it was added."""
    with refused():
        entries = {entry.id: entry for entry in _run(place, lambda store: store.entries())[1]}
        if example not in entries:
            raise ValueError(f"there is no example {example!r}")
        show_matches(results, entries[example], limit)


def _run(place: str, work: Callable[[BankStore], Awaitable[_Answer]]) -> _Answer:
    from gatepost_server.records.sql_bank import SqlBank

    async def done() -> _Answer:
        store = SqlBank.at(place or str(state_folder() / BANK_FILE))
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(done())


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
