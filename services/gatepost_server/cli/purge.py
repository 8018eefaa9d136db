"""gatepostd purge: the one way out of the record."""

from __future__ import annotations

import asyncio
import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost_server.cli.state import state_folder

if TYPE_CHECKING:
    from gatepost_server.records.record import PurgeCriteria

_DAY_S = 86_400.0


def purge(
    older_than: Annotated[
        float | None, typer.Option("--older-than", min=0.0, help="Days since the verdict was given.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Of the gravest reason: insult, hate, ...")] = None,
    subject: Annotated[str | None, typer.Option(help="The pseudonym that requests carried.")] = None,
    policy: Annotated[str | None, typer.Option(help="That judged; each policy may be kept for another time.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many there are, and remove nothing.")] = False,
    record: Annotated[
        str | None,
        typer.Option(envvar="GATEPOST_GATEWAY_RECORD", help="The record's file or URL.", show_default="as `up` has it"),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(envvar="GATEPOST_GATEWAY_RECORD_IMAGES", help="Its images.", show_default="as `up` has them"),
    ] = None,
) -> None:
    """Remove verdicts that meet all that is said, with their images and all that people did; written down as such."""
    from gatepost_server.domain.errors import GatepostError
    from gatepost_server.domain.labels import Category
    from gatepost_server.records.database import DatabaseUrlError
    from gatepost_server.records.record import PurgeCriteria

    state = state_folder()
    own_images = str(state / "images") if record is None else None  # another record's are elsewhere
    try:
        criteria = PurgeCriteria(
            before=None if older_than is None else time.time() - older_than * _DAY_S,
            category=None if category is None else Category(category),
            subject=subject,
            policy=policy,
        )
        count = asyncio.run(
            _purged(criteria, record or str(state / "record.db"), images or own_images, dry_run=dry_run)
        )
    except (GatepostError, DatabaseUrlError, OSError, ValueError) as error:
        typer.echo(f"gatepostd: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{count} verdicts {'would be' if dry_run else 'were'} removed")


async def _purged(criteria: PurgeCriteria, record: str, images: str | None, *, dry_run: bool) -> int:
    """How many. Images go first: a crash between leaves rows that the next purge finds, and no image without one."""
    from gatepost_server.records.images import ImageStore
    from gatepost_server.records.record import PURGE_BATCH
    from gatepost_server.records.sql_record import SqlRecord

    if "://" not in record and not Path(record).is_file():
        raise FileNotFoundError(f"there is no record {record}")
    kept = SqlRecord(record) if "://" in record else SqlRecord.in_file(Path(record))
    try:
        await kept.open()
        if dry_run:
            return len(await kept.purgeable(criteria, most=1_000_000_000))
        store, count = ImageStore(images) if images is not None else None, 0
        while found := await kept.purgeable(criteria, most=PURGE_BATCH):
            withdrawn = [each.name for each in found if each.image_kept]
            for name in withdrawn:
                if store is None:
                    raise ValueError("there are images kept of them: say where (--images), or they would stay")
                await store.remove(name)
            names = [each.name for each in found]
            count += await kept.purge(names, criteria, actor=getpass.getuser(), images=len(withdrawn))
        return count
    finally:
        await kept.close()
