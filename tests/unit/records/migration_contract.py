"""What migrations keep in every database. Inherit, and give it an `engine` fixture: an empty database."""

from __future__ import annotations

import pytest
import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gatepost_server.domain.errors import GatepostError
from gatepost_server.records import migrate, sql_accounts, sql_backlog, sql_bank, sql_usage, tables

TABLES = {"backlog", "usage", "decisions", "acts", "review_queue", "purges", "alembic_version"} | {
    "known_bad",
    "known_bad_changes",
    "accounts",
    "sessions",
}


def names(connection: sql.Connection) -> set[str]:
    return set(sql.inspect(connection).get_table_names())


class MigrationContract:
    """As records.migrate says."""

    def test_an_empty_database_gets_every_table_as_the_program_uses_them(self, engine):
        with engine.begin() as connection:
            migrate.upgrade(connection)
        used = (sql_backlog.METADATA, sql_usage.METADATA, sql_bank.METADATA, sql_accounts.METADATA, tables.METADATA)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection)
            changes = [change for metadata in used for change in compare_metadata(context, metadata)]
            # Each metadata knows some of the tables, and would drop the others.
            assert [change for change in changes if change[0] not in ("remove_table", "remove_index")] == []
            assert names(connection) == TABLES

    def test_up_twice_changes_nothing(self, engine):
        for _ in range(2):
            with engine.begin() as connection:
                migrate.upgrade(connection)
        with engine.connect() as connection:
            assert migrate.current(connection) == migrate.HEAD

    def test_down_leaves_the_older_tables_and_then_nothing_and_up_works_again(self, engine):
        with engine.begin() as connection:
            migrate.upgrade(connection)
        with engine.begin() as connection:
            migrate.downgrade(connection, "0001")
        with engine.connect() as connection:
            assert names(connection) == {"backlog", "usage", "alembic_version"}
        with engine.begin() as connection:
            migrate.downgrade(connection, "base")
        with engine.connect() as connection:
            assert names(connection) == {"alembic_version"}
        with engine.begin() as connection:
            migrate.upgrade(connection)
        with engine.connect() as connection:
            assert names(connection) == TABLES

    def test_tables_from_before_there_were_migrations_are_taken_over_with_their_rows(self, engine):
        with engine.begin() as connection:
            sql_backlog.METADATA.create_all(connection)
            sql_usage.METADATA.create_all(connection)
            connection.execute(sql.text("INSERT INTO usage (tenant, day, images) VALUES ('cards', '2026-11-22', 7)"))
        with engine.begin() as connection:
            migrate.upgrade(connection)
        with engine.connect() as connection:
            assert names(connection) == TABLES
            assert connection.execute(sql.text("SELECT images FROM usage")).scalar_one() == 7

    def test_a_database_of_a_newer_program_is_left_alone(self, engine):
        with engine.begin() as connection:
            migrate.upgrade(connection)
            connection.execute(sql.text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(GatepostError, match="9999"), engine.begin() as connection:
            migrate.upgrade(connection)

    @pytest.mark.parametrize("table", ["decisions", "acts"])
    @pytest.mark.parametrize("statement", ["UPDATE {0} SET category = 'hate'", "DELETE FROM {0}"])
    def test_history_is_not_rewritten(self, engine, table, statement):
        with engine.begin() as connection:
            migrate.upgrade(connection)
            _row_in(connection, table)
        with pytest.raises(sql.exc.DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(sql.text(statement.format(table)))
        with engine.connect() as connection:
            assert connection.execute(sql.text(f"SELECT category FROM {table}")).scalars().all() == ["insult"]


def _row_in(connection: sql.Connection, name: str) -> None:
    table = tables.METADATA.tables[name]
    blank = {sql.Float: 0.0, sql.Integer: 0, sql.Boolean: False, sql.LargeBinary: b"", sql.String: "", sql.Text: ""}
    row = {column.name: blank[type(column.type)] for column in table.columns if column.name not in ("id", "undoes")}
    connection.execute(table.insert().values(row | {"category": "insult"}))
