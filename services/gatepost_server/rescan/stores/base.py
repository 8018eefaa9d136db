"""What a store is, and how addresses are read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

SCHEMES = ("s3", "gs", "az", "http", "https")


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a listing."""

    path: str
    size: int  # bytes
    modified: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Address:
    """Where an object, or a prefix of some, is: `root` is "" for this machine's files, else "scheme://bucket"."""

    root: str
    path: str

    def __str__(self) -> str:
        return f"{self.root}/{self.path}" if self.root else self.path

    def __truediv__(self, more: str) -> Address:
        return Address(self.root, f"{self.path.rstrip('/')}/{more}" if self.path else more)

    @property
    def parent(self) -> Address:
        """The folder that it is in."""
        return Address(self.root, self.path.rpartition("/")[0] or ("" if self.root else "/"))


class Store(Protocol):
    """Reads and writes whole objects. Safe to share between threads."""

    def walk(self, prefix: str) -> Iterator[Found]:
        """Every object below `prefix`, a folder or a file. Raises SourceError, CredentialsError."""
        ...

    def read(self, path: str, *, start: int = 0, length: int | None = None, most: int | None = None) -> bytes:
        """The object, or `length` bytes from `start` on. Raises SourceError, also where there are more than `most`
        bytes (IMAGE_TOO_LARGE, without reading them), and CredentialsError.
        """
        ...

    def open(self, path: str) -> BinaryIO:
        """The object, to be read in pieces and from anywhere. Raises as `read`."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """The whole object or nothing, in the place of what was there. Raises SourceError, CredentialsError."""
        ...

    def create(self, path: str, content: bytes) -> bool:
        """As `write`, but for an object that is there already: it stays, and the answer is False."""
        ...


def address(text: str, base: Address | None = None) -> Address:
    """Reads a path, a file:// URL or an address of an object store; a relative path is one below `base`.

    Raises ValueError.
    """
    if "\0" in text or not text:
        raise ValueError("an address is empty or holds a null byte")
    scheme, found, rest = text.partition("://")
    if not found:
        if base is not None and not text.startswith("/"):
            below = base / text
            return Address(below.root, posixpath.normpath(below.path))
        return Address("", str(Path(text).absolute()))
    if scheme == "file":
        return Address("", unquote(urlsplit(text).path))
    if scheme not in SCHEMES:
        raise ValueError(f"{scheme}:// is none of {', '.join(SCHEMES)}, file")
    bucket, _, path = rest.partition("/")
    if not bucket or "@" in bucket:
        raise ValueError(f"a {scheme}:// address begins with a bucket or host, and holds no credentials")
    return Address(f"{scheme}://{bucket}", path)
