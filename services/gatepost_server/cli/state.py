"""Where what outlives a restart is."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_state_path

STATE_VARIABLE = "GATEPOST_STATE"


def state_folder(said: Path | None = None) -> Path:
    """`said` (--state), else GATEPOST_STATE, else the user's.

    Every command asks here: a token or an example that went into another folder than `up` reads would do nothing.
    """
    if said is not None:
        return said
    named = os.environ.get(STATE_VARIABLE)
    return Path(named) if named else user_state_path("gatepost")
