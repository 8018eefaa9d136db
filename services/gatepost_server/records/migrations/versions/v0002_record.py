"""The record of verdicts, what people decided of them, the queue of those that wait for people, and purges."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0002"
down_revision = "0001"

_KEPT = ("decisions", "acts")  # rows are added, never changed, and deleted by a purge alone
_PURGES = "EXISTS (SELECT 1 FROM purges WHERE finished IS NULL)"


def upgrade() -> None:
    """Make the tables, and let the database itself refuse what would rewrite history."""
    op.create_table(
        "decisions",
        sql.Column("name", sql.String(64), primary_key=True),
        sql.Column("pending", sql.Boolean, primary_key=True),
        sql.Column("tenant", sql.String(64), nullable=False),
        sql.Column("request_id", sql.String(128), nullable=False),
        sql.Column("subject", sql.String(128), nullable=False),
        sql.Column("created", sql.Float, nullable=False),
        sql.Column("decision", sql.String(16), nullable=False),
        sql.Column("category", sql.String(32), nullable=False),
        sql.Column("severity", sql.Float, nullable=False),
        sql.Column("policy", sql.String(64), nullable=False),
        sql.Column("policy_version", sql.String(16), nullable=False),
        sql.Column("image_sha256", sql.String(64), nullable=False),
        sql.Column("pdq", sql.String(64), nullable=False),
        sql.Column("image_kept", sql.Boolean, nullable=False),
        sql.Column("opinions", sql.Integer, nullable=False),
        sql.Column("due_s", sql.Float, nullable=False),
        sql.Column("request", sql.LargeBinary, nullable=False),
        sql.Column("verdict", sql.LargeBinary, nullable=False),
        sql.Column("embedding", sql.LargeBinary, nullable=False),
    )
    op.create_index("decisions_created", "decisions", ["created"])
    op.create_index("decisions_tenant", "decisions", ["tenant", "created"])
    op.create_index("decisions_subject", "decisions", ["subject"])
    op.create_table(
        "acts",
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
        sql.Column("verdict", sql.String(64), nullable=False),
        sql.Column("kind", sql.String(16), nullable=False),
        sql.Column("actor", sql.String(128), nullable=False),
        sql.Column("at", sql.Float, nullable=False),
        sql.Column("category", sql.String(32), nullable=False),
        sql.Column("text", sql.Text, nullable=False),
        sql.Column("undoes", sql.Integer, nullable=True),
    )
    op.create_index("acts_verdict", "acts", ["verdict", "id"])
    op.create_table(
        "review_queue",
        sql.Column("verdict", sql.String(64), primary_key=True),
        sql.Column("tenant", sql.String(64), nullable=False),
        sql.Column("kind", sql.String(16), nullable=False),
        sql.Column("category", sql.String(32), nullable=False),
        sql.Column("severity", sql.Float, nullable=False),
        sql.Column("queued", sql.Float, nullable=False),
        sql.Column("due", sql.Float, nullable=False),
        sql.Column("open", sql.Boolean, nullable=False),
        sql.Column("claimed_by", sql.String(128), nullable=False),
        sql.Column("claimed_until", sql.Float, nullable=False),
    )
    op.create_index("review_queue_open", "review_queue", ["open", "due"])
    op.create_table(
        "purges",
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
        sql.Column("actor", sql.String(128), nullable=False),
        sql.Column("started", sql.Float, nullable=False),
        sql.Column("finished", sql.Float, nullable=True),  # NULL inside the purge's own transaction alone
        sql.Column("criteria", sql.Text, nullable=False),
        sql.Column("decisions", sql.Integer, nullable=False),
        sql.Column("images", sql.Integer, nullable=False),
    )
    guard = _sqlite_guard if op.get_bind().dialect.name == "sqlite" else _postgresql_guard
    for table in _KEPT:
        guard(table)


def downgrade() -> None:
    """Without the record. The triggers go with their tables."""
    for table in ("purges", "review_queue", "acts", "decisions"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION gatepost_append_only()")


def _sqlite_guard(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT {_PURGES} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgresql_guard(table: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION gatepost_append_only() RETURNS trigger AS $$
        BEGIN
          IF TG_OP = 'DELETE' AND {_PURGES} THEN
            RETURN OLD;
          END IF;
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
        END
        $$ LANGUAGE plpgsql
        """
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION gatepost_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION gatepost_append_only()"
    )
