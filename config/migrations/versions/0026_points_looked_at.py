"""By which figures kept points were looked at, in place of when: those of before are looked at once more."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "score_months", sa.Column("fingerprint", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    op.drop_column("score_months", "checked_ms")
