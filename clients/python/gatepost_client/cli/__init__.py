"""The command line: gatepost check, gatepost watch, gatepost policies, gatepost version."""

from __future__ import annotations

import os

from gatepost_client.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """The entry point of `gatepost`."""
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # its notes on connections would mix with the table
    app(prog_name="gatepost")
