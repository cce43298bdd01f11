"""Indexes by which reports and chores read what is still open, and not every call and ticket there ever was."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, table, columns, where in (
        ("ix_calls_callback_arrived_ms", "calls", ["callback", "arrived_ms"], "callback IS NOT NULL"),
        ("ix_calls_running", "calls", ["site", "arrived_ms"], "running != ''"),
        ("ix_intervals_unsettled", "intervals", ["site", "grain", "start_ms"], "unsettled > 0"),
    ):
        few = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=few, postgresql_where=few)
    for column in ("resolved_ms", "due_ms", "opened_ms"):
        op.create_index(f"ix_tickets_site_{column}", "tickets", ["site", column])
    op.create_index("ix_tickets_site_closed_ms_resolved_ms", "tickets", ["site", "closed_ms", "resolved_ms"])
