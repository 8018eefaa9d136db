"""The record in a real PostgreSQL."""

from __future__ import annotations

import pytest

from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.record_contract import RecordContract
from tests.unit.records.test_sqlite_backlog import Clock

pytestmark = pytest.mark.integration


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def record(postgres_url, clock):
    made = SqlRecord(postgres_url, clock=clock)
    await made.open()
    yield made
    await made.close()


class TestPostgresRecord(RecordContract):
    pass
