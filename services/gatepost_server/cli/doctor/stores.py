"""Checks of what is kept: databases and their tables, images and their keys. Nothing is made or changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from gatepost_server.cli.doctor.finding import Finding, failed, ok, warning
from gatepost_server.domain.errors import GatepostError
from gatepost_server.records.database import DatabaseUrlError, database
from gatepost_server.records.images import ImageStore
from gatepost_server.records.migrate import HEAD, current
from gatepost_server.records.sealing import Sealer, SealError

_PROBE = "verdicts/gatepostd-doctor"
_TABLES_ARE_MADE = "nothing: the tables are brought up to date at the next start"


def database_tables(check: str, place: str | None) -> Finding:
    """`place`: a file or a URL, as the settings have it."""
    if place is None:
        return warning(
            check, "there is none", "gatepostd up keeps one; for gatepostd gateway name one (docs/record.md)"
        )
    if "://" not in place and not Path(place).exists():
        return ok(check, "is made at the first start")
    try:
        engine = database(place) if "://" in place else _only_read(Path(place))
    except DatabaseUrlError as error:
        return failed(check, str(error), "see docs/record.md for what a URL looks like")
    try:
        with engine.connect() as connection:
            found = current(connection)
    except (SQLAlchemyError, OSError) as error:  # its message may quote the URL
        return failed(
            check, f"cannot be read ({type(error).__name__})", "is it running, and are host, name and password right?"
        )
    finally:
        engine.dispose()
    if found is not None and found > HEAD:
        return failed(check, f"tables of version {found}, this gatepost knows {HEAD}", "take the newer gatepost again")
    if found != HEAD:
        return warning(check, f"tables of version {found or 'none'}, this gatepost has {HEAD}", _TABLES_ARE_MADE)
    return ok(check, f"tables of version {found}")


def _only_read(file: Path) -> sql.Engine:
    uri = f"file:{quote(str(file.absolute()))}?mode=ro"
    return sql.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sql.NullPool)


async def image_store(place: str | None) -> Finding:
    """What is put there can be had again, and removed."""
    check = "image store"
    if place is None:
        return warning(check, "there is none: no image is kept", "set record_images (docs/record.md)")
    if "://" not in place and not Path(place).exists():
        return ok(check, "is made at the first start")
    try:
        store = ImageStore(place)
        await store.put(_PROBE, b"doctor")
        if await store.get(_PROBE) != b"doctor":
            return failed(check, "what was put there came back as something else", "is it the right bucket?")
        await store.remove(_PROBE)
    except (GatepostError, OSError, ValueError) as error:
        why = error.__cause__ if isinstance(error, GatepostError) else error
        advice = "are bucket, address and credentials right, and may they write, read and delete?"
        return failed(check, f"cannot be used ({type(why).__name__})", advice)
    return ok(check, "written, read and removed")


def image_keys(text: str | None) -> Finding:
    """Without a key nothing is sealed, and no image is kept."""
    try:
        sealer = Sealer.of(text or "")
    except SealError as error:
        return failed("image keys", str(error), "image_keys is 'id:base64 ...', 32 bytes each (docs/record.md)")
    if not sealer.seals:
        advice = "gatepostd up makes one at its first start; else set GATEPOST_GATEWAY_IMAGE_KEYS (docs/record.md)"
        return warning("image keys", "there is none: no image is kept", advice)
    return ok("image keys", "there is one")
