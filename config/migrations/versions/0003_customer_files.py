"""Customers' files: persons, changes with date and origin, imports.

An account number has one file from now on. Where older data has two, the one with the smallest id takes over the
others' numbers, calls and tickets. A number, on the other hand, may now be in several files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 5_000
TEXTS = ("account_digits", "managers", "contacts", "band", "class_code")


def upgrade() -> None:
    _widen_files()
    _share_numbers()
    _one_file_for_one_account()
    _fill_digits()
    op.create_index("ix_customers_site_account_no", "customers", ["site", "account_no"], unique=True)
    op.create_index("ix_customers_site_account_digits", "customers", ["site", "account_digits"])
    op.create_index("ix_customers_site_revision", "customers", ["site", "revision"])
    _changes_and_imports()
    _stamps()


def _widen_files() -> None:
    for name in TEXTS:
        op.add_column("customers", sa.Column(name, sa.Text(), nullable=True))
    for name in ("has_consent", "is_care"):
        op.add_column("customers", sa.Column(name, sa.Boolean(), nullable=True))
    op.add_column("customers", sa.Column("import_no", sa.Integer(), nullable=True))
    for name in ("opened_ms", "revision"):
        op.add_column("customers", sa.Column(name, sa.BigInteger(), nullable=True))
    op.drop_column("customers", "manager")  # a name; managers are agents now


def _share_numbers() -> None:
    op.rename_table("customer_numbers", "customer_numbers_before")
    op.drop_index("ix_customer_numbers_customer_id", "customer_numbers_before")
    op.create_table(
        "customer_numbers",
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number_key", "customer_id", name="pk_customer_numbers_shared"),
    )
    op.execute(
        "INSERT INTO customer_numbers (number_key, customer_id, number)"
        " SELECT number_key, customer_id, number FROM customer_numbers_before"
    )
    op.drop_table("customer_numbers_before")
    op.create_index("ix_customer_numbers_customer_id", "customer_numbers", ["customer_id"])


def _one_file_for_one_account() -> None:
    op.execute("UPDATE customers SET account_no = NULL WHERE account_no = ''")
    op.execute(
        "CREATE TEMPORARY TABLE moved_files AS"
        " SELECT c.customer_id AS old_id, k.kept_id AS kept_id FROM customers c JOIN"
        " (SELECT site, account_no, min(customer_id) AS kept_id FROM customers"
        "  WHERE account_no IS NOT NULL GROUP BY site, account_no HAVING count(*) > 1) k"
        " ON c.site = k.site AND c.account_no = k.account_no WHERE c.customer_id <> k.kept_id"
    )
    for table in ("calls", "tickets", "customer_numbers"):
        op.execute(
            f"UPDATE {table} SET customer_id ="  # noqa: S608  a name out of the three above
            f" (SELECT kept_id FROM moved_files WHERE old_id = {table}.customer_id)"
            " WHERE customer_id IN (SELECT old_id FROM moved_files)"
        )
    op.execute("DELETE FROM customers WHERE customer_id IN (SELECT old_id FROM moved_files)")
    op.execute("DROP TABLE moved_files")


def _fill_digits() -> None:
    """An account number as it can be keyed on a telephone."""
    connection, after = op.get_bind(), ""
    page = sa.text(
        "SELECT customer_id, account_no FROM customers WHERE customer_id > :after"
        " AND account_no IS NOT NULL ORDER BY customer_id LIMIT :count"
    )
    while rows := connection.execute(page, {"after": after, "count": BATCH}).all():
        after = rows[-1].customer_id
        found = [
            {"id": row.customer_id, "digits": "".join(filter(str.isdecimal, row.account_no))} for row in rows
        ]
        connection.execute(
            sa.text("UPDATE customers SET account_digits = :digits WHERE customer_id = :id"), found
        )


def _changes_and_imports() -> None:
    op.create_table(
        "customer_changes",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "revision", "field", name="pk_customer_changes"),
    )
    op.create_table(
        "imports",
        sa.Column("import_no", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        *(
            sa.Column(f"{name}_count", sa.Integer(), nullable=False)
            for name in ("opened", "changed", "unchanged", "skipped")
        ),
        sa.PrimaryKeyConstraint("import_no", name="pk_imports"),
    )


def _stamps() -> None:
    op.create_table(
        "index_stamps",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_index_stamps"),
    )
    op.create_table(
        "index_gone",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "number_key", name="pk_index_gone"),
    )
