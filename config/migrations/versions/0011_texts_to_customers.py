"""A follow-up may be a text message that goes out by itself; when it was tried."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("follow_ups", sa.Column("tried_ms", sa.BigInteger(), nullable=True))
