"""Who called again is counted anew: the kept days had the calls that we placed ourselves among the callers."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.delete(sa.table("caller_days")))
