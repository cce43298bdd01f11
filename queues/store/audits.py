"""Who looked at what: one row for each look that somebody may have to answer for."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

audits = Table(
    "audits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("account_id", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("detail", Text),
)


async def insert_new(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """False when a row of this id is there."""
    return (
        await connection.execute(upsert(audits, connection).values(**row).on_conflict_do_nothing())
    ).rowcount == 1


async def of_subject(connection: AsyncConnection, subject: str) -> list[Mapping[str, Any]]:
    query = select(audits).where(audits.c.subject == subject).order_by(audits.c.at_ms, audits.c.id)
    return [dict(row) for row in (await connection.execute(query)).mappings()]
