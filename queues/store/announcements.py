"""What waiting callers were told, beside what happened; and how long agents were busy with calls of late."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.call_records import text_of, whole_of
from queues.domain.estimates import Handling
from queues.domain.journal import Line, LineType
from queues.domain.said import Said
from queues.store.calls import calls
from queues.store.talks import talks

RING_MS_MAX: Final = 60_000
announcements = Table(
    "announcements",
    metadata,
    Column("line_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    Column("queue", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("low_s", Integer, nullable=False),
    Column("high_s", Integer, nullable=False),  # 0: nothing was said of the time
)
Index(None, announcements.c.site, announcements.c.told_ms)


async def insert_told(connection: AsyncConnection, site: str, lines: Sequence[Line]) -> None:
    """Keep what these lines say was told; what is kept already stays as it is."""
    rows = [_row(site, line) for line in lines if line.type == LineType.CALL_TOLD and line.call_id]
    if rows:
        await connection.execute(upsert(announcements, connection).on_conflict_do_nothing(), rows)


def _row(site: str, line: Line) -> dict[str, Any]:
    return {
        "line_id": line.id,
        "site": site,
        "call_id": line.call_id,
        "told_ms": line.at_ms,
        **{name: text_of(line.data, name) for name in ("queue", "tier")},
        **{name: _small(line, name) for name in ("position", "low_s", "high_s")},
    }


def _small(line: Line, name: str) -> int:
    return min(max(whole_of(line.data, name) or 0, 0), 2**31 - 1)


async def said_between(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, queue: str = ""
) -> list[Said]:
    """What was told then, with what became of each call, in the order it was told.

    Who was put through waits again: what he is told then is about the talk that comes after it.
    """
    told, call = announcements.c, calls.c
    talked_ms = (
        select(func.min(talks.c.began_ms))
        .where(talks.c.call_id == told.call_id, talks.c.began_ms >= told.told_ms)
        .scalar_subquery()
    )
    # Who asked to be called back left the line then; that he was reached later says nothing of what he was told.
    is_there = func.coalesce(call.callback, "") == ""
    answered_ms = case((is_there, talked_ms)).label("answered_ms")
    ended_ms = case((is_there, call.ended_ms), else_=call.queued_ms + call.wait_ms).label("ended_ms")
    query = (
        select(
            told.call_id, told.told_ms, told.queue, told.position, told.low_s, told.high_s,
            answered_ms, ended_ms,
        )
        .outerjoin(calls, call.call_id == told.call_id)
        .where(told.site == site, told.told_ms >= from_ms, told.told_ms < until_ms)
        .order_by(told.told_ms, told.line_id)
    )  # fmt: skip
    if queue:
        query = query.where(told.queue == queue)
    return [Said(**row) for row in (await connection.execute(query)).mappings()]


async def handled(connection: AsyncConnection, site: str, limit: int) -> dict[str, list[Handling]]:
    """Of the talks of late that an agent has done with, by queue, the newest first: what each took him."""
    done = talks.c
    query = (
        select(done.queue, calls.c.offered_ms, calls.c.answered_ms, done.began_ms, done.wrapped_up_ms)
        .join(calls, calls.c.call_id == done.call_id)
        .where(calls.c.site == site, done.wrapped_up_ms.is_not(None))
        .order_by(calls.c.arrived_ms.desc(), done.began_ms.desc())
        .limit(limit)
    )
    found: dict[str, list[Handling]] = {}
    for queue, offered_ms, answered_ms, began_ms, wrapped_up_ms in await connection.execute(query):
        # Of a call the first offer is kept, which may have been another agent's: a phone does not ring for longer
        # than this, and how long it rang before a later talk is taken to be the same.
        rang_ms = answered_ms - offered_ms if answered_ms and offered_ms else 0
        ring_ms = min(max(0, rang_ms), RING_MS_MAX)
        busy_ms = ring_ms + max(0, wrapped_up_ms - began_ms)
        found.setdefault(queue or "", []).append(Handling(ring_ms, busy_ms))
    return found
