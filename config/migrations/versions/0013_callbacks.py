"""What became of a caller's wish to be called back."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("callback", sa.Text()))
    op.add_column("calls", sa.Column("tries", sa.Integer()))
