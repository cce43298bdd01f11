"""How much a complaint is about, how grave it is, and which post settles it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("amount_cents", sa.BigInteger(), nullable=True))
    op.add_column("tickets", sa.Column("gravity", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("post", sa.Text(), nullable=True))
