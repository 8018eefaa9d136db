"""What an operator can mend is said in a line, not in a traceback; exit 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def refused() -> Iterator[None]:
    """For commands over results: files, policies, stores, credentials."""
    from gatepost_server.domain.errors import GatepostError
    from gatepost_server.rescan.failures import CredentialsError, RescanError, SourceError

    try:
        yield
    except (GatepostError, RescanError, SourceError, CredentialsError, ValueError, OSError) as error:
        typer.echo(f"gatepostd: {error}", err=True)
        raise typer.Exit(1) from None
