"""Notices raised by supervisors; which version of the site's words came into force when, and its recorded prompts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _site_versions()
    op.create_table(
        "notices",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("notice_id", "site", "kind", "areas", "text", "raised_by")
        ),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=True),
        sa.Column("ticket_no", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("cleared_ms", sa.BigInteger(), nullable=True),
        sa.Column("cleared_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id", name="pk_notices"),
    )
    op.create_index("ix_notices_cleared_ms_ends_ms", "notices", ["cleared_ms", "ends_ms"])


def _site_versions() -> None:
    op.create_table(
        "site_activations",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("entry_id", "site", "version")),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_site_activations"),
    )
    op.create_table(
        "site_sounds",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_site_sounds"),
    )
    op.create_table(
        "uploads",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("upload_id", "site", "file_name", "sent_by", "state", "holder")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("size", "sent_ms", "lease_until_ms")),
        sa.Column("skip_faulty", sa.Boolean(), nullable=False),
        sa.Column("done", sa.Float(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("rows", "faulty", "opened", "changed", "unchanged")
        ),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("faults", "error")),
        sa.Column("finished_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("upload_id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_site_sent_ms", "uploads", ["site", "sent_ms"])
