"""What chores and waiting callers ask for again and again is found by an index."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_index_gone_site_revision", "index_gone", ["site", "revision"])
    op.create_index("ix_index_gone_site_at_ms", "index_gone", ["site", "at_ms"])
    op.create_index("ix_uploads_site_state", "uploads", ["site", "state"])
    op.create_index("ix_erasures_done_ms", "erasures", ["done_ms"])
