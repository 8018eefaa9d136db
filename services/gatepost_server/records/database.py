"""The engine of a database that a setting names, and its statements beside the event loop.

A URL may hold a password: it stands in no error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from gatepost_server.domain.errors import GatepostError
from gatepost_server.records.backlog import store_unavailable

_Answer = TypeVar("_Answer")


class DatabaseUrlError(ValueError):
    """A URL that is none, or of a kind of database that is not installed."""


def database(url: str) -> sql.Engine:
    """Connects on first use. Errors of its statements hold no parameters: those are images and prompts.

    Raises DatabaseUrlError.
    """
    try:
        engine = sql.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (NoSuchModuleError, ImportError) as error:
        raise DatabaseUrlError(f"not a kind of database that is installed: {error}") from None
    except (SQLAlchemyError, ValueError, TypeError):  # the message may quote a part of the URL, its password included
        raise DatabaseUrlError("not a database URL: dialect+driver://user:password@host/name, escaped") from None
    if engine.dialect.name == "sqlite":
        sql.event.listen(engine, "connect", durable)
    return engine


def durable(connection: Any, _record: Any = None) -> None:
    """A commit is on the disk when it returns, readers never wait for the writer, and what is deleted is overwritten.

    sqlite.org/pragma.html
    """
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file, made when it is not there."""
    own_file(path)
    return f"sqlite:///{path}"


def own_file(path: Path) -> None:
    """A file for its owner alone: it holds pictures that nobody may see. SQLite's other files take over the mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


class Connected:
    """Runs transactions in one thread, one after another, so that the event loop never waits for a disk."""

    def __init__(self, url: str, *, name: str) -> None:
        """`name` is the thread's. Raises DatabaseUrlError."""
        self.engine = database(url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[sql.Connection], _Answer]) -> _Answer:
        """What `work` gives, committed. Raises GatepostError (UNAVAILABLE, STORE_UNAVAILABLE), and what it raises."""

        def transaction() -> _Answer:
            with self.engine.begin() as connection:
                return work(connection)

        return await self.aside(transaction)

    async def aside(self, work: Callable[[], _Answer]) -> _Answer:
        """What `work` gives, in the same thread. Raises as `run`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except GatepostError:
            raise
        except (SQLAlchemyError, OSError) as problem:
            raise store_unavailable() from problem

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown(wait=False)
