"""How a customer came to a tier, and who looks after him."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tiers()
    _ranking()
    _managers()


def _tiers() -> None:
    op.create_table(
        "tier_requests",
        _text("change_id"),
        *(_text(name) for name in ("site", "customer_id", "tier", "reason")),
        _ms("until_ms"),
        *(_text(name) for name in ("state", "asked_by")),
        _ms("asked_ms"),
        _text("decided_by", empty=True),
        _ms("decided_ms", empty=True),
        _text("note", empty=True),
        sa.PrimaryKeyConstraint("change_id", name="pk_tier_requests"),
    )
    op.create_index("ix_tier_requests_customer_id", "tier_requests", ["customer_id"])
    op.create_index("ix_tier_requests_state_until_ms", "tier_requests", ["state", "until_ms"])
    op.create_table(
        "tier_history",
        _text("customer_id"),
        _ms("revision"),
        _text("site"),
        _ms("at_ms"),
        *(_text(name, empty=True) for name in ("old_tier", "new_tier", "old_band", "new_band", "score")),
        _text("reason"),
        *(_text(name, empty=True) for name in ("origin", "account_id")),
        sa.PrimaryKeyConstraint("customer_id", "revision", name="pk_tier_history"),
    )
    op.create_index("ix_tier_history_site_at_ms", "tier_history", ["site", "at_ms"])


def _ranking() -> None:
    op.create_table(
        "scores",
        *(_text(name) for name in ("customer_id", "site", "run_id")),
        _text("peers", empty=True),
        sa.Column("sort_key", sa.LargeBinary(), nullable=True),
        _text("score", empty=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("rank", "count")),
        _text("left_out", empty=True),
        _ms("scored_ms"),
        sa.PrimaryKeyConstraint("customer_id", name="pk_scores"),
    )
    op.create_index("ix_scores_site_peers_sort_key", "scores", ["site", "peers", "sort_key"])
    op.create_table(
        "rescores",
        *(_text(name) for name in ("run_id", "site", "kind", "origin", "due_on", "rules", "phase", "cursor")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("scored", "left_out", "changed")),
        _text("holder"),
        *(_ms(name) for name in ("lease_until_ms", "started_ms")),
        _ms("finished_ms", empty=True),
        _text("account_id", empty=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_rescores"),
    )
    op.create_index("ix_rescores_site_started_ms", "rescores", ["site", "started_ms"])


def _managers() -> None:
    op.create_table(
        "appointments",
        *(_text(name) for name in ("customer_id", "agent_id")),
        *(_ms(name) for name in ("wait_ms", "since_ms")),
        _text("origin"),
        _text("account_id", empty=True),
        sa.PrimaryKeyConstraint("customer_id", "agent_id", name="pk_appointments"),
    )
    op.create_index("ix_appointments_agent_id", "appointments", ["agent_id"])
    op.create_table(
        "leaves",
        *(_text(name) for name in ("leave_id", "site", "agent_id")),
        *(_ms(name) for name in ("from_ms", "until_ms")),
        _text("cover", empty=True),
        _text("account_id", empty=True),
        _ms("set_ms"),
        sa.PrimaryKeyConstraint("leave_id", name="pk_leaves"),
    )
    op.create_index("ix_leaves_site_until_ms", "leaves", ["site", "until_ms"])
    op.create_table(
        "never_routes",
        *(_text(name) for name in ("customer_id", "agent_id", "site", "reason")),
        _text("account_id", empty=True),
        _ms("since_ms"),
        sa.PrimaryKeyConstraint("customer_id", "agent_id", name="pk_never_routes"),
    )
    op.create_index("ix_never_routes_site", "never_routes", ["site"])


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=empty)


def _ms(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=empty)
