"""Small file systems that may be filled up without harm: a mount namespace of this run's own.

Everything in it, gatepostd included, sees a /dev/shm and a folder for its data that nobody else sees.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_MIB = 768  # at least 512 are needed
DATA_MIB = 192
_INSIDE = "GATEPOST_CHAOS_NAMESPACE"
_WAYS = (("--mount",), ("--user", "--map-root-user", "--mount"))  # as root, and as anybody


class NoNamespaceError(RuntimeError):
    """This machine does not let us have a mount namespace."""


def enter(arguments: Sequence[str]) -> None:
    """Run this program again inside a namespace, once; returns there. Raises NoNamespaceError."""
    if os.environ.get(_INSIDE):
        return
    for way in _WAYS:
        command = ["unshare", *way, "--propagation", "private"]
        with contextlib.suppress(OSError):
            if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
                again = [*command, sys.executable, "-m", "benchmarks.chaos", *arguments]
                os.execvpe(command[0], again, {**os.environ, _INSIDE: "1"})
    raise NoNamespaceError("unshare --mount is refused here (a container without CAP_SYS_ADMIN?)")


@contextlib.contextmanager
def mounted(folder: Path, mib: int) -> Iterator[None]:
    """An empty file system of `mib` over `folder` during the block."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Not a byte is free in `folder` during the block."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 10))
        yield
    finally:
        filler.unlink(missing_ok=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """What is opened in `folder` during the block cannot be written; what was open before can."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
