"""Imports of customers' files: what each of them did, and the way of a million rows into SQL in one transaction."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from config.database import metadata

imports = Table(
    "imports",
    metadata,
    Column("import_no", Integer, primary_key=True, autoincrement=False),
    Column("site", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("opened_count", Integer, nullable=False),
    Column("changed_count", Integer, nullable=False),
    Column("unchanged_count", Integer, nullable=False),
    Column("skipped_count", Integer, nullable=False),
)
