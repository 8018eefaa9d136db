"""Memory of images is given back to the system as soon as it is free."""

from __future__ import annotations

import ctypes
import platform

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE = 1 << 20


def release_large_blocks() -> None:
    """Keep glibc from hoarding: it raises this threshold to 32 MiB once a large block was freed.

    After that images live on the heap, which fragments: 30 images of 19 MiB one after another left 110 MiB behind,
    with a fixed threshold about 20 MiB. Does nothing on other C libraries.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
