"""What a call keeps besides its steps, and which traces of anonymous ones are still to be erased."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("given", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("is_anonymous", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "erasures",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("call_id", name="pk_erasures"),
    )
