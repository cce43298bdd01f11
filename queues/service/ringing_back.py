"""Calling those who gave up: who is on an agent's list, in what order, and the one call that he begins from it.

An entry is taken by one agent at a time, by conditional change; then a callback is begun for him (see
`domain.ring_back_rules`). Who dies between the two leaves an entry that is free again after TAKEN_S; the switchboard
lets nobody be called twice at once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain import abandoned as rules
from queues.domain.abandoned import NOTED, Ending
from queues.domain.agents import AgentState
from queues.domain.lanes import Lane
from queues.domain.managers import Appointment, effective_manager
from queues.domain.plan import Plan
from queues.domain.routing import is_able, widen
from queues.domain.skills import skills_of, tiers_of
from queues.service.abandoned import missed
from queues.service.plans import plan_of
from queues.service.switchboard import CallFacts, Switchboard
from queues.store import abandoned as store
from queues.store import audits, customers, managers
from queues.store.abandoned import DayCount, Entry

__all__ = [
    "Answer",
    "DayCount",
    "Entry",
    "Listed",
    "call",
    "closed_since",
    "days",
    "find",
    "listed",
    "note",
    "of_days",
]

TAKEN_S: Final = 60.0  # real: until the call that was begun is heard of
SHOWN_MAX: Final = 300
CLOSED_MAX: Final = 50
EXPORTED_MAX: Final = 50_000


class Answer(StrEnum):
    """What came of an agent's wish."""

    OK = "ok"
    GONE = "gone"  # there is no such entry, or it is closed
    TAKEN = "taken"  # by somebody else, or he is on the line himself
    HOURS = "hours"  # we do not call now
    EARLY = "early"  # he was tried a moment ago
    NOT_READY = "not_ready"  # the agent is not ready
    NOT_HIS = "not_his"  # he has not the skills, may not meet this customer, or does not have him
    NO_NUMBER = "no_number"
    BAD = "bad"  # no such ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry as somebody sees it."""

    entry: Entry
    name: str
    number: str  # E.164: mask it before it is shown
    ticket_no: str
    is_mine: bool  # he looks after this customer, or stands in for who does
    times: tuple[tuple[str, int, int], ...]  # call_id, when, how long he waited


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    entries: tuple[Listed, ...]
    count: int  # of all, also of those beyond the page


async def listed(
    runtime: Runtime, *, agent_id: str = "", skills: Sequence[str] | None = None, limit: int = SHOWN_MAX
) -> Page:
    """The open entries in the order in which they are to be called: whose manager looks, first his own.

    With `skills` those that this agent may call; without, all.
    """
    plan, site, now_ms = plan_of(runtime), runtime.settings.site, runtime.clock.now_ms()
    able = None if skills is None else Able.of(skills)
    queues = None if able is None else [queue for queue in plan.queues if able.serves(plan, queue)]
    async with runtime.database.read() as connection:
        entries, count = await store.all_open(connection, site, queues, SHOWN_MAX)
        if able is not None:
            never = await managers.never_routes_of(connection, site, agent_id=agent_id)
            theirs, read = {pair.customer_id for pair in never}, len(entries)
            entries = [each for each in entries if able.calls(plan, each) and each.customer_id not in theirs]
            count -= read - len(entries)
        mine = await _customers_managed_by(connection, site, entries, agent_id, now_ms)
        in_order = sorted(entries, key=lambda each: _order(plan, each, mine, now_ms))[:limit]
        return Page(entries=tuple(await _dressed(connection, in_order, mine)), count=count)


def _order(plan: Plan, entry: Entry, mine: Collection[str], now_ms: int) -> tuple[bool, bool, bool, int, str]:
    """Who can be called before who cannot now; safety, one's own customers, then the key of the queues."""
    waits = bool(entry.here_call_id) or entry.is_taken(now_ms) or now_ms < (entry.next_ms or 0)
    matter = plan.matters.get(entry.matter or "")
    is_safety = matter is not None and matter.is_safety
    return waits, not is_safety, (entry.customer_id or "") not in mine, entry.key_ms, entry.entry_id


