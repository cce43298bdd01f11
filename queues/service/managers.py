"""Account managers: a customer's ranked list, leaves with cover, and pairs that are never brought together.

SQL first, then the live store: the list follows through the index of customers, leaves through the people; each
has a chore that finds what a death left undone.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain import managers as rules
from queues.domain.customers import Customer
from queues.domain.managers import Appointment, Leave, Manager, effective_manager
from queues.service import appointments, cases
from queues.service.customer_index import show_live
from queues.service.people import show_people
from queues.service.plans import plan_of
from queues.store import audits, customers, people
from queues.store import managers as store
from queues.store.customers import next_revision
from queues.store.managers import NeverRoute

__all__ = [
    "Appointment",
    "Leave",
    "Manager",
    "NeverRoute",
    "add_never_route",
    "end_leave",
    "leaves",
    "manager_now",
    "managers_of",
    "never_routes",
    "remove_never_route",
    "set_leave",
    "set_managers",
    "unmanaged",
]

BY_HAND: Final = "hand"
REASON_MAX: Final = 500


async def managers_of(runtime: Runtime, customer_id: str) -> list[Appointment]:
    """The customer's managers, the first in rank first."""
    async with runtime.database.read() as connection:
        file = await customers.find(connection, customer_id, runtime.settings.site)
        return await _ranked(connection, file) if file else []


async def _ranked(connection: AsyncConnection, file: Customer) -> list[Appointment]:
    """The file says who and in what order; whoever an import named has the usual wait."""
    kept = await store.appointments_of(connection, file.customer_id)
    return [kept.get(agent_id) or Appointment(agent_id=agent_id) for agent_id in file.managers]


async def manager_now(runtime: Runtime, customer_id: str) -> Manager | None:
    """Who answers for this customer at this moment: a manager who is there, or the cover of one who is not."""
    now_ms = runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        file = await customers.find(connection, customer_id, runtime.settings.site)
        ranked = await _ranked(connection, file) if file else []
        away = await store.leaves_after(connection, runtime.settings.site, now_ms)
    return effective_manager(ranked, away, now_ms)


async def set_managers(
    runtime: Runtime, *, customer_id: str, managers: Sequence[Appointment], by: str, origin: str = BY_HAND
) -> str:
    """This is the list from now on: `ok`, or unknown_customer too_many twice unknown_agent bad_wait."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        file = await customers.find(connection, customer_id, site)
        if file is None:
            return "unknown_customer"
        known = await people.names_in(connection, site, [each.agent_id for each in managers])
        if fault := rules.managers_fault(managers, known):
            return fault
        before = await _ranked(connection, file)
        fresh = {each.agent_id for each in managers} - {each.agent_id for each in before}
        since = {each.agent_id: each for each in before}
        kept = [
            replace(each, since_ms=now_ms, origin=origin, account_id=by)
            if each.agent_id in fresh or since[each.agent_id].since_ms is None
            else replace(since[each.agent_id], wait_ms=each.wait_ms)
            for each in managers
        ]
        if kept == before:
            return "ok"
        revision = await next_revision(connection, site)
        listed = [each.agent_id for each in kept]
        await store.save_managers(connection, customer_id, listed, revision)
        await store.note_managers(connection, file, listed, revision, now_ms, origin, by)
        await store.save_appointments(connection, customer_id, kept)
        was = [each.agent_id for each in before]
        await appointments.follow_change(connection, runtime, customer_id, was, listed, revision, by)
        detail = {"before": _told(before), "after": _told(kept), "origin": origin}
        await _audit(connection, runtime, "managers.set", str(revision), customer_id, by, detail)
    await show_live(runtime)
    await cases.tell(runtime)
    return "ok"


def _told(managers: Sequence[Appointment]) -> list[dict[str, Any]]:
    return [{"agent_id": each.agent_id, "wait_ms": each.wait_ms} for each in managers]


async def unmanaged(runtime: Runtime, *, after_id: str = "", most: int = 200) -> list[Customer]:
    """Customers of the tiers that have account managers, who have none; by id, `after_id` turns the page."""
    managed = plan_of(runtime).managed
    if not managed:
        return []
    async with runtime.database.read() as connection:
        return await store.unmanaged(connection, runtime.settings.site, managed, after_id, most)


async def set_leave(
    runtime: Runtime, *, agent_id: str, from_ms: int, until_ms: int, cover: str = "", by: str
) -> str:
    """`ok`, or unknown_agent own_cover no_time past overlaps."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    leave = Leave(
        leave_id=secrets.token_hex(8),
        agent_id=agent_id,
        from_ms=from_ms,
        until_ms=until_ms,
        cover=cover,
        account_id=by,
    )
    if until_ms <= now_ms:
        return "past"
    async with runtime.database.transaction() as connection:
        known = await people.names_in(connection, site, [agent_id, cover])
        others = await store.leaves_after(connection, site, from_ms, agent_id)
        if fault := rules.leave_fault(leave, known, others):
            return fault
        await store.insert_leave(connection, site, leave, now_ms)
        detail = {"from_ms": from_ms, "until_ms": until_ms, "cover": cover}
        await _audit(connection, runtime, "leave.set", leave.leave_id, agent_id, by, detail)
    await show_people(runtime)
    return "ok"


