"""The tables of a database, brought to the version that this program knows.

Every database has all tables, whichever part opens it: the backlog's file, the record's, one server for everything.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sql

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError

HEAD = "0006"  # the newest of migrations/versions

_LOCK = 0x6761_7465  # "gate": whoever migrates holds it, in PostgreSQL


def upgrade(connection: sql.Connection) -> None:
    """Make or change what is missing, in the connection's transaction.

    Raises GatepostError (FAILED_PRECONDITION) where a newer program has changed the tables.
    """
    if current(connection) == HEAD:
        return
    _alone(connection)
    found = current(connection)
    if found is not None and found > HEAD:
        raise GatepostError(
            ErrorCode.FAILED_PRECONDITION,
            ErrorReason.STORE_UNAVAILABLE,
            f"the database is of version {found}, and this program knows {HEAD} at most",
        )
    if found != HEAD:
        _alembic(connection, HEAD)


def downgrade(connection: sql.Connection, revision: str) -> None:
    """Back to an older version; "base" is an empty database. What only the newer one holds is lost."""
    _alone(connection)
    _alembic(connection, revision, down=True)


def current(connection: sql.Connection) -> str | None:
    """The version of the tables; None where Alembic never saw them."""
    if not sql.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sql.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _alone(connection: sql.Connection) -> None:
    """Several gateways may start together: one migrates, the others find it done."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _alembic(connection: sql.Connection, revision: str, *, down: bool = False) -> None:
    from alembic import command  # half a second, and most starts have nothing to change
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)