@dataclass(frozen=True, slots=True)
class Able:
    """What an agent can do, and for which tiers his seat is, if for some alone."""

    skills: frozenset[str]
    tiers: frozenset[str]

    @classmethod
    def of(cls, skills: Sequence[str]) -> "Able":
        text = ",".join(skills)
        return cls(skills_of(text), tiers_of(text))

    def serves(self, plan: Plan, queue: str) -> bool:
        return set(plan.queues[queue].needs) <= self.skills

    def calls(self, plan: Plan, entry: Entry) -> bool:
        """As if he came to the queue this moment."""
        if entry.queue not in plan.queues:
            return False
        lane = plan.lane(entry.queue, entry.tier or "", entry.matter or "", entry.locale or "")
        return is_able(widen(plan, lane, 0), lane, self)


def _customers_of(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.customer_id for entry in entries if entry.customer_id))


async def _customers_managed_by(
    connection: AsyncConnection, site: str, entries: Sequence[Entry], agent_id: str, now_ms: int
) -> frozenset[str]:
    """Of these customers those whom he looks after now, in person or as a cover."""
    if not agent_id or not entries:
        return frozenset()
    ids = _customers_of(entries)
    ranked = await customers.managers_of(connection, ids)
    leaves = await managers.leaves_after(connection, site, now_ms)
    found = set()
    for customer_id, agent_ids in ranked.items():
        manager = effective_manager([Appointment(agent_id=each) for each in agent_ids], leaves, now_ms)
        if manager is not None and manager.agent_id == agent_id:
            found.add(customer_id)
    return frozenset(found)


async def _dressed(
    connection: AsyncConnection, entries: Sequence[Entry], mine: Collection[str]
) -> list[Listed]:
    times = await store.times_of(connection, [entry.entry_id for entry in entries])
    names = await customers.names(connection, set(_customers_of(entries)))
    numbers = await customers.numbers_behind(connection, {entry.caller_ref for entry in entries})
    all_calls = [row["call_id"] for rows in times.values() for row in rows]
    tickets = await store.tickets_of_calls(connection, all_calls)
    found = []
    for entry in entries:
        rows = times.get(entry.entry_id, [])
        opened = [tickets[row["call_id"]] for row in rows if row["call_id"] in tickets]
        found.append(
            Listed(
                entry=entry,
                name=names.get(entry.customer_id or "", ""),
                number=numbers.get(entry.caller_ref, ""),
                ticket_no=opened[-1] if opened else "",
                is_mine=(entry.customer_id or "") in mine,
                times=tuple((row["call_id"], row["at_ms"], row["waited_ms"]) for row in rows),
            )
        )
    return found


async def find(runtime: Runtime, entry_id: str) -> Listed | None:
    async with runtime.database.read() as connection:
        entry = await store.find(connection, runtime.settings.site, entry_id)
        return (await _dressed(connection, [entry], ()))[0] if entry else None


async def closed_since(
    runtime: Runtime, from_ms: int, *, agent_id: str = "", limit: int = CLOSED_MAX
) -> list[Listed]:
    """Lately closed, the newest first: by this agent, or by anybody."""
    async with runtime.database.read() as connection:
        site = runtime.settings.site
        entries = await store.closed_since(connection, site, from_ms, agent_id, limit)
        return await _dressed(connection, entries, ())


async def of_days(runtime: Runtime, from_ms: int, until_ms: int, limit: int = EXPORTED_MAX) -> list[Listed]:
    """Every entry that was opened in [from_ms, until_ms), the newest first."""
    async with runtime.database.read() as connection:
        entries = await store.between(connection, runtime.settings.site, from_ms, until_ms, limit)
        return await _dressed(connection, entries, ())


async def days(runtime: Runtime, spans: Sequence[tuple[int, int]]) -> list[DayCount]:
    """What was opened in each of these spans, and what came of it."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        return [await store.count_day(connection, site, *span, now_ms) for span in spans]


async def call(runtime: Runtime, entry_id: str, *, agent_id: str, skills: Sequence[str], by: str) -> Answer:
    """His phone rings, and when he answers, the customer's."""
    plan, switchboard, now_ms = plan_of(runtime), Switchboard(runtime), runtime.clock.now_ms()
    one = await find(runtime, entry_id)
    if one is None or not one.entry.is_open:
        return Answer.GONE
    entry = one.entry
    if not Able.of(skills).calls(plan, entry):
        return Answer.NOT_HIS
    if plan.calls_back(now_ms)[0] > now_ms:
        return Answer.HOURS
    if now_ms < (entry.next_ms or 0):
        return Answer.EARLY
    desk = await switchboard.desk_state(agent_id=agent_id)
    if desk is None or desk.state is not AgentState.READY:
        return Answer.NOT_READY
    until_ms = now_ms + runtime.clock.product_ms(TAKEN_S)
    async with runtime.database.transaction() as connection:
        if not await store.take(connection, entry, agent_id, now_ms, until_ms):
            return Answer.TAKEN
        mark, detail = f"{entry_id}:{entry.attempts + 1}", {"queue": entry.queue, "agent_id": agent_id}
        subject = f"abandoned:{entry_id}"
        await audits.write(
            connection, "abandoned.called", mark, at_ms=now_ms, by=by, subject=subject, detail=detail
        )
    return await _begin(runtime, switchboard, one, agent_id)


