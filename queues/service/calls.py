"""Call records: lists, and one call with its lines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from config import numbers
from config.runtime import Runtime
from queues.domain.journal import Line
from queues.domain.plan import Plan
from queues.service.plans import plan_of
from queues.service.tickets import read_key
from queues.service.whereabouts import Sought, Span, spans_of
from queues.store import calls, customers, journal, people, talks
from queues.store.calls import CallFilter

PAGE_MAX: Final = 200
NAMED_MAX: Final = 200
DAY_MS: Final = 24 * 3_600_000
DAYS_LOOKED_BACK: Final = (1, 8, 64)

__all__ = [
    "CallFilter",
    "CallPage",
    "CallRow",
    "day_of",
    "find_call",
    "list_calls",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A row of `calls` with the names behind its ids. `number` is E.164: mask it before it is shown."""

    call_id: str
    site: str
    site_version: str
    line: str
    caller_ref: str
    customer_id: str
    tier: str
    queue: str
    matter: str
    locale: str
    state: str
    outcome: str
    ended_by: str
    agent_id: str
    ticket_no: str | None
    record: str
    arrived_ms: int
    queued_ms: int | None
    offered_ms: int | None
    answered_ms: int | None
    connected_ms: int | None
    ended_ms: int | None
    wrapped_up_ms: int | None
    wait_ms: int | None
    talk_ms: int | None
    offers: int
    disposition: str
    note: str
    updated_id: str
    given: Mapping[str, str]  # what the caller keyed under the site's own names
    is_anonymous: bool = False
    callback: str = ""
    tries: int = 0
    missed: str | None = None  # why the customer was not reached at last
    menu_left_ms: int | None = None
    came_closed: int | None = None
    rang_ms: int | None = None
    holds: int | None = None
    held_ms: int | None = None
    longest_hold_ms: int | None = None
    transfers: int | None = None
    wrap_ms: int | None = None
    running: str | None = None
    ended_in: str | None = None
    customer_name: str = ""
    agent_name: str = ""
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    calls: tuple[CallRow, ...]
    older: str | None  # give it as `before` for the next page


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkRow:
    """One talk of a call, with its agent's note."""

    offer_id: str
    agent_id: str
    queue: str
    wait_ms: int | None
    began_ms: int
    ended_ms: int | None
    disposition: str
    note: str

    @property
    def talk_ms(self) -> int | None:
        return None if self.ended_ms is None else max(0, self.ended_ms - self.began_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStory:
    """One call, its talks, and every line the journal had of it, oldest first."""

    call: CallRow
    lines: tuple[Line, ...]
    talks: tuple[TalkRow, ...] = ()

    def is_agents(self, agent_id: str | None) -> bool:
        """Whether he has talked with the caller."""
        return bool(agent_id) and agent_id in {self.call.agent_id, *(talk.agent_id for talk in self.talks)}


async def list_calls(
    runtime: Runtime, chosen: CallFilter, *, before: str | None = None, limit: int = 50
) -> CallPage:
    """Newest first. `text` finds a call, ticket or customer by id or name, and a caller by number."""
    limit, chosen = min(limit, PAGE_MAX), replace(chosen, site=runtime.settings.site)
    async with runtime.database.read() as connection:
        resolved = await resolve_text(runtime, connection, chosen)
        if chosen.agent_id:
            resolved = await _within_his_time(connection, resolved)
        if resolved.symbol:
            resolved = await _where_there_are_any(runtime, connection, resolved, read_key(before), limit)
        found = await _newest(connection, resolved, read_key(before), limit + 1, runtime.clock.now_ms())
        rows = await with_names(connection, found[:limit])
    older = f"{rows[-1].arrived_ms}:{rows[-1].call_id}" if len(found) > limit else None
    return CallPage(calls=tuple(rows), older=older)


async def _newest(
    connection: AsyncConnection, chosen: CallFilter, before: tuple[int, str] | None, limit: int, now_ms: int
) -> Sequence[RowMapping]:
    """Looked for in the last day first, then further back: most lists are full by then."""
    if chosen.text or chosen.spans is not None:
        return await calls.newest_first(connection, chosen, before, limit)
    newest_ms = min(each for each in (now_ms, chosen.until_ms, before and before[0]) if each is not None)
    for days in DAYS_LOOKED_BACK:
        from_ms = newest_ms - days * DAY_MS
        if chosen.from_ms is not None and from_ms <= chosen.from_ms:
            break
        found = await calls.newest_first(connection, replace(chosen, from_ms=from_ms), before, limit)
        if len(found) == limit:
            return found
    return await calls.newest_first(connection, chosen, before, limit)


async def _within_his_time(connection: AsyncConnection, chosen: CallFilter) -> CallFilter:
    """Nobody's calls are looked for before his first and after his last one."""
    first_ms, last_ms = await calls.span_of_agent(connection, chosen.agent_id) or (0, -1)
    from_ms = max(first_ms, chosen.from_ms or first_ms)
    until_ms = min(last_ms + 1, last_ms + 1 if chosen.until_ms is None else chosen.until_ms)
    return replace(chosen, from_ms=from_ms, until_ms=until_ms)


async def _where_there_are_any(
    runtime: Runtime,
    connection: AsyncConnection,
    chosen: CallFilter,
    before: tuple[int, str] | None,
    limit: int,
) -> CallFilter:
    """The same calls of a figure's set, looked for where the intervals say that a page of them is."""
    from_ms, until_ms = chosen.from_ms, chosen.until_ms
    is_whole_set = not (chosen.outcome or chosen.agent_id or chosen.customer_id or chosen.text)
    if from_ms is None or until_ms is None or not is_whole_set:
        return chosen
    sure_ms = until_ms
    if before is not None:
        sure_ms = max(from_ms, min(until_ms, before[0]))
        until_ms = max(from_ms, min(until_ms, before[0] + 1))
    sought = Sought(
        site=runtime.settings.site,
        zone=plan_of(runtime).timezone,
        symbol=chosen.symbol,
        span=Span(from_ms, until_ms),
        sure_until_ms=sure_ms,
        wanted=limit + 1,
        now_ms=runtime.clock.now_ms(),
        queues=chosen.queues,
        tier=chosen.tier,
        line=chosen.line,
    )
    return replace(chosen, spans=await spans_of(connection, sought))


async def resolve_text(runtime: Runtime, connection: AsyncConnection, chosen: CallFilter) -> CallFilter:
    """What somebody typed may be a number or a name; numbers are looked up by their key alone."""
    text = chosen.text.strip()
    if not text:
        return replace(chosen, text="")
    number = numbers.parse(text, runtime.settings.default_region)
    caller_ref = numbers.number_key(runtime.settings.secret_key, number) if number else ""
    named = await customers.ids_named(connection, text, NAMED_MAX)
    return replace(chosen, text=text, caller_ref=caller_ref, customer_ids=named)


async def with_names(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[CallRow]:
    customer_names = await customers.names(
        connection, {row["customer_id"] for row in rows if row["customer_id"]}
    )
    agent_names = await people.names(connection, {row["agent_id"] for row in rows if row["agent_id"]})
    behind = await customers.numbers_behind(
        connection, {row["caller_ref"] for row in rows if row["caller_ref"]}
    )
    return [
        CallRow(
            **{**row, "given": json.loads(row["given"] or "{}")},
            customer_name=customer_names.get(row["customer_id"], ""),
            agent_name=agent_names.get(row["agent_id"], ""),
            number=behind.get(row["caller_ref"]),
        )
        for row in rows
    ]


async def find_call(runtime: Runtime, call_id: str) -> CallStory | None:
    async with runtime.database.read() as connection:
        row = await calls.find(connection, runtime.settings.site, call_id)
        if row is None:
            return None
        (call,) = await with_names(connection, [row])
        lines = await journal.lines_of_calls(connection, [call_id])
        had = tuple(_talk(each) for each in await talks.of_call(connection, call_id))
    return CallStory(call=call, lines=tuple(lines), talks=had)


def _talk(row: RowMapping) -> TalkRow:
    texts: dict[str, Any] = {name: row[name] or "" for name in ("queue", "disposition", "note")}
    known = {name: row[name] for name in ("offer_id", "agent_id", "wait_ms", "began_ms", "ended_ms")}
    return TalkRow(**known, **texts)


async def write_note(runtime: Runtime, call_id: str, note: str, *, agent_id: str = "") -> bool:
    """An agent's words on his talk; those of the call are all of them, one below the other.

    They go to SQL alone: a note may name people, and the journal never does.
    """
    site = runtime.settings.site
    async with runtime.database.transaction() as connection:
        if await calls.find(connection, site, call_id) is None:
            return False
        had = [_talk(each) for each in await talks.of_call(connection, call_id)]
        own = [talk.offer_id for talk in had if talk.agent_id == agent_id][-1:]
        if own:
            await talks.set_note(connection, call_id, own[0], note)
            notes = [note if talk.offer_id == own[0] else talk.note for talk in had]
            note = "\n".join(each for each in notes if each)
        return await calls.set_note(connection, site, call_id, note)


async def states_of(runtime: Runtime, call_ids: Sequence[str]) -> dict[str, str]:
    """The state of those of these calls that have a record."""
    async with runtime.database.read() as connection:
        return await calls.states_of(connection, call_ids)


async def unended(runtime: Runtime, before_ms: int, limit: int) -> list[tuple[str, int]]:
    """Calls that arrived before this instant and have no end yet: (call_id, arrived_ms)."""
    async with runtime.database.read() as connection:
        return await calls.unended(connection, runtime.settings.site, before_ms, limit)


def day_of(plan: Plan, day: date) -> tuple[int, int]:
    """The instants at which this day begins and ends where the site is."""
    zone = ZoneInfo(plan.timezone)
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    ends = datetime(following.year, following.month, following.day, tzinfo=zone)
    return round(begins.timestamp() * 1000), round(ends.timestamp() * 1000)


def local_day(plan: Plan, at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(plan.timezone)).date()
