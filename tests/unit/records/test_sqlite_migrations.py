"""Migrations of a SQLite file."""

from __future__ import annotations

import pytest

from gatepost_server.records.database import database
from tests.unit.records.migration_contract import MigrationContract


@pytest.fixture
def engine(tmp_path):
    made = database(f"sqlite:///{tmp_path / 'gatepost.db'}")
    yield made
    made.dispose()


class TestSqliteMigrations(MigrationContract):
    pass
