"""The record in a SQLite file."""

from __future__ import annotations

import pytest

from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.record_contract import RecordContract
from tests.unit.records.test_sqlite_backlog import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def record(tmp_path, clock):
    made = SqlRecord(f"sqlite:///{tmp_path / 'record.db'}", clock=clock)
    await made.open()
    yield made
    await made.close()


class TestSqliteRecord(RecordContract):
    pass
