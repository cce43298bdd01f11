"""Reports that are made at their time and kept, and what is said beside a kept one: corrections, updates, notes."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("site", sa.Text(), primary_key=True),
        sa.Column("report_id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("due_ms", sa.BigInteger()),
        sa.Column("made_ms", sa.BigInteger()),
        sa.Column("document", sa.Text()),
        sa.Column("digest", sa.Text()),
        sa.Column("checked_ms", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("missed_ms", sa.BigInteger()),
        sa.Column("closed_ms", sa.BigInteger()),
    )
    op.create_index("ix_reports_site_kind_first", "reports", ["site", "kind", "first"])
    op.create_index("ix_reports_site_made_ms", "reports", ["site", "made_ms"])
    op.create_table(
        "report_entries",
        sa.Column("site", sa.Text(), primary_key=True),
        sa.Column("report_id", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
