"""Who looked at what: one row for each look that somebody may have to answer for."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

audits = Table(
    "audits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("account_id", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("detail", Text),
)


async def write(
    connection: AsyncConnection,
    action: str,
    mark: str,
    *,
    at_ms: int,
    by: str,
    subject: str,
    detail: Mapping[str, Any] | str = "",
) -> bool:
    """Write it down once: False when a row of this action and this mark is there. `by` nobody: by time, or a rule."""
    row = {
        "id": f"{action}:{mark}",
        "at_ms": at_ms,
        "account_id": by or None,
        "action": action,
        "subject": subject,
        "detail": detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False),
    }
    written = upsert(audits, connection).values(**row).on_conflict_do_nothing()
    return (await connection.execute(written)).rowcount == 1


async def since(
    connection: AsyncConnection, actions: Collection[str], from_ms: int
) -> list[Mapping[str, Any]]:
    """The acts of these kinds from this instant on, in their order."""
    query = select(audits).where(audits.c.at_ms >= from_ms, audits.c.action.in_(actions))
    return [
        dict(row)
        for row in (await connection.execute(query.order_by(audits.c.at_ms, audits.c.id))).mappings()
    ]


async def of_subject(connection: AsyncConnection, subject: str) -> list[Mapping[str, Any]]:
    query = select(audits).where(audits.c.subject == subject).order_by(audits.c.at_ms, audits.c.id)
    return [dict(row) for row in (await connection.execute(query)).mappings()]
