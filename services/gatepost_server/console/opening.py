"""From settings to what pages work with."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from gatepost_server.console.parts import Parts
from gatepost_server.console.sessions import Sessions
from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.domain.errors import GatepostError
from gatepost_server.policy.book import DEFAULT_POLICY, open_book
from gatepost_server.records.database import DatabaseUrlError
from gatepost_server.records.sql_accounts import SqlAccounts


@contextlib.asynccontextmanager
async def opened_accounts(settings: ConsoleSettings) -> AsyncIterator[SqlAccounts]:
    """Those of the record's database, while the block runs. Raises OSError where it cannot be used."""
    if settings.record is None:
        raise OSError("a console needs the record: say where it is (setting `record`)")
    try:
        accounts = SqlAccounts.at(settings.record.get_secret_value())
    except DatabaseUrlError as error:
        raise OSError(f"the record cannot be used: {error}") from None
    try:
        try:
            await accounts.open()
        except GatepostError as error:
            raise OSError(f"the record cannot be used: {error.__cause__ or error.message}") from error
        yield accounts
    finally:
        await accounts.close()


@contextlib.asynccontextmanager
async def opened(settings: ConsoleSettings) -> AsyncIterator[Parts]:
    """Everything that pages need, while the block runs. Raises OSError, PolicyError."""
    async with contextlib.AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(opened_accounts(settings))
        policies = open_book(settings.policies, default=settings.default_policy or DEFAULT_POLICY)
        yield Parts(settings, accounts, Sessions(accounts, settings), policies)
