"""The Python backend's shared memory: a name for each server, and no leftovers.

Triton keeps the tensors between the server and its stubs in /dev/shm and leaks them when the server is killed.
Every server gets a prefix of its own and a lock file beside its regions. The server and its stubs inherit the
lock, so the kernel lets go of it with the last of them, in whatever container they ran and however they ended.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

FOLDER = Path("/dev/shm")
NAME = "gatepost_"
LOCK = ".lock"


class SharedMemory:
    """The regions of one server. Pass `lock` on to it, call `remove` when it is gone."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self.prefix = f"{NAME}{secrets.token_hex(4)}"
        draft = folder / f".{self.prefix}{LOCK}"
        self.lock = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        draft.rename(folder / (self.prefix + LOCK))  # never to be seen without its lock

    def release(self) -> None:
        """Leave the lock to the processes that inherited it."""
        os.close(self.lock)

    def remove(self) -> int:
        """Delete this server's regions and its lock; returns how many bytes that freed."""
        return _remove(self._folder, self.prefix)


def remove_leaked(folder: Path = FOLDER) -> dict[str, int]:
    """Delete the regions of servers that no longer live; bytes freed by prefix."""
    freed = {}
    for lock in folder.glob(f"{NAME}*{LOCK}"):
        prefix = lock.name.removesuffix(LOCK)
        try:
            handle = os.open(lock, os.O_RDWR)
        except FileNotFoundError:  # its owner has just removed it
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            freed[prefix] = _remove(folder, prefix)
        except BlockingIOError:
            pass  # its server lives
        finally:
            os.close(handle)
    return freed


def _remove(folder: Path, prefix: str) -> int:
    size = 0
    for region in folder.glob(f"{prefix}*"):
        try:
            size += region.stat().st_size
            region.unlink()
        except FileNotFoundError:  # a stub that was still ending took its own away
            continue
    return size
