"""Telling people and programs that the service is ready."""

from __future__ import annotations

import json
import os
from pathlib import Path


def announce(file: Path | None, **addresses: str) -> None:
    """Print one line; write the addresses by name and this process' id to `file`, whole or not at all."""
    print(f"gatepost is ready: {', '.join(f'{name} on {address}' for name, address in addresses.items())}", flush=True)
    if file is not None:
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        draft.write_text(json.dumps({**addresses, "pid": os.getpid()}))
        draft.rename(file)
