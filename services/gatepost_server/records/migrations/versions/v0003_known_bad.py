"""The bank of known-bad examples, and who changed it."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "known_bad",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("category", sql.String(32), nullable=False),
        sql.Column("added", sql.Float, nullable=False),
        sql.Column("added_by", sql.String(128), nullable=False),
        sql.Column("expires", sql.Float, nullable=True),
        sql.Column("note", sql.Text, nullable=False),
        sql.Column("sha256", sql.String(64), nullable=False),
        sql.Column("pdq", sql.String(64), nullable=False),
        sql.Column("pdq_distance", sql.Integer, nullable=False),
        sql.Column("embedding", sql.LargeBinary, nullable=False),
        sql.Column("embedding_model", sql.String(256), nullable=False),
        sql.Column("cosine", sql.Float, nullable=False),
        sql.Column("text", sql.Text, nullable=False),
        sql.Column("text_similarity", sql.Float, nullable=False),
        sql.Column("removed", sql.Float, nullable=True),
    )
    op.create_table(
        "known_bad_changes",
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
        sql.Column("at", sql.Float, nullable=False),
        sql.Column("actor", sql.String(128), nullable=False),
        sql.Column("what", sql.String(16), nullable=False),
        sql.Column("entry", sql.String(64), nullable=False),
    )


def downgrade() -> None:
    """Without the bank."""
    op.drop_table("known_bad_changes")
    op.drop_table("known_bad")
