"""Since when a raised alarm is calm; and what finds the last alarm of a kind without reading all there were."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alarms", sa.Column("calm_ms", sa.BigInteger()))
    op.create_index("ix_alarms_site_kind_subject_until_ms", "alarms", ["site", "kind", "subject", "until_ms"])
    op.create_index("ix_alarms_until_ms", "alarms", ["until_ms"])
