"""Who did what since an instant is found without reading every look that anybody ever took."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audits_at_ms", "audits", ["at_ms"])
