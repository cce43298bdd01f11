"""What a ticket promises, who has it, and what its caller may hear."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBERED = """
UPDATE tickets SET revision = numbered.place
FROM (SELECT ticket_no, row_number() OVER (ORDER BY opened_ms, ticket_no) AS place FROM tickets) AS numbered
WHERE tickets.ticket_no = numbered.ticket_no
"""


def upgrade() -> None:
    for name in ("matter", "area", "owner", "code_key", "reply"):
        op.add_column("tickets", sa.Column(name, sa.Text(), nullable=True))
    for name in ("due_ms", "resolved_ms", "revision"):
        op.add_column("tickets", sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute(NUMBERED)
    op.create_index("ix_tickets_revision", "tickets", ["revision"])
    op.create_index("ix_tickets_state_opened_ms", "tickets", ["state", "opened_ms"])
    op.create_index("ix_tickets_customer_id", "tickets", ["customer_id"])
