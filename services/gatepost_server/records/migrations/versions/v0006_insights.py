"""What insights count is read from indexes: a verdict's row is kilobytes of evidence."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Two indexes of what there was, one instead of a shorter one."""
    op.create_index("decisions_counted", "decisions", ["created", "tenant", "policy", "decision", "pending", "name"])
    op.drop_index("decisions_created", "decisions")
    op.create_index("acts_actor", "acts", ["actor", "at"])


def downgrade() -> None:
    """As it was."""
    op.drop_index("acts_actor", "acts")
    op.create_index("decisions_created", "decisions", ["created"])
    op.drop_index("decisions_counted", "decisions")
