"""What keeps figures and lists instant over millions of calls: two indexes, and who called again by day."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_SUMS = ("known", "again_24", "again_48", "settled", "solved")


def upgrade() -> None:
    op.create_index("ix_calls_ticket_no", "calls", ["ticket_no"])
    op.create_index("ix_calls_agent_id_arrived_ms", "calls", ["agent_id", "arrived_ms"])
    op.create_table(
        "caller_days",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("day_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("queue", "tier", "line")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("site", "day_ms", "queue", "tier", "line", name="pk_caller_days"),
    )
