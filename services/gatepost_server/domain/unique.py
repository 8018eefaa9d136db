"""Names that nobody can guess."""

from __future__ import annotations

import os
import uuid

_AT_A_TIME = 256
_drawn: list[bytes] = []


def unique() -> uuid.UUID:
    """As uuid.uuid4; but the kernel is asked for many at a time, for asking costs more than all the rest."""
    try:
        drawn = _drawn.pop()
    except IndexError:
        block = os.urandom(16 * _AT_A_TIME)
        _drawn.extend(block[start : start + 16] for start in range(0, len(block), 16))
        drawn = _drawn.pop()
    return uuid.UUID(bytes=drawn, version=4)


os.register_at_fork(after_in_child=_drawn.clear)  # parent and child must not draw the same
