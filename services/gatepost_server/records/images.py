"""Images of verdicts at rest: a folder, or an object store by its URL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import obstore
from obstore import exceptions
from obstore.store import LocalStore, from_url

from gatepost_server.records.backlog import store_unavailable

_Answer = TypeVar("_Answer")

_RETRY_S = timedelta(seconds=20)


class ImageStore:
    """One object for each verdict, under the verdict's id. What it keeps is sealed already (records.sealing).

    Methods raise GatepostError (UNAVAILABLE, STORE_UNAVAILABLE).
    """

    def __init__(self, place: str) -> None:
        """`place`: a folder, made when it is not there, or a URL such as s3://bucket/prefix.

        Credentials of a URL come from the environment or the machine's role. Raises OSError, ValueError.
        """
        self._folder: Path | None = None
        self._store: obstore.store.ObjectStore
        if "://" not in place:
            self._folder = Path(place).absolute()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store = LocalStore(self._folder)
            return
        try:
            self._store = from_url(place, retry_config={"max_retries": 3, "retry_timeout": _RETRY_S})
        except (exceptions.BaseError, ValueError):  # the message may quote the URL
            raise ValueError("not the URL of an object store that is known: s3://, gs://, az://") from None

    async def put(self, name: str, content: bytes) -> None:
        """Keep it, in the place of what was there."""

        def written() -> None:
            obstore.put(self._store, _key(name), content)
            if self._folder is not None:
                _flush(self._folder / _key(name))

        await _aside(written)

    async def get(self, name: str) -> bytes | None:
        """What was kept; None where there is nothing, or no longer."""

        def read() -> bytes | None:
            try:
                return bytes(obstore.get(self._store, _key(name)).bytes())
            except FileNotFoundError:
                return None

        return await _aside(read)

    async def remove(self, name: str) -> None:
        """Nothing is there any more."""

        def removed() -> None:
            try:
                obstore.delete(self._store, _key(name))
            except FileNotFoundError:
                return

        await _aside(removed)


def _key(name: str) -> str:
    """verdicts/<uuid> -> <two digits>/<uuid>: folders with a million files are slow."""
    bare = name.removeprefix("verdicts/")
    return f"{bare[:2]}/{bare}"


def _flush(file: Path) -> None:
    """Onto the disk, with its name: what is in the record's hand-over is forgotten once this returns."""
    for place in (file, file.parent):
        number = os.open(place, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


async def _aside(work: Callable[[], _Answer]) -> _Answer:
    try:
        return await asyncio.to_thread(work)
    except (exceptions.BaseError, OSError) as problem:
        raise store_unavailable() from problem
