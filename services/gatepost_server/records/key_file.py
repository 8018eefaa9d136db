"""The key of the images at rest in a file of its own, for who names none in the settings."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from gatepost_server.records.sealing import new_key


def read_key_file(path: Path) -> str | None:
    """As Sealer.of reads it; None where there is no file. Raises OSError."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return None


def make_key_file(path: Path) -> None:
    """A new key, for its owner alone; nothing where there is one. Of two who make it together one does. Raises OSError.

    It is on the disk with its name before anything can be sealed with it.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(new_key() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(own)
    finally:
        own.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
