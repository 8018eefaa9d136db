"""Who may use the console, and who is signed in."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "accounts",
        sql.Column("name", sql.String(128), primary_key=True),
        sql.Column("role", sql.String(16), nullable=False),
        sql.Column("password", sql.String(256), nullable=False),
        sql.Column("disabled", sql.Boolean, nullable=False),
        sql.Column("created", sql.Float, nullable=False),
        sql.Column("preferences", sql.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("account", sql.String(128), nullable=False),
        sql.Column("began", sql.Float, nullable=False),
        sql.Column("seen", sql.Float, nullable=False),
        sql.Column("until", sql.Float, nullable=False),
    )
    op.create_index("sessions_account", "sessions", ["account"])


def downgrade() -> None:
    """Nobody uses a console."""
    op.drop_table("sessions")
    op.drop_table("accounts")
