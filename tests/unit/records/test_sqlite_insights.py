"""Insights of a record in a SQLite file."""

from __future__ import annotations

import pytest

from gatepost_server.records.sql_insights import SqlInsights
from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.insights_contract import InsightsContract
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


@pytest.fixture
async def insights(tmp_path, record):
    made = SqlInsights(f"sqlite:///{tmp_path / 'record.db'}")
    await made.open()
    yield made
    await made.close()


class TestSqliteInsights(InsightsContract):
    pass
