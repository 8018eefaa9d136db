"""Accounts in a real PostgreSQL."""

from __future__ import annotations

import pytest

from gatepost_server.records.sql_accounts import SqlAccounts
from tests.unit.records.accounts_contract import AccountsContract
from tests.unit.records.test_sqlite_accounts import Clock

pytestmark = pytest.mark.integration


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def accounts(postgres_url, clock):
    kept = SqlAccounts(postgres_url, clock=clock)
    await kept.open()
    yield kept
    await kept.close()


class TestPostgresAccounts(AccountsContract):
    """As the contract has it."""
