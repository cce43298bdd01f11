"""Callers who gave up: the list of whom to call back, and the calls behind each of its entries."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "abandoned",
        sa.Column("entry_id", sa.Text(), primary_key=True),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("open_key", sa.Text()),
        sa.Column("caller_ref", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text()),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text()),
        sa.Column("tier", sa.Text()),
        sa.Column("locale", sa.Text()),
        sa.Column("line", sa.Text()),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("waited_ms", sa.BigInteger(), nullable=False),
        sa.Column("head_start_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("lapses_ms", sa.BigInteger(), nullable=False),
        sa.Column("here_call_id", sa.Text()),
        sa.Column("taken_by", sa.Text()),
        sa.Column("taken_until_ms", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("heard", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_ms", sa.BigInteger()),
        sa.Column("next_ms", sa.BigInteger()),
        sa.Column("closed_ms", sa.BigInteger()),
        sa.Column("ending", sa.Text()),
        sa.Column("call_id", sa.Text()),
        sa.Column("agent_id", sa.Text()),
        sa.Column("account_id", sa.Text()),
    )
    op.create_index("ix_abandoned_site_opened_ms", "abandoned", ["site", "opened_ms"])
    op.create_index("ix_abandoned_site_closed_ms", "abandoned", ["site", "closed_ms"])
    op.create_index("ix_abandoned_open_key", "abandoned", ["open_key"], unique=True)
    op.create_index("ix_abandoned_caller_ref", "abandoned", ["caller_ref"])
    op.create_table(
        "abandoned_calls",
        sa.Column("call_id", sa.Text(), primary_key=True),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("waited_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_abandoned_calls_entry_id", "abandoned_calls", ["entry_id"])
