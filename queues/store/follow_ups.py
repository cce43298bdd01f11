"""Follow-ups: what one of us has promised to do for a customer: ring him back, introduce himself, tell him something.

The id is made of what it is about, so promised twice it is one. A row that nobody ended is still owed.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Table, Text, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.store.tickets import tickets

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("follow_up_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("agent_id", Text),
    Column("customer_id", Text),
    Column("ticket_no", Text),
    Column("why", Text),
    Column("opened_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("ended", Text),
    Column("account_id", Text),
    Column("tried_ms", BigInteger),
)
Index(None, follow_ups.c.site, follow_ups.c.ended_ms)
Index(None, follow_ups.c.ticket_no)
Index(None, follow_ups.c.customer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    follow_up_id: str
    site: str
    kind: str
    agent_id: str | None = ""  # whose it is; nobody's: anybody's
    customer_id: str | None = ""
    ticket_no: str | None = ""
    why: str | None = ""
    opened_ms: int
    ended_ms: int | None = None
    ended: str | None = ""  # done, or dropped
    account_id: str | None = ""  # who ended it
    tried_ms: int | None = None  # when the machine tried it


async def promise(connection: AsyncConnection, wanted: FollowUp) -> bool:
    """False when it was promised before."""
    statement = upsert(follow_ups, connection).values(**asdict(wanted)).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def find(connection: AsyncConnection, site: str, follow_up_id: str) -> FollowUp | None:
    here = (follow_ups.c.site == site, follow_ups.c.follow_up_id == follow_up_id)
    row = (await connection.execute(select(follow_ups).where(*here))).mappings().first()
    return _of(row) if row else None


async def owed(
    connection: AsyncConnection, site: str, agent_ids: Collection[str] | None, limit: int
) -> list[FollowUp]:
    """Those that are not ended, the oldest first: of these agents and of nobody, or all of them."""
    query = select(follow_ups).where(follow_ups.c.site == site, follow_ups.c.ended_ms.is_(None))
    if agent_ids is not None:
        is_nobodys = or_(follow_ups.c.agent_id.is_(None), follow_ups.c.agent_id == "")
        query = query.where(or_(follow_ups.c.agent_id.in_(agent_ids), is_nobodys))
    ordered = query.order_by(follow_ups.c.opened_ms, follow_ups.c.follow_up_id).limit(limit)
    return [_of(row) for row in (await connection.execute(ordered)).mappings()]


async def end(connection: AsyncConnection, follow_up_id: str, how: str, by: str, now_ms: int) -> bool:
    """False when it was ended before."""
    owing = (follow_ups.c.follow_up_id == follow_up_id, follow_ups.c.ended_ms.is_(None))
    values = {"ended_ms": now_ms, "ended": how, "account_id": by or None}
    return (await connection.execute(update(follow_ups).where(*owing).values(**values))).rowcount == 1


async def end_of_ticket(connection: AsyncConnection, ticket_no: str, how: str, by: str, now_ms: int) -> int:
    """What was still owed about this ticket."""
    owing = (follow_ups.c.ticket_no == ticket_no, follow_ups.c.ended_ms.is_(None))
    values = {"ended_ms": now_ms, "ended": how, "account_id": by or None}
    return (await connection.execute(update(follow_ups).where(*owing).values(**values))).rowcount


async def hand_over(connection: AsyncConnection, ticket_no: str, agent_id: str) -> None:
    """What is still owed about this ticket is his from now on."""
    owing = (follow_ups.c.ticket_no == ticket_no, follow_ups.c.ended_ms.is_(None))
    await connection.execute(update(follow_ups).where(*owing).values(agent_id=agent_id))


async def drop_of_customer(
    connection: AsyncConnection, customer_id: str, kinds: Collection[str], how: str, now_ms: int
) -> None:
    """Something else is to be told him now."""
    owing = (follow_ups.c.customer_id == customer_id, follow_ups.c.ended_ms.is_(None))
    values = {"ended_ms": now_ms, "ended": how}
    await connection.execute(update(follow_ups).where(*owing, follow_ups.c.kind.in_(kinds)).values(**values))


async def to_be_texted(connection: AsyncConnection, site: str, why: str, limit: int) -> list[FollowUp]:
    owing = (follow_ups.c.site == site, follow_ups.c.ended_ms.is_(None), follow_ups.c.why == why)
    query = select(follow_ups).where(*owing).order_by(follow_ups.c.opened_ms).limit(limit)
    return [_of(row) for row in (await connection.execute(query)).mappings()]


async def mark(connection: AsyncConnection, follow_up_id: str, was: str, now: str, now_ms: int) -> bool:
    """Why it is still owed; False when it is not as it was read."""
    here = (
        follow_ups.c.follow_up_id == follow_up_id,
        follow_ups.c.ended_ms.is_(None),
        follow_ups.c.why == was,
    )
    values = {"why": now, "tried_ms": now_ms}
    return (await connection.execute(update(follow_ups).where(*here).values(**values))).rowcount == 1


async def forget_callers(connection: AsyncConnection, call_ids: Collection[str]) -> None:
    """Whoever has become anonymous cannot be rung back."""
    theirs = select(tickets.c.ticket_no).where(tickets.c.call_id.in_(call_ids))
    await connection.execute(delete(follow_ups).where(follow_ups.c.ticket_no.in_(theirs)))


def _of(row: Mapping[Any, Any]) -> FollowUp:
    return FollowUp(**row)
