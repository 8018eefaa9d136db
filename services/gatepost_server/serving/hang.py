"""A model that does not return ends its own stub, which the supervisor then brings back."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PARAMETER = "hang_s"
DEFAULT_S = 60.0
FIRST = 4.0  # times as long for a process' first batch, which warms its nets up
_STDERR = 2


def hang_limit_s(parameters: Mapping[str, str]) -> float:
    """How long one batch may take, in seconds: the stage's parameter `hang_s`. Raises ValueError below 1."""
    limit_s = float(parameters.get(PARAMETER, DEFAULT_S))
    if not limit_s >= 1.0:
        raise ValueError(f"{PARAMETER} must be at least 1 second")
    return limit_s


@contextmanager
def ends_process_after(limit_s: float) -> Iterator[None]:
    """Exit the process, after the frames of all its threads on stderr, when the block takes longer.

    Without this a hung model is never noticed: its stub lives, Triton stays ready, and every call to it waits.
    faulthandler's watch is a thread in C, so code that never lets go of the interpreter's lock does not stop it.
    """
    faulthandler.dump_traceback_later(limit_s, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
