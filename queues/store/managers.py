"""Account managers in SQL: appointments, leaves and pairs never to be brought together; and the live people.

Who a customer's managers are, and in what order, is a column of his file; an appointment adds what the file does
not say. `{site}:people` shows arrivals what an agent is called and when he is away; it is made from SQL and can be
made again at any time.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import BigInteger, Column, Index, Table, Text, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.customers import Bonds, Customer
from queues.domain.managers import Appointment, Leave
from queues.store.customers import customer_changes, customer_of, customers, packed
from queues.store.tiers import tier_history

appointments = Table(
    "appointments",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("agent_id", Text, primary_key=True),
    Column("wait_ms", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("account_id", Text),
)
Index(None, appointments.c.agent_id)
leaves = Table(
    "leaves",
    metadata,
    Column("leave_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("cover", Text),
    Column("account_id", Text),
    Column("set_ms", BigInteger, nullable=False),
)
Index(None, leaves.c.site, leaves.c.until_ms)
never_routes = Table(
    "never_routes",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("agent_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("account_id", Text),
    Column("since_ms", BigInteger, nullable=False),
)
Index(None, never_routes.c.site)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverRoute:
    """A customer whose calls never go to this agent."""

    customer_id: str
    agent_id: str
    reason: str
    account_id: str = ""
    since_ms: int


async def save_managers(
    connection: AsyncConnection, customer_id: str, agent_ids: Sequence[str], revision: int
) -> None:
    """Write the ranked list on the file."""
    await connection.execute(
        update(customers)
        .where(customers.c.customer_id == customer_id)
        .values(managers=packed(list(agent_ids)), revision=revision)
    )


async def note_managers(
    connection: AsyncConnection,
    before: Customer,
    after: Sequence[str],
    revision: int,
    now_ms: int,
    origin: str,
    by: str,
) -> None:
    """The change in the story of the file, as an import writes it."""
    await connection.execute(
        insert(customer_changes).values(
            customer_id=before.customer_id,
            revision=revision,
            field="managers",
            at_ms=now_ms,
            before="; ".join(before.managers) or None,
            after="; ".join(after) or None,
            origin=origin,
            account_id=by or None,
        )
    )


async def save_appointments(
    connection: AsyncConnection, customer_id: str, kept: Sequence[Appointment]
) -> None:
    """These are the customer's appointments from now on."""
    others = appointments.c.agent_id.not_in([each.agent_id for each in kept])
    await connection.execute(delete(appointments).where(appointments.c.customer_id == customer_id, others))
    statement = upsert(appointments, connection)
    changes = {name: statement.excluded[name] for name in ("wait_ms", "since_ms", "origin", "account_id")}
    rows = [{"customer_id": customer_id, **asdict(each)} for each in kept]
    if rows:
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["customer_id", "agent_id"], set_=changes), rows
        )


async def appointments_of(connection: AsyncConnection, customer_id: str) -> dict[str, Appointment]:
    query = select(appointments).where(appointments.c.customer_id == customer_id)
    return {
        row.agent_id: Appointment(
            agent_id=row.agent_id,
            wait_ms=row.wait_ms,
            since_ms=row.since_ms,
            origin=row.origin,
            account_id=row.account_id or "",
        )
        for row in await connection.execute(query)
    }


async def bonds_of(
    connection: AsyncConnection, site: str, customer_ids: Sequence[str] | None = None
) -> dict[str, Bonds]:
    """What stands beside these files, or beside all of the site; nothing of those who have nothing."""
    waits = select(appointments.c.customer_id, appointments.c.agent_id, appointments.c.wait_ms)
    never = select(never_routes.c.customer_id, never_routes.c.agent_id).where(never_routes.c.site == site)
    if customer_ids is None:
        waits = waits.join(customers, customers.c.customer_id == appointments.c.customer_id)
        waits = waits.where(customers.c.site == site)
    else:
        waits = waits.where(appointments.c.customer_id.in_(customer_ids))
        never = never.where(never_routes.c.customer_id.in_(customer_ids))
    found: dict[str, tuple[dict[str, int], list[str]]] = {}
    for customer_id, agent_id, wait_ms in await connection.execute(waits):
        found.setdefault(customer_id, ({}, []))[0][agent_id] = wait_ms
    for customer_id, agent_id in await connection.execute(never):
        found.setdefault(customer_id, ({}, []))[1].append(agent_id)
    return {customer_id: Bonds(told, tuple(sorted(pairs))) for customer_id, (told, pairs) in found.items()}


async def touch_file(connection: AsyncConnection, customer_id: str, revision: int) -> None:
    """What stands beside the file has changed: the live index is to see it."""
    here = customers.c.customer_id == customer_id
    await connection.execute(update(customers).where(here).values(revision=revision))


async def unmanaged(
    connection: AsyncConnection, site: str, tiers: Collection[str], after_id: str, most: int
) -> list[Customer]:
    """Files of these tiers without a manager, by id."""
    has_none = or_(customers.c.managers.is_(None), customers.c.managers == "[]")
    query = (
        select(customers)
        .where(customers.c.site == site, customers.c.tier.in_(tiers), has_none)
        .where(customers.c.customer_id > after_id)
        .order_by(customers.c.customer_id)
        .limit(most)
    )
    return [customer_of(row) for row in (await connection.execute(query)).mappings()]


