"""What quotas count, kept beside the backlog."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from gatepost_server.domain.errors import GatepostError
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.records.sql_usage import SqlUsage
from gatepost_server.records.usage import Usage

_FILE = "usage.db"  # beside the backlog's file; in the backlog's database where that is a server's
_SAVE_S = 1.0  # so much a crash forgets, and so late one gateway hears of another's images


@contextlib.asynccontextmanager
async def kept_usage(settings: GatewaySettings) -> AsyncIterator[Usage]:
    """Counts while the block runs; without a backlog they begin anew with the process. Raises OSError."""
    if settings.backlog is None:
        yield Usage()
        return
    place = settings.backlog.get_secret_value()
    store = SqlUsage(place) if "://" in place else SqlUsage.in_file(Path(place).with_name(_FILE))
    usage = Usage(store)
    try:
        await store.open()
        await usage.load(datetime.now(UTC).date())
    except GatepostError as error:
        await store.close()
        raise OSError(f"the counts of images cannot be kept: {error.__cause__}") from error
    saving = asyncio.create_task(usage.run(_SAVE_S))
    try:
        yield usage
    finally:
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
        await store.close()
