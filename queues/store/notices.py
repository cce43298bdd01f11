"""Notices in SQL, their truth and history, and a look at what the live store holds of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import BigInteger, Column, Index, Integer, RowMapping, Table, Text, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.notices import RaisedNotice, Wording, wording_form

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("areas", Text, nullable=False),  # JSON list; none: everybody
    Column("text", Text, nullable=False),  # JSON: language -> text
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger),
    Column("ticket_no", Text),
    Column("revision", Integer, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("cleared_ms", BigInteger),
    Column("cleared_by", Text),
)
Index(None, notices.c.cleared_ms, notices.c.ends_ms)


async def insert_new(connection: AsyncConnection, site: str, notice: RaisedNotice) -> bool:
    """False when a notice of this id is there: the same form came twice."""
    row = {
        **_worded(notice),
        "notice_id": notice.notice_id,
        "site": site,
        "revision": notice.revision,
        "raised_ms": notice.raised_ms,
        "raised_by": notice.raised_by,
    }
    written = await connection.execute(
        upsert(notices, connection).values(**row).on_conflict_do_nothing(index_elements=["notice_id"])
    )
    return written.rowcount == 1


async def change(connection: AsyncConnection, notice_id: str, revision: int, given: Wording) -> bool:
    """False when it is over, or somebody has changed it since `revision` was read."""
    is_as_read = (
        notices.c.notice_id == notice_id,
        notices.c.revision == revision,
        notices.c.cleared_ms.is_(None),
    )
    changed = update(notices).where(*is_as_read).values(**_worded(given), revision=revision + 1)
    return (await connection.execute(changed)).rowcount == 1


async def clear(connection: AsyncConnection, notice_id: str, cleared_ms: int, cleared_by: str) -> bool:
    """False when it is over already."""
    is_on = (
        notices.c.notice_id == notice_id,
        notices.c.cleared_ms.is_(None),
        or_(notices.c.ends_ms.is_(None), notices.c.ends_ms > cleared_ms),
    )
    cleared = update(notices).where(*is_on).values(cleared_ms=cleared_ms, cleared_by=cleared_by)
    return (await connection.execute(cleared)).rowcount == 1


async def find(connection: AsyncConnection, site: str, notice_id: str) -> RaisedNotice | None:
    query = select(notices).where(notices.c.notice_id == notice_id, notices.c.site == site)
    row = (await connection.execute(query)).mappings().first()
    return _notice(row) if row else None


async def not_over(connection: AsyncConnection, site: str, now_ms: int) -> list[RaisedNotice]:
    """Running and coming, the next to start first."""
    query = (
        select(notices)
        .where(
            notices.c.site == site,
            notices.c.cleared_ms.is_(None),
            or_(notices.c.ends_ms.is_(None), notices.c.ends_ms > now_ms),
        )
        .order_by(notices.c.starts_ms, notices.c.notice_id)
    )
    return [_notice(row) for row in (await connection.execute(query)).mappings()]


async def over(connection: AsyncConnection, site: str, now_ms: int, limit: int) -> list[RaisedNotice]:
    """Past ones, the latest raised first."""
    query = (
        select(notices)
        .where(
            notices.c.site == site,
            or_(notices.c.cleared_ms.is_not(None), notices.c.ends_ms <= now_ms),
        )
        .order_by(notices.c.raised_ms.desc(), notices.c.notice_id)
        .limit(limit)
    )
    return [_notice(row) for row in (await connection.execute(query)).mappings()]


async def live(redis: Redis, site: str) -> dict[str, dict[str, Any]]:
    """What callers hear now: notice_id -> its live form."""
    held: Any = await redis.hgetall(f"{{{site}}}:notices")
    return {notice_id: json.loads(text) for notice_id, text in held.items()}


def _worded(given: Wording) -> Mapping[str, Any]:
    form = wording_form(given)
    return {
        **form,
        "areas": json.dumps(form["areas"]),
        "text": json.dumps(form["text"], ensure_ascii=False),
        "ticket_no": given.ticket_no or None,
    }


def _notice(row: RowMapping) -> RaisedNotice:
    known: dict[str, Any] = {name: value for name, value in row.items() if name != "site"}
    areas: Sequence[str] = json.loads(row["areas"])
    return RaisedNotice(
        **{
            **known,
            "areas": tuple(areas),
            "text": json.loads(row["text"]),
            "ticket_no": row["ticket_no"] or "",
            "cleared_by": row["cleared_by"] or "",
        }
    )
