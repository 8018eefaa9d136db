"""Insights of a record in a real PostgreSQL."""

from __future__ import annotations

import pytest

from gatepost_server.records.sql_insights import SqlInsights
from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.insights_contract import InsightsContract
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


@pytest.fixture
async def insights(postgres_url, record):
    made = SqlInsights(postgres_url)
    await made.open()
    yield made
    await made.close()


class TestPostgresInsights(InsightsContract):
    pass
