"""What waiting callers were told of their place and of the time."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcements",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("line_id", "site", "call_id", "queue", "tier")
        ),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("position", "low_s", "high_s")),
        sa.PrimaryKeyConstraint("line_id", name="pk_announcements"),
    )
    op.create_index("ix_announcements_site_told_ms", "announcements", ["site", "told_ms"])
