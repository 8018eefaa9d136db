"""The command line: gatepost check, gatepost policies, gatepost version."""

from __future__ import annotations

from gatepost_client.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """The entry point of `gatepost`."""
    app(prog_name="gatepost")
