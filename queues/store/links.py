"""Links: the outbox of jobs, and the key by which each is done once.

A link is written in the transaction that decided it; the push onto a work queue comes after the commit and
may come again. What must hold: (call, kind) is one row; whoever marks it done first did it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

links = Table(
    "links",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ticket_no", Text),
    Column("work_queue", Text, nullable=False),
    Column("job_id", Text),
    Column("due_ms", BigInteger, nullable=False),
    Column("pushed_ms", BigInteger),
    Column("done_ms", BigInteger),
    Column("attempts", Integer, nullable=False),
)
Index(None, links.c.done_ms, links.c.due_ms)

BACKOFF_STEPS: Final = 6  # the wait doubles with each attempt, this often


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    call_id: str
    kind: str
    work_queue: str
    due_ms: int
    ticket_no: str | None = None
    job_id: str | None = None
    pushed_ms: int | None = None
    done_ms: int | None = None
    attempts: int = 0


NAMES: Final = tuple(each.name for each in fields(Link))


async def insert_new(connection: AsyncConnection, wanted: Sequence[Link]) -> list[Link]:
    """Write the links that are not there yet; returns those."""
    if not wanted:
        return []
    insert = upsert(links, connection).on_conflict_do_nothing().returning(links.c.call_id, links.c.kind)
    named = {(link.call_id, link.kind): link for link in reversed(wanted)}
    rows = [{name: getattr(link, name) for name in NAMES} for link in named.values()]
    written = {(call_id, kind) for call_id, kind in await connection.execute(insert, rows)}
    return [link for name, link in reversed(named.items()) if name in written]


async def find(connection: AsyncConnection, call_id: str, kind: str) -> Link | None:
    query = select(links).where(links.c.call_id == call_id, links.c.kind == kind)
    row = (await connection.execute(query)).mappings().first()
    return Link(**row) if row else None


async def of_call(connection: AsyncConnection, call_id: str) -> list[Link]:
    rows = await connection.execute(select(links).where(links.c.call_id == call_id).order_by(links.c.kind))
    return [Link(**row) for row in rows.mappings()]


async def finish(connection: AsyncConnection, call_id: str, kind: str, now_ms: int) -> bool:
    """Mark it done; False when it was done before, or never promised."""
    undone = (links.c.call_id == call_id, links.c.kind == kind, links.c.done_ms.is_(None))
    return (await connection.execute(update(links).where(*undone).values(done_ms=now_ms))).rowcount == 1


async def take_promise(connection: AsyncConnection, call_id: str, kind: str, now_ms: int) -> Link | None:
    """Mark the promise of a ticket done, as `finish`, and tell what it was."""
    undone = (links.c.call_id == call_id, links.c.kind == kind, links.c.done_ms.is_(None))
    promise = update(links).where(*undone, links.c.ticket_no.is_not(None))
    taken = promise.values(done_ms=now_ms).returning(links)
    row = (await connection.execute(taken)).mappings().first()
    return Link(**row) if row else None


async def claim(connection: AsyncConnection, link: Link, job_id: str, now_ms: int) -> bool:
    """Take the next attempt, if nobody else has and the work is still undone."""
    as_read = (
        links.c.call_id == link.call_id,
        links.c.kind == link.kind,
        links.c.attempts == link.attempts,
        links.c.done_ms.is_(None),
    )
    taken = {"attempts": link.attempts + 1, "job_id": job_id, "pushed_ms": now_ms}
    return (await connection.execute(update(links).where(*as_read).values(**taken))).rowcount == 1


async def newest_undone(connection: AsyncConnection, name: str, limit: int) -> list[Link]:
    query = select(links).where(links.c.done_ms.is_(None), of_kind(name))
    rows = await connection.execute(query.order_by(links.c.due_ms.desc()).limit(limit))
    return [Link(**row) for row in rows.mappings()]


async def overdue(
    connection: AsyncConnection, name: str, now_ms: int, wait_ms: int, limit: int
) -> list[Link]:
    """Links undone for longer than their attempt is given.

    `wait_ms`, doubled with each attempt up to a cap.
    """
    last_ms = func.coalesce(links.c.pushed_ms, links.c.due_ms)
    waits = {attempt: wait_ms * 2 ** (attempt - 1) for attempt in range(2, BACKOFF_STEPS + 1)}
    given_ms = case(waits, value=links.c.attempts, else_=wait_ms * 2**BACKOFF_STEPS)
    query = (
        select(links)
        .where(links.c.done_ms.is_(None), of_kind(name), last_ms <= now_ms - wait_ms)
        .where(last_ms + case((links.c.attempts <= 1, wait_ms), else_=given_ms) <= now_ms)
        .order_by(links.c.due_ms)
        .limit(limit)
    )
    return [Link(**row) for row in (await connection.execute(query)).mappings()]


async def tried(connection: AsyncConnection, name: str, attempts: int, limit: int) -> list[Link]:
    """Links undone after this many attempts."""
    query = (
        select(links)
        .where(links.c.done_ms.is_(None), of_kind(name), links.c.attempts > attempts)
        .limit(limit)
    )
    return [Link(**row) for row in (await connection.execute(query)).mappings()]


def of_kind(name: str) -> Any:
    """`open_ticket` itself, or `fetch_audio:<recording_id>` by its name before the colon."""
    return (links.c.kind == name) | links.c.kind.startswith(f"{name}:", autoescape=True)


async def count_undone(connection: AsyncConnection) -> Mapping[str, int]:
    """How many links wait for their job, by kind."""
    query = select(links.c.kind, func.count()).where(links.c.done_ms.is_(None)).group_by(links.c.kind)
    counts: dict[str, int] = {}
    for kind, count in (await connection.execute(query)).tuples():
        name = kind.partition(":")[0]
        counts[name] = counts.get(name, 0) + count
    return counts
