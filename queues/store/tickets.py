"""Tickets in SQL, their truth.

Every write gives the ticket the next revision of all, so "what changed since" is one comparison (see
`queues.store.cases`). Writers go one after another, so no revision appears behind a higher one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    Select,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.tickets import TicketState
from queues.store.calls import calls
from queues.store.customers import WITHHELD

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
    Column("matter", Text),
    Column("area", Text),
    Column("owner", Text),
    Column("taken_by", Text),
    Column("code_key", Text),
    Column("reply", Text),
    Column("due_ms", BigInteger),
    Column("resolved_ms", BigInteger),
    Column("replied_ms", BigInteger),
    Column("amount_cents", BigInteger),
    Column("gravity", Text),
    Column("post", Text),
    Column("revision", BigInteger),
)
Index(None, tickets.c.call_id)
Index(None, tickets.c.opened_ms)
Index(None, tickets.c.revision)
Index(None, tickets.c.state, tickets.c.opened_ms)
Index(None, tickets.c.customer_id)
Index(None, tickets.c.caller_ref)
Index(None, tickets.c.owner, tickets.c.replied_ms)
Index(None, tickets.c.site, tickets.c.closed_ms, tickets.c.resolved_ms)
Index(None, tickets.c.site, tickets.c.resolved_ms)
Index(None, tickets.c.site, tickets.c.due_ms)
Index(None, tickets.c.site, tickets.c.opened_ms)


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
    subject: str | None  # of a ticket from before matters were kept
    opened_ms: int
    note: str | None = ""
    closed_ms: int | None = None
    matter: str | None = ""
    area: str | None = ""
    owner: str | None = ""  # the agent who answers for it until the caller has been told
    taken_by: str | None = ""  # the account that has it in hand
    code_key: str | None = ""  # of the access code its caller was told
    reply: str | None = ""  # what the caller may hear
    due_ms: int | None = None
    resolved_ms: int | None = None
    replied_ms: int | None = None  # when the caller was told what came of it
    amount_cents: int | None = None  # what it is about, in hundredths
    gravity: str | None = ""
    post: str | None = ""  # who settles it, see queues.domain.settling
    revision: int | None = None

    @property
    def done_ms(self) -> int | None:
        return self.resolved_ms or self.closed_ms

    @property
    def ref(self) -> str:
        """By whom the live store knows its caller: his customer, else his number's ref; empty: nobody."""
        ref = self.customer_id or self.caller_ref or ""
        return "" if ref == WITHHELD else ref


