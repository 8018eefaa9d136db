"""The known-bad bank in a SQLite file."""

from __future__ import annotations

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.records.sql_bank import SqlBank
from tests.unit.records.bank_contract import BankContract, example


@pytest.fixture
async def bank(tmp_path):
    made = SqlBank.at(str(tmp_path / "bank.db"))
    yield made
    await made.close()


@pytest.fixture
async def other(tmp_path):
    made = SqlBank.at(str(tmp_path / "bank.db"))
    yield made
    await made.close()


class TestSqliteBank(BankContract):
    async def test_a_file_that_is_no_database_is_said_to_be_unavailable(self, tmp_path):
        (tmp_path / "bank.db").write_bytes(b"not a database at all" * 100)
        broken = SqlBank.at(str(tmp_path / "bank.db"))
        with pytest.raises(GatepostError) as caught:
            await broken.add(example())
        assert caught.value.reason is ErrorReason.STORE_UNAVAILABLE
        await broken.close()
