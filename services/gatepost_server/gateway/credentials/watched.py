"""A file of settings that may change while the gateway runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

_Content = TypeVar("_Content")

_log = structlog.get_logger("gatepost.credentials")


class FileError(ValueError):
    """A file that cannot be used; the message names the file without its folder, and quotes nothing of it."""


class WatchedFile(Generic[_Content]):
    """What a file says. Looked at whenever it is asked: a change counts from the next call on.

    A file that is broken or away later leaves what it said last in force, and that is shouted, once a change.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], _Content]) -> None:
        """`parse` raises FileError. Raises FileError where the file cannot be used from the start."""
        self._path = path
        self._parse = parse
        self._seen: tuple[int, int, int] = self._stamp()
        self._content = self._read()
        self._problem = ""

    def current(self) -> _Content:
        """What it says now, or said last. The same object as long as nothing changes."""
        try:
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen = stamp  # before it is read: what is written meanwhile is another change
                self._content = self._read()
                self._problem = ""
                _log.info("file_read_again", file=self._path.name)
        except FileError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                _log.error("file_unusable", problem=self._problem, in_force="what it said before")
        return self._content

    def _stamp(self) -> tuple[int, int, int]:
        try:
            facts = self._path.stat()
        except OSError as error:
            # A file that comes back is read again, even where it looks as it did.
            self._seen = (0, 0, 0)
            raise FileError(f"{self._path.name}: cannot be read: {error.strerror}") from error
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def _read(self) -> _Content:
        try:
            return self._parse(self._path.read_bytes())
        except OSError as error:
            raise FileError(f"{self._path.name}: cannot be read: {error.strerror}") from error
        except FileError as error:
            raise FileError(f"{self._path.name}: {error}") from error
