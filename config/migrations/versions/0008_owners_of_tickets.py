"""A ticket has an owner until its caller has been told; who has it in hand is another thing. Follow-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# A call had one agent until now: he was the first.
OWNED = "UPDATE tickets SET owner = (SELECT agent_id FROM calls WHERE calls.call_id = tickets.call_id)"
REPLIED = "UPDATE tickets SET replied_ms = closed_ms WHERE state = 'closed'"
RENAMED = """
UPDATE audits SET detail = replace(detail, '"owner":', '"taken_by":')
WHERE action IN ('ticket.take', 'ticket.give_back', 'ticket.reopen')
"""


def upgrade() -> None:
    op.execute("ALTER TABLE tickets RENAME COLUMN owner TO taken_by")
    op.add_column("tickets", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("replied_ms", sa.BigInteger(), nullable=True))
    for statement in (OWNED, REPLIED, RENAMED):
        op.execute(statement)
    op.create_index("ix_tickets_caller_ref", "tickets", ["caller_ref"])
    op.create_index("ix_tickets_owner_replied_ms", "tickets", ["owner", "replied_ms"])
    op.create_table(
        "follow_ups",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("follow_up_id", "site", "kind")),
        *(sa.Column(name, sa.Text()) for name in ("agent_id", "customer_id", "ticket_no", "why")),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        *(sa.Column(name, sa.Text()) for name in ("ended", "account_id")),
        sa.PrimaryKeyConstraint("follow_up_id", name="pk_follow_ups"),
    )
    op.create_index("ix_follow_ups_site_ended_ms", "follow_ups", ["site", "ended_ms"])
    op.create_index("ix_follow_ups_ticket_no", "follow_ups", ["ticket_no"])
    op.create_index("ix_follow_ups_customer_id", "follow_ups", ["customer_id"])
