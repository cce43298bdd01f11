"""What supervisors tried on calls of the past, and what came out."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trials",
        sa.Column("trial_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("busy", sa.Text()),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Float(), nullable=False),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("pushes", sa.Integer(), nullable=False),
        sa.Column("pushed_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished_ms", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.Column("result", sa.Text()),
        sa.Column("detail", sa.LargeBinary()),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", name="pk_trials"),
    )
    op.create_index("ix_trials_site_asked_ms", "trials", ["site", "asked_ms"])
    op.create_index("ix_trials_state", "trials", ["state"])
    op.create_index("ix_trials_site_busy", "trials", ["site", "busy"], unique=True)
