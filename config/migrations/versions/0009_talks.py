"""A call that is put through has a talk with each agent."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "talks",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("call_id", "offer_id", "agent_id")),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("wait_ms", sa.BigInteger(), nullable=True),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("wrapped_up_ms", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", "offer_id", name="pk_talks"),
    )
    op.create_index("ix_talks_agent_id_began_ms", "talks", ["agent_id", "began_ms"])
    op.add_column("calls", sa.Column("connected_ms", sa.BigInteger(), nullable=True))