async def held_since(
    connection: AsyncConnection, site: str, before_ms: int, most: int
) -> list[tuple[Customer, str, int]]:
    """Appointments that began by this instant, the oldest first: whose, who, and when."""
    joined = appointments.join(customers, customers.c.customer_id == appointments.c.customer_id)
    query = select(customers, appointments.c.agent_id.label("held_by"), appointments.c.since_ms).select_from(
        joined
    )
    query = query.where(customers.c.site == site, appointments.c.since_ms <= before_ms)
    rows = (await connection.execute(query.order_by(appointments.c.since_ms).limit(most))).mappings()
    return [(customer_of(row), row["held_by"], row["since_ms"]) for row in rows]


async def unmanaged_since(connection: AsyncConnection, customer_ids: Sequence[str]) -> dict[str, int]:
    """When each file was opened, or last changed in its tier or its managers."""
    opened = select(customers.c.customer_id, customers.c.opened_ms).where(
        customers.c.customer_id.in_(customer_ids)
    )
    since = {row.customer_id: row.opened_ms or 0 for row in await connection.execute(opened)}
    fields = customer_changes.c.field.in_(("tier", "managers"))
    theirs = customer_changes.c.customer_id.in_(customer_ids)
    latest = select(customer_changes.c.customer_id, func.max(customer_changes.c.at_ms).label("at_ms"))
    for row in await connection.execute(
        latest.where(theirs, fields).group_by(customer_changes.c.customer_id)
    ):
        since[row.customer_id] = max(since.get(row.customer_id, 0), row.at_ms)
    moved = select(tier_history.c.customer_id, func.max(tier_history.c.at_ms).label("at_ms"))
    is_other = func.coalesce(tier_history.c.old_tier, "") != func.coalesce(tier_history.c.new_tier, "")
    in_tier = moved.where(tier_history.c.customer_id.in_(customer_ids), is_other)
    for row in await connection.execute(in_tier.group_by(tier_history.c.customer_id)):
        since[row.customer_id] = max(since.get(row.customer_id, 0), row.at_ms)
    return since


async def insert_leave(connection: AsyncConnection, site: str, leave: Leave, now_ms: int) -> None:
    await connection.execute(insert(leaves).values(site=site, set_ms=now_ms, **asdict(leave)))


async def end_leave(connection: AsyncConnection, site: str, leave_id: str, now_ms: int) -> bool:
    """He is back from now on; a leave that had not begun never was. False when it was over or is not there."""
    here = (leaves.c.site == site, leaves.c.leave_id == leave_id, leaves.c.until_ms > now_ms)
    begun = await connection.execute(
        update(leaves).where(*here, leaves.c.from_ms < now_ms).values(until_ms=now_ms)
    )
    if begun.rowcount:
        return True
    return bool((await connection.execute(delete(leaves).where(*here))).rowcount)


async def find_leave(connection: AsyncConnection, site: str, leave_id: str) -> Leave | None:
    query = select(leaves).where(leaves.c.site == site, leaves.c.leave_id == leave_id)
    return next((_leave(row) for row in (await connection.execute(query)).mappings()), None)


async def leaves_after(
    connection: AsyncConnection, site: str, now_ms: int, agent_id: str = ""
) -> list[Leave]:
    """Those that are not over, by their beginning."""
    query = select(leaves).where(leaves.c.site == site, leaves.c.until_ms > now_ms)
    if agent_id:
        query = query.where(leaves.c.agent_id == agent_id)
    ordered = query.order_by(leaves.c.from_ms, leaves.c.leave_id)
    return [_leave(row) for row in (await connection.execute(ordered)).mappings()]


def _leave(row: Mapping[Any, Any]) -> Leave:
    return Leave(
        leave_id=row["leave_id"],
        agent_id=row["agent_id"],
        from_ms=row["from_ms"],
        until_ms=row["until_ms"],
        cover=row["cover"] or "",
        account_id=row["account_id"] or "",
    )


async def add_never_route(connection: AsyncConnection, site: str, pair: NeverRoute) -> bool:
    """False when the pair is there already."""
    statement = upsert(never_routes, connection).values(site=site, **asdict(pair)).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def remove_never_route(connection: AsyncConnection, site: str, customer_id: str, agent_id: str) -> bool:
    here = (never_routes.c.site == site, never_routes.c.customer_id == customer_id)
    gone = await connection.execute(delete(never_routes).where(*here, never_routes.c.agent_id == agent_id))
    return gone.rowcount == 1


async def never_routes_of(
    connection: AsyncConnection, site: str, customer_id: str = "", agent_id: str = ""
) -> list[NeverRoute]:
    query = select(never_routes).where(never_routes.c.site == site)
    if customer_id:
        query = query.where(never_routes.c.customer_id == customer_id)
    if agent_id:
        query = query.where(never_routes.c.agent_id == agent_id)
    ordered = query.order_by(never_routes.c.customer_id, never_routes.c.agent_id)
    return [
        NeverRoute(
            customer_id=row.customer_id,
            agent_id=row.agent_id,
            reason=row.reason,
            account_id=row.account_id or "",
            since_ms=row.since_ms,
        )
        for row in await connection.execute(ordered)
    ]


def people_key(site: str) -> str:
    return f"{{{site}}}:people"


async def live_people(redis: Redis, site: str) -> dict[str, str]:
    return {str(agent_id): str(text) for agent_id, text in (await redis.hgetall(people_key(site))).items()}


async def put_people(
    redis: Redis, site: str, people: Mapping[str, Mapping[str, Any]], gone: Collection[str] = ()
) -> None:
    pipeline = redis.pipeline(transaction=True)
    if gone:
        pipeline.hdel(people_key(site), *gone)
    if people:
        lines: dict[Any, Any] = {agent_id: person_text(person) for agent_id, person in people.items()}
        pipeline.hset(people_key(site), mapping=lines)
    if gone or people:
        await pipeline.execute()


def person_text(person: Mapping[str, Any]) -> str:
    return json.dumps(person, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