_NAMES: Final = tuple(each.name for each in fields(Ticket))
_NEXT_REVISION: Final = func.coalesce(select(func.max(tickets.c.revision)).scalar_subquery(), 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets a list shows; what is left empty does not narrow it."""

    state: str = ""
    states: tuple[str, ...] = ()
    type: str = ""
    work_queue: str = ""
    area: str = ""
    post: str = ""
    owner: str = ""
    call_id: str = ""
    customer_id: str = ""
    ticket_no: str = ""
    is_unreplied: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        named = {name: value for name, value in asdict(self).items() if name in tickets.c}
        equal = [tickets.c[name] == value for name, value in named.items() if value]
        if self.is_unreplied:
            equal.append(tickets.c.replied_ms.is_(None))
        return [*equal, tickets.c.state.in_(self.states)] if self.states else equal


async def insert_new(connection: AsyncConnection, ticket: Ticket) -> bool:
    """False when a ticket of this number is there."""
    insert = upsert(tickets, connection).values(revision=_NEXT_REVISION).on_conflict_do_nothing()
    row = {name: getattr(ticket, name) for name in _NAMES if name != "revision"}
    return (await connection.execute(insert, row)).rowcount == 1


async def find(connection: AsyncConnection, ticket_no: str) -> Ticket | None:
    found = await _tickets(connection, select(tickets).where(tickets.c.ticket_no == ticket_no))
    return found[0] if found else None


async def newest_first(
    connection: AsyncConnection, chosen: TicketFilter, before: tuple[int, str] | None, limit: int
) -> list[Ticket]:
    """A page of tickets, after the key (opened_ms, ticket_no) where the last page ended."""
    query = select(tickets).where(*chosen.conditions())
    if before is not None:
        query = query.where(tuple_(tickets.c.opened_ms, tickets.c.ticket_no) < before)
    return await _tickets(
        connection, query.order_by(tickets.c.opened_ms.desc(), tickets.c.ticket_no.desc()).limit(limit)
    )


async def change(connection: AsyncConnection, as_read: Ticket, changed: Mapping[str, Any]) -> bool:
    """Write the change if the ticket is still as it was read."""
    same = (tickets.c.ticket_no == as_read.ticket_no, tickets.c.revision == as_read.revision)
    values = {**changed, "revision": await _next_revision(connection)}
    return (await connection.execute(update(tickets).where(*same).values(**values))).rowcount == 1


async def unowned_of(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, Ticket]:
    """The tickets of these calls, by call, that have no owner and whose callers have not been told."""
    here = (
        calls.c.call_id.in_(call_ids),
        tickets.c.replied_ms.is_(None),
        func.coalesce(tickets.c.owner, "") == "",
    )
    joined = tickets.join(calls, calls.c.ticket_no == tickets.c.ticket_no)
    query = select(calls.c.call_id.label("of_call"), *tickets.c).select_from(joined).where(*here)
    rows = (await connection.execute(query)).mappings()
    return {row["of_call"]: Ticket(**{name: row[name] for name in _NAMES}) for row in rows}


async def owners_of(connection: AsyncConnection, site: str, refs: Collection[str]) -> dict[str, str]:
    """Who owns the open ticket of these callers (`Ticket.ref`); of several the newest counts."""
    is_open = (tickets.c.site == site, tickets.c.replied_ms.is_(None), tickets.c.state != TicketState.CLOSED)
    is_nobodys = func.coalesce(tickets.c.customer_id, "") == ""
    theirs = or_(tickets.c.customer_id.in_(refs), and_(is_nobodys, tickets.c.caller_ref.in_(refs)))
    owned = select(tickets).where(*is_open, func.coalesce(tickets.c.owner, "") != "", theirs)
    found = await _tickets(connection, owned.order_by(tickets.c.opened_ms, tickets.c.ticket_no))
    return {ticket.ref: ticket.owner or "" for ticket in found}


async def owned_by(
    connection: AsyncConnection, site: str, owners: Collection[str], customer_id: str
) -> list[Ticket]:
    """This customer's tickets that these agents own and have not replied to, the oldest first."""
    theirs = (tickets.c.site == site, tickets.c.customer_id == customer_id, tickets.c.owner.in_(owners))
    query = select(tickets).where(*theirs, tickets.c.replied_ms.is_(None))
    return await _tickets(connection, query.order_by(tickets.c.opened_ms, tickets.c.ticket_no))


async def tell_again(connection: AsyncConnection, refs: Collection[str]) -> None:
    """Who owns what else these callers (`Ticket.ref`) have open is told the live store once more."""
    owned = (tickets.c.replied_ms.is_(None), func.coalesce(tickets.c.owner, "") != "")
    theirs = or_(tickets.c.customer_id.in_(refs), tickets.c.caller_ref.in_(refs))
    found = select(tickets.c.ticket_no).where(*owned, tickets.c.state != TicketState.CLOSED, theirs)
    await _renew(connection, list((await connection.execute(found)).scalars()))


async def forget_ref(connection: AsyncConnection, caller_ref: str) -> None:
    """Nothing ties these tickets to this number any more."""
    theirs = select(tickets.c.ticket_no).where(tickets.c.caller_ref == caller_ref)
    for ticket_no in list((await connection.execute(theirs)).scalars()):
        changed = {"caller_ref": "", "revision": await _next_revision(connection)}
        await connection.execute(update(tickets).where(tickets.c.ticket_no == ticket_no).values(**changed))


async def forget_caller(connection: AsyncConnection, call_ids: Sequence[str], tier: str) -> None:
    """Nothing in these calls' tickets tells any more whose they were; the live index of cases hears of it, too."""
    nobody = {"customer_id": "", "caller_ref": "", "tier": tier}
    theirs = tickets.c.call_id.in_(call_ids)
    was_somebody = or_(tickets.c.customer_id != "", tickets.c.caller_ref != "")
    named = select(tickets.c.ticket_no).where(theirs, was_somebody)
    ticket_nos = list((await connection.execute(named)).scalars())
    await connection.execute(update(tickets).where(theirs).values(**nobody))
    await _renew(connection, ticket_nos)


async def _renew(connection: AsyncConnection, ticket_nos: Collection[str]) -> None:
    """The live index of cases hears of these again."""
    for ticket_no in ticket_nos:
        revision = await _next_revision(connection)
        this = tickets.c.ticket_no == ticket_no
        await connection.execute(update(tickets).where(this).values(revision=revision))


async def count_by_state(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(select(tickets.c.state, func.count()).group_by(tickets.c.state))
    return {row[0]: row[1] for row in rows}


async def newest_no(connection: AsyncConnection) -> str | None:
    """The highest number; the longest texts are the highest."""
    length = func.length(tickets.c.ticket_no)
    query = select(tickets.c.ticket_no).order_by(length.desc(), tickets.c.ticket_no.desc()).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


async def newest_revision(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.max(tickets.c.revision)))).scalar_one_or_none() or 0)


async def changed_since(connection: AsyncConnection, site: str, revision: int, limit: int) -> list[Ticket]:
    """The tickets with a higher revision, in the order in which they got it."""
    newer = select(tickets).where(tickets.c.site == site, tickets.c.revision > revision)
    return await _tickets(connection, newer.order_by(tickets.c.revision).limit(limit))


async def closed_between(connection: AsyncConnection, site: str, from_ms: int, until_ms: int) -> list[str]:
    """The numbers of the tickets closed at or after the first instant and before the second."""
    closed = (tickets.c.site == site, tickets.c.closed_ms >= from_ms, tickets.c.closed_ms < until_ms)
    return list((await connection.execute(select(tickets.c.ticket_no).where(*closed))).scalars())


async def has_any(connection: AsyncConnection, site: str, closed_after_ms: int) -> bool:
    """Whether some ticket is not closed, or was closed after this instant."""
    kept = or_(tickets.c.closed_ms.is_(None), tickets.c.closed_ms >= closed_after_ms)
    query = select(tickets.c.ticket_no).where(tickets.c.site == site, kept).limit(1)
    return (await connection.execute(query)).first() is not None


async def _tickets(connection: AsyncConnection, query: Select[Any]) -> list[Ticket]:
    rows = (await connection.execute(query)).mappings()
    return [Ticket(**{name: row[name] for name in _NAMES}) for row in rows]


async def _next_revision(connection: AsyncConnection) -> int:
    return await newest_revision(connection) + 1