async def _begin(runtime: Runtime, switchboard: Switchboard, one: Listed, agent_id: str) -> Answer:
    """The callback of an entry that is this agent's; if it cannot begin, the entry is anybody's again."""
    entry, plan = one.entry, plan_of(runtime)
    if not one.number:
        async with runtime.database.transaction() as connection:
            await store.close(connection, entry.entry_id, Ending.NO_NUMBER, runtime.clock.now_ms())
        return Answer.NO_NUMBER
    call_id = rules.back_id(entry.entry_id, entry.attempts + 1)
    arrived = await switchboard.arrive(
        call_id=call_id,
        line=entry.line or next(iter(plan.lines)),
        caller_ref=entry.caller_ref,
        number=one.number,
        number_key=entry.caller_ref,
    )
    facts = arrived.call
    if facts is None or agent_id in facts.never:
        return await _let_go(runtime, switchboard, entry, call_id, Answer.NOT_HIS)
    if one.ticket_no:
        await switchboard.join_ticket(call_id=call_id, ticket_no=one.ticket_no)
    lane, locale = _lane(plan, entry, facts), entry.locale or facts.locale
    reply = await switchboard.ring_back(
        call_id=call_id,
        queue=entry.queue,
        matter=entry.matter or "",
        tier=lane.tier,
        lane=lane,
        locale=locale,
        agent_id=agent_id,
    )
    if reply.word not in ("ok", "again"):
        return await _let_go(runtime, switchboard, entry, call_id, Answer.TAKEN)
    return Answer.OK


def _lane(plan: Plan, entry: Entry, facts: CallFacts) -> Lane:
    """As if he came now."""
    tier = facts.tier if facts.tier in plan.tiers else plan.default_tier
    return plan.lane(entry.queue, tier, entry.matter or "", entry.locale or facts.locale)


async def _let_go(
    runtime: Runtime, switchboard: Switchboard, entry: Entry, call_id: str, answer: Answer
) -> Answer:
    await switchboard.end_call(call_id=call_id, by="system")
    async with runtime.database.transaction() as connection:
        await store.change(connection, entry.entry_id, taken_by=None, taken_until_ms=None)
    return answer


async def note(
    runtime: Runtime, entry_id: str, ending: str, *, agent_id: str, by: str, is_anybodys: bool
) -> Answer:
    """What came of a call, from who made it; with `is_anybodys` from who leads."""
    if ending not in NOTED:
        return Answer.BAD
    plan, now_ms, how = plan_of(runtime), runtime.clock.now_ms(), Ending(ending)
    async with runtime.database.transaction() as connection:
        entry = await store.find(connection, runtime.settings.site, entry_id)
        if entry is None:
            return Answer.GONE
        if not (is_anybodys or (agent_id and agent_id in (entry.taken_by, entry.agent_id))):
            return Answer.NOT_HIS
        if entry.here_call_id and entry.is_open:
            return Answer.TAKEN
        if not await _write_note(connection, plan, entry, how, now_ms, by, agent_id):
            return Answer.GONE
        mark, detail = f"{entry_id}:{how}:{now_ms}", {"ending": how, "tries": entry.tries}
        subject = f"abandoned:{entry_id}"
        await audits.write(
            connection, "abandoned.noted", mark, at_ms=now_ms, by=by, subject=subject, detail=detail
        )
    return Answer.OK


async def _write_note(
    connection: AsyncConnection, plan: Plan, entry: Entry, how: Ending, now_ms: int, by: str, agent_id: str
) -> bool:
    if not entry.is_open:
        return how is not Ending.REACHED and await store.note_again(connection, entry, how, by)
    if how is Ending.NOT_REACHED:
        await store.change(connection, entry.entry_id, **store.LET_GO)
        await missed(connection, plan, entry, now_ms, by)
        return True
    whose = {"agent_id": entry.taken_by or agent_id or None, "account_id": by}
    return await store.close(connection, entry.entry_id, how, now_ms, **whose)