async def end_leave(runtime: Runtime, *, leave_id: str, by: str) -> str:
    """He is back from now on: `ok`, unknown, or over when he was back already."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        leave = await store.find_leave(connection, site, leave_id)
        if leave is None:
            return "unknown"
        if not await store.end_leave(connection, site, leave_id, now_ms):
            return "over"
        await _audit(connection, runtime, "leave.ended", leave_id, leave.agent_id, by, {})
    await show_people(runtime)
    return "ok"


async def leaves(runtime: Runtime, agent_id: str = "") -> list[Leave]:
    """Leaves that are not over, of everybody or of one agent."""
    async with runtime.database.read() as connection:
        return await store.leaves_after(connection, runtime.settings.site, runtime.clock.now_ms(), agent_id)


async def add_never_route(runtime: Runtime, *, customer_id: str, agent_id: str, reason: str, by: str) -> str:
    """`ok`, again when the pair is there, or unknown_customer unknown_agent no_reason."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    if not reason.strip():
        return "no_reason"
    pair = NeverRoute(
        customer_id=customer_id,
        agent_id=agent_id,
        reason=reason.strip()[:REASON_MAX],
        account_id=by,
        since_ms=now_ms,
    )
    async with runtime.database.transaction() as connection:
        if await customers.find(connection, customer_id, site) is None:
            return "unknown_customer"
        if agent_id not in await people.names_in(connection, site, [agent_id]):
            return "unknown_agent"
        if not await store.add_never_route(connection, site, pair):
            return "again"
        await store.touch_file(connection, customer_id, await next_revision(connection, site))
        detail = {"agent_id": agent_id, "reason": pair.reason}
        await _audit(connection, runtime, "never_route.added", secrets.token_hex(8), customer_id, by, detail)
    await show_live(runtime)
    return "ok"


async def remove_never_route(runtime: Runtime, *, customer_id: str, agent_id: str, by: str) -> str:
    """`ok`, or again when there is no such pair."""
    async with runtime.database.transaction() as connection:
        if not await store.remove_never_route(connection, runtime.settings.site, customer_id, agent_id):
            return "again"
        await store.touch_file(
            connection, customer_id, await next_revision(connection, runtime.settings.site)
        )
        detail = {"agent_id": agent_id}
        await _audit(
            connection, runtime, "never_route.removed", secrets.token_hex(8), customer_id, by, detail
        )
    await show_live(runtime)
    return "ok"


async def never_routes(runtime: Runtime, *, customer_id: str = "", agent_id: str = "") -> list[NeverRoute]:
    async with runtime.database.read() as connection:
        return await store.never_routes_of(connection, runtime.settings.site, customer_id, agent_id)


async def _audit(
    connection: AsyncConnection,
    runtime: Runtime,
    action: str,
    mark: str,
    subject: str,
    by: str,
    detail: Mapping[str, Any],
) -> None:
    now_ms = runtime.clock.now_ms()
    await audits.write(
        connection, action, f"{subject}:{mark}", at_ms=now_ms, by=by, subject=subject, detail=detail
    )
