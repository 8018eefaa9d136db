"""From settings to what pages work with."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from gatepost_server.console.oidc import Issuer
from gatepost_server.console.parts import Parts
from gatepost_server.console.pictures import Pictures
from gatepost_server.console.sessions import Sessions
from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.domain.errors import GatepostError
from gatepost_server.moderate.review import Review
from gatepost_server.policy.book import DEFAULT_POLICY, open_book
from gatepost_server.records.database import DatabaseUrlError
from gatepost_server.records.images import ImageStore
from gatepost_server.records.sealing import Sealer, SealError
from gatepost_server.records.sql_accounts import SqlAccounts
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.records.sql_insights import SqlInsights
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.tickets.folder import KeyFolder, RingError
from gatepost_server.tickets.sign import DEFAULT_ISSUER, TicketSigner


class _Store(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Store)


@contextlib.asynccontextmanager
async def opened_accounts(settings: ConsoleSettings) -> AsyncIterator[SqlAccounts]:
    """Those of the record's database, while the block runs. Raises OSError where it cannot be used."""
    async with contextlib.AsyncExitStack() as stack:
        with _usable():
            accounts = SqlAccounts.at(_place(settings))
        yield await _open(stack, accounts)


@contextlib.asynccontextmanager
async def opened(settings: ConsoleSettings) -> AsyncIterator[Parts]:
    """Everything that pages need, while the block runs. Raises OSError, PolicyError."""
    async with contextlib.AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(opened_accounts(settings))
        place = _place(settings)
        with _usable():
            record = SqlRecord(place) if "://" in place else SqlRecord.in_file(Path(place))
            sealer = Sealer.of("" if settings.image_keys is None else settings.image_keys.get_secret_value())
            images = ImageStore(settings.record_images) if settings.record_images else None
            bank = SqlBank.at(settings.bank.get_secret_value()) if settings.bank is not None else None
        await _open(stack, record)
        insights = await _open(stack, SqlInsights.at(place))
        if bank is not None:
            stack.push_async_callback(bank.close)
        policies = open_book(settings.policies, default=settings.default_policy or DEFAULT_POLICY)
        review = Review(
            record,
            policies,
            pictures=Pictures(images, sealer),
            signer=_signer(settings),
            bank=bank,
            lease_s=settings.claim_s,
        )
        yield Parts(
            settings=settings,
            accounts=accounts,
            sessions=Sessions(accounts, settings),
            record=record,
            insights=insights,
            review=review,
            policies=policies,
            issuer=Issuer(settings.oidc) if settings.oidc is not None else None,
        )


def _signer(settings: ConsoleSettings) -> TicketSigner | None:
    """Signs what people allow with the gateways' keys; without a ring there are no tickets, as there."""
    if settings.ticket_keys is None:
        return None
    folder = KeyFolder(settings.ticket_keys)
    try:
        folder.read()
    except RingError as error:
        raise OSError(f"{settings.ticket_keys}: {error}; gatepostd keys init makes a ring") from error
    return TicketSigner(folder, issuer=settings.ticket_issuer or DEFAULT_ISSUER)


def _place(settings: ConsoleSettings) -> str:
    if settings.record is None:
        raise OSError("a console needs the record: say where it is (setting `record`)")
    return settings.record.get_secret_value()


async def _open(stack: contextlib.AsyncExitStack, store: _Opened) -> _Opened:
    stack.push_async_callback(store.close)
    try:
        await store.open()
    except GatepostError as error:
        raise OSError(f"the record cannot be used: {error.__cause__ or error.message}") from error
    return store


@contextlib.contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except (DatabaseUrlError, SealError, ValueError) as error:
        raise OSError(f"the record cannot be used: {error}") from None
