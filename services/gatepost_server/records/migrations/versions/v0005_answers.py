"""What a BLOCK rests on, and how soon an appeal is answered."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Two columns of `acts`."""
    op.add_column("acts", sql.Column("ground", sql.String(16), nullable=False, server_default=""))
    op.add_column("acts", sql.Column("due_s", sql.Float, nullable=True))


def downgrade() -> None:
    """Without them."""
    op.drop_column("acts", "due_s")
    op.drop_column("acts", "ground")
