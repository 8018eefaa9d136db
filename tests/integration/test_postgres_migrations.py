"""Migrations of a real PostgreSQL, by several gateways that start together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sql

from gatepost_server.records import migrate
from gatepost_server.records.database import database
from tests.unit.records.migration_contract import TABLES, MigrationContract, names

pytestmark = pytest.mark.integration


@pytest.fixture
def engine(postgres_url):
    made = database(postgres_url)
    yield made
    made.dispose()


class TestPostgresMigrations(MigrationContract):
    def test_gateways_that_start_together_do_not_trip_over_each_other(self, engine):
        def start(_: int) -> None:
            with engine.begin() as connection:
                migrate.upgrade(connection)

        with ThreadPoolExecutor(4) as gateways:
            list(gateways.map(start, range(4)))
        with engine.connect() as connection:
            assert names(connection) == TABLES

    def test_nobody_empties_the_record_in_one_go(self, engine):
        with engine.begin() as connection:
            migrate.upgrade(connection)
        with pytest.raises(sql.exc.DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(sql.text("TRUNCATE decisions"))
