"""Accounts in a SQLite file."""

from __future__ import annotations

import pytest
import sqlalchemy as sql

from gatepost_server.records.accounts import Preferences
from gatepost_server.records.database import sqlite_url
from gatepost_server.records.sql_accounts import SqlAccounts
from tests.unit.records.accounts_contract import ANA, AccountsContract


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def accounts(tmp_path, clock):
    kept = SqlAccounts(sqlite_url(tmp_path / "record.db"), clock=clock)
    await kept.open()
    yield kept
    await kept.close()


class TestSqliteAccounts(AccountsContract):
    """As the contract has it."""


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ('{"blur": false, "of_tomorrow": 1}', Preferences(blur=False)),
        ("{}", Preferences()),
        ('{"theme": "pink"}', Preferences()),
    ],
)
async def test_preferences_of_another_version_are_taken_as_far_as_they_fit(accounts, tmp_path, kept, read):
    await accounts.add(ANA)
    engine = sql.create_engine(sqlite_url(tmp_path / "record.db"))
    with engine.begin() as connection:
        connection.execute(sql.text("UPDATE accounts SET preferences = :kept"), {"kept": kept})
    engine.dispose()
    assert (await accounts.find("ana")).preferences == read
