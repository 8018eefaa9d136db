"""Object stores: S3 and what speaks like it, Google Cloud Storage, Azure, plain HTTP for reading.

Credentials come from the environment (AWS_*, GOOGLE_*, AZURE_*) or from the machine's role, as obstore finds them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import BinaryIO, cast

import obstore
from obstore import exceptions
from obstore.store import from_url

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import CredentialsError, Failure, SourceError, SourceReason
from gatepost_server.rescan.stores.base import Found
from gatepost_server.rescan.stores.local import too_large

_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
_PIECE = 1 << 20  # bytes read ahead from a tar
# What S3 and Azure answer, with several statuses, to credentials that were good once; and what obstore says where there
# are none, and the machine's role gives none, or no longer.
_EXPIRED = (
    *("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "RequestExpired"),
    *("SignatureDoesNotMatch", "AuthenticationFailed", "CredentialsNotLoaded"),
    *("token request", "/latest/api/token", "/latest/meta-data/"),
)


class CloudStore:
    """A Store of one bucket, container or host."""

    def __init__(self, root: str) -> None:
        self._root = root
        retry = cast("obstore.store.RetryConfig", _RETRIES)
        self._store = from_url(root, retry_config=retry)  # plain HTTP is a store that can be read alone

    def walk(self, prefix: str) -> Iterator[Found]:
        """As Store.walk."""
        with _failures(self._root):
            if prefix and not prefix.endswith("/"):
                try:
                    found = obstore.head(self._store, prefix)
                except FileNotFoundError:
                    pass
                else:
                    yield Found(found["path"], found["size"], found["last_modified"])
                    return
            for chunk in obstore.list(self._store, prefix or None, chunk_size=1_000):
                for each in chunk:
                    if not each["path"].endswith("/"):
                        yield Found(each["path"], each["size"], each["last_modified"])

    def read(self, path: str, *, start: int = 0, length: int | None = None, most: int | None = None) -> bytes:
        """As Store.read."""
        with _failures(self._root):
            if length is not None:
                if most is not None and length > most:
                    raise too_large(length, most)
                return obstore.get_range(self._store, path, start=start, length=length).to_bytes()
            answer = obstore.get(self._store, path)
            if most is not None and answer.meta["size"] > most:
                raise too_large(answer.meta["size"], most)
            return answer.bytes().to_bytes()[start:]

    def open(self, path: str) -> BinaryIO:
        """As Store.open."""
        with _failures(self._root):
            reader = obstore.open_reader(self._store, path, buffer_size=_PIECE)
        return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", _Reader(reader)), _PIECE))

    def write(self, path: str, content: bytes) -> None:
        """As Store.write."""
        with _failures(self._root):
            obstore.put(self._store, path, content)

    def create(self, path: str, content: bytes) -> bool:
        """As Store.create."""
        with _failures(self._root):
            try:
                obstore.put(self._store, path, content, mode="create")
            except exceptions.AlreadyExistsError:
                return False
        return True


class _Reader(io.RawIOBase):
    """obstore's reader as Python's files are."""

    def __init__(self, reader: obstore.ReadableFile) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # of what BufferedReader gives
        piece = bytes(self._reader.read(len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _failures(root: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _failed(ErrorCode.NOT_FOUND, SourceReason.SOURCE_MISSING, "there is no such object") from error
    except (exceptions.BaseError, OSError, ValueError) as error:
        text = str(error)
        if isinstance(error, exceptions.UnauthenticatedError) or any(word in text for word in _EXPIRED):
            raise CredentialsError(f"{root} does not accept our credentials, or no longer") from error
        if isinstance(error, exceptions.PermissionDeniedError):
            denied = "the object may not be read"
            raise _failed(ErrorCode.PERMISSION_DENIED, SourceReason.SOURCE_DENIED, denied) from error
        if isinstance(error, exceptions.InvalidPathError | ValueError):
            invalid = "no object can have that name"
            raise _failed(ErrorCode.INVALID_ARGUMENT, SourceReason.SOURCE_INVALID, invalid) from error
        unreadable = f"{root} could not be read ({type(error).__name__})"
        raise _failed(ErrorCode.UNAVAILABLE, SourceReason.SOURCE_UNREADABLE, unreadable) from error


def _failed(code: ErrorCode, reason: SourceReason, message: str) -> SourceError:
    return SourceError(Failure(code, reason, message))
