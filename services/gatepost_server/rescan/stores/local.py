"""This machine's files. Not by obstore, which refuses names that files do have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import Failure, SourceError, SourceReason
from gatepost_server.rescan.stores.base import Found


class LocalStore:
    """A Store of absolute paths."""

    def walk(self, prefix: str) -> Iterator[Found]:
        """As Store.walk, by name; links to files are followed, links to folders are not."""
        if Path(prefix).is_file():
            yield _found(prefix)
            return
        try:
            entries = sorted(os.scandir(prefix), key=lambda entry: entry.name)
        except OSError as error:
            raise _failed(error) from error
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from self.walk(entry.path)
            elif entry.is_file():
                yield _found(entry.path)

    def read(self, path: str, *, start: int = 0, length: int | None = None, most: int | None = None) -> bytes:
        """As Store.read."""
        try:
            with Path(path).open("rb") as file:
                size = length if length is not None else os.fstat(file.fileno()).st_size - start
                if most is not None and size > most:
                    raise too_large(size, most)
                file.seek(start)
                return file.read(size)
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            raise _failed(error) from error

    def open(self, path: str) -> BinaryIO:
        """As Store.open."""
        try:
            return Path(path).open("rb")
        except (OSError, ValueError) as error:
            raise _failed(error) from error

    def write(self, path: str, content: bytes) -> None:
        """As Store.write: written beside it, then renamed; what was renamed survives a loss of power."""
        folder = Path(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-", delete=False) as draft:
                draft.write(content)
                draft.flush()
                os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except OSError as error:
            raise _failed(error) from error

    def create(self, path: str, content: bytes) -> bool:
        """As Store.create; for a moment somebody else may see less than all of it."""
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(path).open("xb") as file:
                file.write(content)
        except FileExistsError:
            return False
        except OSError as error:
            raise _failed(error) from error
        return True


def too_large(size: int, most: int) -> SourceError:
    """More bytes than a gateway takes."""
    message = f"the file has {size} bytes; the most is {most}"
    return SourceError(Failure(ErrorCode.INVALID_ARGUMENT, SourceReason.IMAGE_TOO_LARGE, message))


def _found(path: str) -> Found:
    status = Path(path).stat()
    return Found(path, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _failed(error: OSError | ValueError) -> SourceError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        failure = Failure(ErrorCode.NOT_FOUND, SourceReason.SOURCE_MISSING, "there is no such file")
    elif isinstance(error, PermissionError):
        failure = Failure(ErrorCode.PERMISSION_DENIED, SourceReason.SOURCE_DENIED, "the file may not be read")
    else:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no file can have that name"
        failure = Failure(ErrorCode.UNAVAILABLE, SourceReason.SOURCE_UNREADABLE, f"the file cannot be read: {why}")
    return SourceError(failure)
