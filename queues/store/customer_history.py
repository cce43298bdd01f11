"""What happened with one customer: his calls, his tickets, what changed in his file, in order of time."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Text, cast, func, literal, null, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.store.calls import calls
from queues.store.customers import customer_changes, customer_numbers, customers
from queues.store.imports import imports
from queues.store.tickets import tickets
from queues.store.tiers import tier_history

CALL, TICKET, CHANGE, TIER, OPENED = "call", "ticket", "change", "tier", "opened"
FORGOTTEN: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a customer's history. `ref` is the call, the ticket, the field, or the import that opened the file.

    A call's `detail` is its ticket, a ticket's is its call; `before` and `after` are a call's or ticket's state, or
    the values of what changed.
    """

    at_ms: int
    kind: str
    ref: str
    detail: str = ""
    before: str = ""
    after: str = ""
    origin: str = ""
    account_id: str = ""


async def entries_of(
    connection: AsyncConnection, customer_id: str, *, before_ms: int | None = None, most: int = 200
) -> list[Entry]:
    """Everything, the newest first."""
    chosen = (each(customer_id) for each in (_of_calls, _of_tickets, _of_changes, _of_tiers, _of_opening))
    whole = union_all(*chosen).subquery()
    query = select(whole).order_by(whole.c.at_ms.desc(), whole.c.kind.desc(), whole.c.ref.desc()).limit(most)
    if before_ms is not None:
        query = query.where(whole.c.at_ms < before_ms)
    return [_entry(row) for row in (await connection.execute(query)).mappings()]


def _of_calls(customer_id: str) -> Select[Any]:
    return select(
        calls.c.arrived_ms.label("at_ms"),
        literal(CALL).label("kind"),
        calls.c.call_id.label("ref"),
        calls.c.ticket_no.label("detail"),
        calls.c.matter.label("before"),
        func.coalesce(calls.c.outcome, calls.c.state).label("after"),
        calls.c.line.label("origin"),
        calls.c.agent_id.label("account_id"),
    ).where(calls.c.customer_id == customer_id)


def _of_tickets(customer_id: str) -> Select[Any]:
    return select(
        tickets.c.opened_ms,
        literal(TICKET),
        tickets.c.ticket_no,
        tickets.c.call_id,
        tickets.c.type,
        tickets.c.state,
        tickets.c.work_queue,
        cast(null(), Text),
    ).where(tickets.c.customer_id == customer_id)


def _of_changes(customer_id: str) -> Select[Any]:
    return select(
        customer_changes.c.at_ms,
        literal(CHANGE),
        customer_changes.c.field,
        cast(null(), Text),
        customer_changes.c.before,
        customer_changes.c.after,
        customer_changes.c.origin,
        customer_changes.c.account_id,
    ).where(customer_changes.c.customer_id == customer_id)


def _of_tiers(customer_id: str) -> Select[Any]:
    return select(
        tier_history.c.at_ms,
        literal(TIER),
        tier_history.c.reason,
        tier_history.c.score,
        tier_history.c.old_tier,
        tier_history.c.new_tier,
        tier_history.c.origin,
        tier_history.c.account_id,
    ).where(tier_history.c.customer_id == customer_id)


def _of_opening(customer_id: str) -> Select[Any]:
    return (
        select(
            customers.c.opened_ms,
            literal(OPENED),
            func.coalesce(cast(customers.c.import_no, Text), ""),
            cast(null(), Text),
            cast(null(), Text),
            cast(null(), Text),
            imports.c.origin,
            cast(null(), Text),
        )
        .join_from(customers, imports, imports.c.import_no == customers.c.import_no, isouter=True)
        .where(customers.c.customer_id == customer_id, customers.c.opened_ms.is_not(None))
    )


def _entry(row: Any) -> Entry:
    texts = {name: value or "" for name, value in row.items() if name != "at_ms"}
    return Entry(at_ms=row["at_ms"], **texts)


async def scrub(
    connection: AsyncConnection, customer_ids: Collection[str], number: str, revision: int
) -> None:
    """This number is in no value that these files ever had."""
    changed = customer_changes.c
    for column in (changed.before, changed.after):
        await connection.execute(
            update(customer_changes)
            .where(changed.customer_id.in_(customer_ids), column.contains(number, autoescape=True))
            .values({column.name: func.replace(column, number, FORGOTTEN)})
        )
    await connection.execute(
        update(customers).where(customers.c.customer_id.in_(customer_ids)).values(revision=revision)
    )


async def ever_with(connection: AsyncConnection, site: str, number: str, number_key: str) -> list[str]:
    """The files that have this number, or had it."""
    now = select(customer_numbers.c.customer_id).where(customer_numbers.c.number_key == number_key)
    changed = customer_changes.c
    once = select(changed.customer_id).where(
        or_(changed.before.contains(number, autoescape=True), changed.after.contains(number, autoescape=True))
    )
    query = select(customers.c.customer_id).where(
        customers.c.site == site, or_(customers.c.customer_id.in_(now), customers.c.customer_id.in_(once))
    )
    return list((await connection.execute(query)).scalars())
