"""The backlog and the counts of images. Where a gateway made them before there were migrations, they are taken over."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both tables where they are not there."""
    there = set(sql.inspect(op.get_bind()).get_table_names())
    if "backlog" not in there:
        op.create_table(
            "backlog",
            sql.Column("name", sql.String(64), primary_key=True),
            sql.Column("accepted", sql.Float, nullable=False),
            sql.Column("request", sql.LargeBinary, nullable=False),
            sql.Column("image", sql.LargeBinary, nullable=True),
            sql.Column("image_bytes", sql.Integer, nullable=False),
            sql.Column("attempts", sql.Integer, nullable=False),
            sql.Column("free_at", sql.Float, nullable=False),
            sql.Column("owner", sql.String(128), nullable=False),
            sql.Column("finished", sql.Float, nullable=True),
            sql.Column("verdict", sql.LargeBinary, nullable=False),
        )
        op.create_index("backlog_open", "backlog", ["finished", "free_at", "accepted"])
    if "usage" not in there:
        op.create_table(
            "usage",
            sql.Column("tenant", sql.String(64), primary_key=True),
            sql.Column("day", sql.Date, primary_key=True),
            sql.Column("images", sql.BigInteger, nullable=False),
        )


def downgrade() -> None:
    """An empty database."""
    op.drop_table("usage")
    op.drop_table("backlog")
