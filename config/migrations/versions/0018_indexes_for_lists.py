"""Lists of calls by ticket and by agent find them without looking at every call."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_calls_ticket_no", "calls", ["ticket_no"])
    op.create_index("ix_calls_agent_id_arrived_ms", "calls", ["agent_id", "arrived_ms"])
