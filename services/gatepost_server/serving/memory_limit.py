"""How much memory one stub may take, so that a hostile file costs at most its own stub."""

from __future__ import annotations

import ctypes
import platform
import resource
from collections.abc import Mapping

PARAMETER = "memory_limit_mb"
# Triton maps its shared memory anew each time that it grows, and keeps the old mappings: half a gigabyte of it takes
# 2.5 GB of addresses. So addresses are bounded too, but by far more than the memory behind them.
_ADDRESSES = 10

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE = 1 << 20


def limit_memory(parameters: Mapping[str, str]) -> None:
    """Bound this process by its stage's parameter `memory_limit_mb` (MiB); nothing happens without it. Linux only.

    What is bounded is private writable memory (RLIMIT_DATA: heaps, anonymous mappings, stacks of threads); ten times as
    much address space is allowed (RLIMIT_AS). Beyond that an allocation fails: Python code sees MemoryError, a library
    that does not check dies, and the supervisor starts the stub anew. Raises ValueError for a limit that is no positive
    integer, or over the hard limit that the process was started with.
    """
    if PARAMETER not in parameters:
        return
    limit = int(parameters[PARAMETER]) << 20
    if limit <= 0:
        raise ValueError(f"{PARAMETER} must be at least 1")
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES * limit, _ADDRESSES * limit))
    _release_large_blocks()


def _release_large_blocks() -> None:
    """Keep glibc from hoarding what one large image took: it raises this threshold when a large block is freed."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
