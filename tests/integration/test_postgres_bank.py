"""The known-bad bank in a real PostgreSQL, shared by gateways."""

from __future__ import annotations

import pytest

from gatepost_server.records.sql_bank import SqlBank
from tests.unit.records.bank_contract import BankContract

pytestmark = pytest.mark.integration


@pytest.fixture
async def bank(postgres_url):
    made = SqlBank.at(postgres_url)
    yield made
    await made.close()


@pytest.fixture
async def other(postgres_url):
    made = SqlBank.at(postgres_url)
    yield made
    await made.close()


class TestPostgresBank(BankContract):
    pass
