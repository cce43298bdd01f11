"""Stamps of calls, and the intervals that figures are read from."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_CALL_SUMS = (
    "arrived", "unsettled", "left_in_menu", "came_closed",
    "offered", "answered", "abandoned", "abandoned_ringing", "called_back", "flowed_out", "voicemail",
    "callbacks_kept", "callbacks_failed", "callbacks_joined",
    "handled", "talk_ms", "held_ms", "wrap_ms", "wait_ms", "abandoned_wait_ms",
    "with_hold", "holds", "transferred", "transfers", "offers",
)  # fmt: skip
_WAITS = ("answered_waits", "abandoned_waits", "other_waits", "felt_waits")
_AGENT_SUMS = (
    "away_ms", "ready_ms", "offered_ms", "connecting_ms", "connected_ms", "wrap_up_ms",
    "offers", "accepted", "declined", "expired", "unrung", "withdrawn", "talks", "holds", "transfers",
)  # fmt: skip


def upgrade() -> None:
    for name in ("menu_left_ms", "rang_ms", "held_ms", "longest_hold_ms", "wrap_ms"):
        op.add_column("calls", sa.Column(name, sa.BigInteger()))
    for name in ("came_closed", "holds", "transfers"):
        op.add_column("calls", sa.Column(name, sa.Integer()))
    for name in ("running", "ended_in"):
        op.add_column("calls", sa.Column(name, sa.Text()))
    op.create_table(
        "intervals",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("queue", "tier", "line")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _CALL_SUMS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _WAITS),
        sa.Column("corrected_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("site", "grain", "start_ms", "queue", "tier", "line", name="pk_intervals"),
    )
    op.create_table(
        "agent_intervals",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _AGENT_SUMS),
        sa.PrimaryKeyConstraint("site", "grain", "start_ms", "agent_id", name="pk_agent_intervals"),
    )
    op.create_table(
        "agent_stays",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "agent_id", name="pk_agent_stays"),
    )
    op.create_table(
        "figure_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
    )
