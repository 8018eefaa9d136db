"""Accounts in the record's database."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import IntegrityError

from gatepost_server.records.accounts import Account, AccountRole, Preferences
from gatepost_server.records.database import Connected, sqlite_url
from gatepost_server.records.migrate import upgrade

_SEEN_S = 60.0  # so seldom it is written down that somebody took a step

METADATA = sql.MetaData()
ACCOUNTS = sql.Table(
    "accounts",
    METADATA,
    sql.Column("name", sql.String(128), primary_key=True),
    sql.Column("role", sql.String(16), nullable=False),
    sql.Column("password", sql.String(256), nullable=False),
    sql.Column("disabled", sql.Boolean, nullable=False),
    sql.Column("created", sql.Float, nullable=False),  # Unix seconds, as all times here
    sql.Column("preferences", sql.Text, nullable=False),  # JSON
)
SESSIONS = sql.Table(
    "sessions",
    METADATA,
    sql.Column("id", sql.String(64), primary_key=True),  # SHA-256 of the cookie's token
    sql.Column("account", sql.String(128), nullable=False),
    sql.Column("began", sql.Float, nullable=False),
    sql.Column("seen", sql.Float, nullable=False),
    sql.Column("until", sql.Float, nullable=False),
    sql.Index("sessions_account", "account"),
)

_PREFERENCES = TypeAdapter(Preferences)


class SqlAccounts:
    """As Accounts. Statements run in one thread, so that the event loop never waits for a disk."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Raises DatabaseUrlError."""
        self._database = Connected(url, name="accounts")
        self._clock = clock

    @classmethod
    def at(cls, place: str) -> SqlAccounts:
        """A database URL, or a file (SQLite), made when it is not there. Raises DatabaseUrlError, OSError."""
        return cls(place if "://" in place else sqlite_url(Path(place)))

    async def open(self) -> None:
        """Bring the tables up to date. Raises GatepostError."""
        await self._database.run(upgrade)

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        await self._database.close()

    async def add(self, account: Account) -> bool:
        """As Accounts.add."""

        def added(connection: sql.Connection) -> bool:
            try:
                connection.execute(ACCOUNTS.insert().values(_row(account) | {"created": self._clock()}))
            except IntegrityError:
                return False
            return True

        return await self._database.run(added)

    async def find(self, name: str) -> Account | None:
        """As Accounts.find."""
        query = sql.select(ACCOUNTS).where(ACCOUNTS.c.name == name)
        row = await self._database.run(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _account(row)

    async def everybody(self) -> tuple[Account, ...]:
        """As Accounts.everybody."""
        query = sql.select(ACCOUNTS).order_by(ACCOUNTS.c.name)
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return tuple(map(_account, rows))

    async def change(self, account: Account) -> None:
        """As Accounts.change."""

        def changed(connection: sql.Connection) -> None:
            there = ACCOUNTS.c.name == account.name
            before = connection.execute(sql.select(ACCOUNTS.c.password, ACCOUNTS.c.role).where(there)).one_or_none()
            connection.execute(ACCOUNTS.update().where(there).values(_row(account)))
            if account.disabled or (before is not None and tuple(before) != (account.password, account.role.value)):
                connection.execute(SESSIONS.delete().where(SESSIONS.c.account == account.name))

        await self._database.run(changed)

    async def prefer(self, name: str, preferences: Preferences) -> None:
        """As Accounts.prefer."""
        text = _PREFERENCES.dump_json(preferences).decode()
        update = ACCOUNTS.update().where(ACCOUNTS.c.name == name).values(preferences=text)
        await self._database.run(lambda connection: connection.execute(update))

    async def lock(self, name: str, password: str) -> None:
        """As Accounts.lock."""

        def locked(connection: sql.Connection) -> None:
            connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == name).values(password=password))
            connection.execute(SESSIONS.delete().where(SESSIONS.c.account == name))

        await self._database.run(locked)

    async def begin(self, name: str, session: str, *, until: float) -> None:
        """As Accounts.begin; sessions that are over are forgotten."""

        def begun(connection: sql.Connection) -> None:
            now = self._clock()
            connection.execute(SESSIONS.delete().where(SESSIONS.c.until <= now))
            connection.execute(SESSIONS.insert().values(id=session, account=name, began=now, seen=now, until=until))

        await self._database.run(begun)

    async def whose(self, session: str, *, idle_s: float, step: bool = True) -> Account | None:
        """As Accounts.whose."""
        query = (
            sql.select(ACCOUNTS, SESSIONS.c.seen)
            .join(SESSIONS, SESSIONS.c.account == ACCOUNTS.c.name)
            .where(SESSIONS.c.id == session, ACCOUNTS.c.disabled.is_(False))
        )

        def seen(connection: sql.Connection) -> Account | None:
            now = self._clock()
            row = connection.execute(query.where(SESSIONS.c.until > now, SESSIONS.c.seen > now - idle_s)).one_or_none()
            if row is None:
                return None
            if step and row.seen <= now - _SEEN_S:
                connection.execute(SESSIONS.update().where(SESSIONS.c.id == session).values(seen=now))
            return _account(row)

        return await self._database.run(seen)

    async def end(self, session: str) -> None:
        """As Accounts.end."""
        await self._database.run(
            lambda connection: connection.execute(SESSIONS.delete().where(SESSIONS.c.id == session))
        )


def _row(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": account.role.value,
        "password": account.password,
        "disabled": account.disabled,
        "created": account.created,
        "preferences": _PREFERENCES.dump_json(account.preferences).decode(),
    }


def _account(row: Any) -> Account:
    try:
        preferences = _PREFERENCES.validate_json(row.preferences)
    except ValidationError:  # of a newer program
        preferences = Preferences()
    return Account(row.name, AccountRole(row.role), row.password, row.disabled, row.created, preferences)
