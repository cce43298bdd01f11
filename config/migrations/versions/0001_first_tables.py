"""Every table of the first version.

Ids are texts, instants are milliseconds since the epoch (``*_ms``), JSON is kept as text. The tables that are
filled from the journal refer to each other by id alone: their lines may be written in any order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _journal_tables()
    _call_tables()
    _people_tables()
    _work_tables()
    _recording_tables()
    _house_tables()


def _journal_tables() -> None:
    op.create_table(
        "readers",
        _key("name"),
        _text("last_id", needed=True),
        _text("holder"),
        _ms("lease_until_ms"),
        sa.PrimaryKeyConstraint("name", name="pk_readers"),
    )
    op.create_table(
        "events",
        _key("id"),
        _text("site", needed=True),
        _text("type", needed=True),
        _ms("at_ms", needed=True),
        _text("call_id"),
        _text("agent_id"),
        _text("offer_id"),
        _text("data", needed=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_call_id", "events", ["call_id"])


def _call_tables() -> None:
    op.create_table(
        "calls",
        _key("call_id"),
        _text("site", needed=True),
        _text("site_version"),
        *(_text(name) for name in ("line", "caller_ref", "customer_id", "tier", "queue", "matter", "locale")),
        _text("state", needed=True),
        *(_text(name) for name in ("outcome", "ended_by", "agent_id", "ticket_no", "record")),
        _ms("arrived_ms", needed=True),
        *(
            _ms(f"{name}_ms")
            for name in ("queued", "offered", "answered", "ended", "wrapped_up", "wait", "talk")
        ),
        _int("offers", needed=True),
        _text("disposition"),
        _text("note"),
        _text("updated_id"),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_arrived_ms", "calls", ["arrived_ms"])
    op.create_index("ix_calls_customer_id", "calls", ["customer_id"])
    op.create_index("ix_calls_caller_ref", "calls", ["caller_ref"])


def _people_tables() -> None:
    op.create_table(
        "caller_numbers",
        _key("caller_ref"),
        _text("number", needed=True),
        _ms("seen_ms", needed=True),
        sa.PrimaryKeyConstraint("caller_ref", name="pk_caller_numbers"),
    )
    op.create_table(
        "customers",
        _key("customer_id"),
        _text("site", needed=True),
        _text("account_no"),
        _text("name", needed=True),
        *(_text(name) for name in ("tier", "locale", "manager", "area", "attributes")),
        sa.PrimaryKeyConstraint("customer_id", name="pk_customers"),
    )
    op.create_table(
        "customer_numbers",
        _key("number_key"),
        _text("customer_id", needed=True),
        _text("number", needed=True),
        sa.PrimaryKeyConstraint("number_key", name="pk_customer_numbers"),
    )
    op.create_index("ix_customer_numbers_customer_id", "customer_numbers", ["customer_id"])
    op.create_table(
        "agents",
        _key("agent_id"),
        *(_text(name, needed=True) for name in ("site", "name", "skills", "endpoint")),
        sa.PrimaryKeyConstraint("agent_id", name="pk_agents"),
    )


def _work_tables() -> None:
    op.create_table(
        "tickets",
        _key("ticket_no"),
        *(_text(name, needed=True) for name in ("site", "type", "work_queue")),
        _int("priority", needed=True),
        _text("state", needed=True),
        *(_text(name) for name in ("call_id", "customer_id", "caller_ref", "tier", "subject", "note")),
        _ms("opened_ms", needed=True),
        _ms("closed_ms"),
        sa.PrimaryKeyConstraint("ticket_no", name="pk_tickets"),
    )
    op.create_index("ix_tickets_call_id", "tickets", ["call_id"])
    op.create_index("ix_tickets_opened_ms", "tickets", ["opened_ms"])
    op.create_table(
        "links",
        _key("call_id"),
        _key("kind"),
        _text("ticket_no"),
        _text("work_queue", needed=True),
        _text("job_id"),
        _ms("due_ms", needed=True),
        _ms("pushed_ms"),
        _ms("done_ms"),
        _int("attempts", needed=True),
        sa.PrimaryKeyConstraint("call_id", "kind", name="pk_links"),
    )
    op.create_index("ix_links_done_ms_due_ms", "links", ["done_ms", "due_ms"])


def _recording_tables() -> None:
    op.create_table(
        "recordings",
        _key("recording_id"),
        _text("call_id", needed=True),
        _text("kind", needed=True),
        _text("state", needed=True),
        _int("channels"),
        _ms("started_ms"),
        _int("duration_s"),
        _text("vault_key"),
        _int("bytes"),
        _ms("fetched_ms"),
        _text("missing_why"),
        sa.PrimaryKeyConstraint("recording_id", name="pk_recordings"),
    )
    op.create_index("ix_recordings_call_id", "recordings", ["call_id"])


def _house_tables() -> None:
    op.create_table(
        "accounts",
        _key("account_id"),
        *(_text(name, needed=True) for name in ("name", "password_hash", "role")),
        _text("agent_id"),
        _text("locale"),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        _int("failures", needed=True),
        _ms("locked_until_ms"),
        _ms("created_ms", needed=True),
        sa.PrimaryKeyConstraint("account_id", name="pk_accounts"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
    )
    op.create_table(
        "sessions",
        _key("session_id"),
        _text("account_id", needed=True),
        _text("csrf", needed=True),
        _ms("created_ms", needed=True),
        _ms("expires_ms", needed=True),
        sa.PrimaryKeyConstraint("session_id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_table(
        "audits",
        _key("id"),
        _ms("at_ms", needed=True),
        _text("account_id"),
        _text("action", needed=True),
        _text("subject"),
        _text("detail"),
        sa.PrimaryKeyConstraint("id", name="pk_audits"),
    )
    op.create_table(
        "site_versions",
        _key("version"),
        _text("site", needed=True),
        _ms("created_ms", needed=True),
        _text("content", needed=True),
        sa.PrimaryKeyConstraint("version", name="pk_site_versions"),
    )


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _text(name: str, *, needed: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=not needed)


def _int(name: str, *, needed: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=not needed)


def _ms(name: str, *, needed: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=not needed)
