"""Tickets in SQL, their truth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

tickets = Table(
    "tickets",
    metadata,
    Column("ticket_no", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("work_queue", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("call_id", Text),
    Column("customer_id", Text),
    Column("caller_ref", Text),
    Column("tier", Text),
    Column("subject", Text),
    Column("note", Text),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
)
Index(None, tickets.c.call_id)
Index(None, tickets.c.opened_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    ticket_no: str
    site: str
    type: str
    work_queue: str
    priority: int
    state: str
    call_id: str | None
    customer_id: str | None
    caller_ref: str | None
    tier: str | None
    subject: str | None
    opened_ms: int
    note: str | None = ""
    closed_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets a list shows; what is left empty does not narrow it."""

    state: str = ""
    type: str = ""
    work_queue: str = ""
    call_id: str = ""
    customer_id: str = ""
    ticket_no: str = ""


async def insert_new(connection: AsyncConnection, ticket: Ticket) -> bool:
    """False when a ticket of this number is there."""
    written = await connection.execute(
        upsert(tickets, connection).values(**asdict(ticket)).on_conflict_do_nothing()
    )
    return written.rowcount == 1


async def find(connection: AsyncConnection, ticket_no: str) -> Ticket | None:
    row = (
        (await connection.execute(select(tickets).where(tickets.c.ticket_no == ticket_no))).mappings().first()
    )
    return Ticket(**row) if row else None


async def newest_first(
    connection: AsyncConnection, chosen: TicketFilter, before: tuple[int, str] | None, limit: int
) -> list[Ticket]:
    """A page of tickets, after the key (opened_ms, ticket_no) where the last page ended."""
    equals = [tickets.c[name] == value for name, value in asdict(chosen).items() if value]
    query = select(tickets).where(*equals)
    if before is not None:
        query = query.where(tuple_(tickets.c.opened_ms, tickets.c.ticket_no) < before)
    query = query.order_by(tickets.c.opened_ms.desc(), tickets.c.ticket_no.desc()).limit(limit)
    return [Ticket(**row) for row in (await connection.execute(query)).mappings()]


async def move(
    connection: AsyncConnection, ticket_no: str, states: Sequence[str], to: str, closed_ms: int | None
) -> bool:
    """Change the state if it is still one of these."""
    as_read = (tickets.c.ticket_no == ticket_no, tickets.c.state.in_(states))
    moved = await connection.execute(update(tickets).where(*as_read).values(state=to, closed_ms=closed_ms))
    return moved.rowcount == 1


async def count_by_state(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(select(tickets.c.state, func.count()).group_by(tickets.c.state))
    return {row[0]: row[1] for row in rows}


async def newest_no(connection: AsyncConnection) -> str | None:
    """The highest number; the longest texts are the highest."""
    length = func.length(tickets.c.ticket_no)
    query = select(tickets.c.ticket_no).order_by(length.desc(), tickets.c.ticket_no.desc()).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()
