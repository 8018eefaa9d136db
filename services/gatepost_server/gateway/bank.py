"""The known-bad bank that the settings name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gatepost_server.gateway.metrics import Metrics
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.moderate.bank import Bank
from gatepost_server.records.database import DatabaseUrlError
from gatepost_server.records.sql_bank import SqlBank


@contextlib.asynccontextmanager
async def kept_bank(settings: GatewaySettings, metrics: Metrics) -> AsyncIterator[Bank | None]:
    """Followed while the block runs; one that is away holds images until it was read once. Raises OSError."""
    if settings.bank is None:
        yield None
        return
    try:
        store = SqlBank.at(settings.bank.get_secret_value())
    except DatabaseUrlError as error:
        raise OSError(f"the bank cannot be used: {error}") from None
    bank = Bank(store, metrics, every_s=settings.bank_poll_s)
    await bank.refresh()
    following = asyncio.create_task(bank.run())
    try:
        yield bank
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await store.close()
