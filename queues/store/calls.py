"""The call records in SQL.

The journal's fold writes most of a row; the ticket and the note are written by others.
"""

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from redis.asyncio import Redis
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import PlainInsert, metadata, upsert
from queues.domain.abandoned import MARK
from queues.domain.call_records import CallRecord
from queues.domain.calls import CallState
from queues.store.talks import talks

calls = Table(
    "calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("site_version", Text),
    Column("line", Text),
    Column("caller_ref", Text),
    Column("customer_id", Text),
    Column("tier", Text),
    Column("queue", Text),
    Column("matter", Text),
    Column("locale", Text),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("ended_by", Text),
    Column("agent_id", Text),
    Column("ticket_no", Text),
    Column("record", Text),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("queued_ms", BigInteger),
    Column("offered_ms", BigInteger),
    Column("answered_ms", BigInteger),
    Column("connected_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("wrapped_up_ms", BigInteger),
    Column("wait_ms", BigInteger),
    Column("talk_ms", BigInteger),
    Column("offers", Integer, nullable=False),
    Column("disposition", Text),
    Column("callback", Text),
    Column("tries", Integer),
    Column("missed", Text),
    Column("note", Text),
    Column("updated_id", Text),
    Column("given", Text),
    Column("is_anonymous", Boolean, nullable=False, server_default=false()),
    Column("menu_left_ms", BigInteger),
    Column("came_closed", Integer),
    Column("rang_ms", BigInteger),
    Column("holds", Integer),
    Column("held_ms", BigInteger),
    Column("longest_hold_ms", BigInteger),
    Column("transfers", Integer),
    Column("wrap_ms", BigInteger),
    Column("running", Text),
    Column("ended_in", Text),
)
erasures = Table(
    "erasures",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("asked_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
)
Index(None, calls.c.arrived_ms)
Index(None, calls.c.customer_id)
Index(None, calls.c.caller_ref)
Index(None, calls.c.ticket_no)
Index(None, calls.c.agent_id, calls.c.arrived_ms)
# Of few calls at any time. Neither database sees that a bound value fits: `running` is compared as it is written here.
IS_RUNNING: Final = text("running != ''")
_promised: Final = calls.c.callback.is_not(None)
Index(None, calls.c.callback, calls.c.arrived_ms, sqlite_where=_promised, postgresql_where=_promised)
Index(
    "ix_calls_running", calls.c.site, calls.c.arrived_ms, sqlite_where=IS_RUNNING, postgresql_where=IS_RUNNING
)
Index(None, erasures.c.done_ms)

QUEUED_COLUMNS: Final = (
    "call_id", "state", "outcome", "callback", "queue", "tier", "matter", "locale", "site_version", "agent_id",
    "queued_ms", "offered_ms", "answered_ms", "ended_ms", "wrapped_up_ms", "wait_ms", "talk_ms", "offers",
)  # fmt: skip
MENU_MS_MAX: Final = 24 * 3_600_000
UNTIL_TALK_MS_MAX: Final = 7 * 24 * 3_600_000  # a callback is kept within days
CHUNK: Final = 1000  # as many ids in one question
FOLDED: Final = tuple(each.name for each in fields(CallRecord))
FOLDED_OF: Final = operator.attrgetter(*FOLDED)
SAVING: Final = PlainInsert(
    calls, (*FOLDED, "site", "note"), replaces=[name for name in FOLDED if name != "call_id"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls a list shows; what is left empty does not narrow it.

    Several sites may share a database: the service names its own before it asks.
    """

    site: str = ""
    from_ms: int | None = None
    until_ms: int | None = None
    outcome: str = ""
    queues: Collection[str] = ()
    agent_id: str = ""
    customer_id: str = ""
    text: str = ""  # a call's, ticket's or customer's id
    caller_ref: str = ""
    customer_ids: tuple[str, ...] = ()
    tier: str = ""
    line: str = ""
    symbol: str = ""  # the set that `also` tells: by it the intervals know where to look
    spans: tuple[tuple[int, int], ...] | None = None  # [from_ms, until_ms) of arrivals: where to look
    also: Any = None  # a further condition: one of the sets that a figure counts


@dataclass(frozen=True, slots=True)
class LiveCall:
    """What a live call holds that no line of the journal may tell."""

    number: str
    given: str  # JSON; nothing of those who stay anonymous


async def load(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, CallRecord]:
    columns = [calls.c[name] for name in FOLDED]
    rows = await connection.execute(select(*columns).where(calls.c.call_id.in_(call_ids)))
    records = (CallRecord(**dict(zip(FOLDED, row, strict=True))) for row in rows)
    return {record.call_id: record for record in records}


async def save(connection: AsyncConnection, site: str, records: Sequence[CallRecord]) -> None:
    """Write what the journal decides; ticket and note stay as they are."""
    await SAVING.write(connection, [(*FOLDED_OF(record), site, "") for record in records])


async def records_after(
    connection: AsyncConnection, site: str, after: tuple[int, str], limit: int, until_ms: int | None = None
) -> list[CallRecord]:
    """All of a site, page by page: the next ones after the key (arrived_ms, call_id), arrived before `until_ms`."""
    key = (calls.c.arrived_ms, calls.c.call_id)
    query = select(*(calls.c[name] for name in FOLDED)).where(calls.c.site == site, tuple_(*key) > after)
    if until_ms is not None:
        query = query.where(calls.c.arrived_ms < until_ms)
    rows = (await connection.execute(query.order_by(*key).limit(limit))).mappings()
    return [CallRecord(**row) for row in rows]


async def first_arrival(connection: AsyncConnection, site: str, from_ms: int) -> int | None:
    """When the first call arrived, at this instant or after it."""
    query = select(calls.c.arrived_ms).where(calls.c.site == site, calls.c.arrived_ms >= from_ms)
    found = (await connection.execute(query.order_by(calls.c.arrived_ms).limit(1))).scalar()
    return None if found is None else int(found)


async def find(connection: AsyncConnection, site: str, call_id: str) -> RowMapping | None:
    query = select(calls).where(calls.c.call_id == call_id, calls.c.site == site)
    return (await connection.execute(query)).mappings().first()


async def set_ticket(connection: AsyncConnection, call_id: str, ticket_no: str) -> None:
    await connection.execute(update(calls).where(calls.c.call_id == call_id).values(ticket_no=ticket_no))


async def give_ticket(connection: AsyncConnection, call_id: str, ticket_no: str) -> CallRecord | None:
    """The call's ticket; the record of a call that has one."""
    this = update(calls).where(calls.c.call_id == call_id).values(ticket_no=ticket_no)
    row = (await connection.execute(this.returning(*(calls.c[name] for name in FOLDED)))).first()
    return CallRecord(**dict(zip(FOLDED, row, strict=True))) if row else None


async def live_of(redis: Redis, site: str, call_ids: Collection[str]) -> dict[str, LiveCall]:
    """Of those of these calls that are still in the live store."""
    if not call_ids:
        return {}
    pipeline = redis.pipeline(transaction=False)
    for call_id in call_ids:
        pipeline.hmget(f"{{{site}}}:call:{call_id}", ["number", "given", "is_anonymous"])
    found = zip(call_ids, await pipeline.execute(), strict=True)
    return {
        call_id: LiveCall(number or "", given if given and is_anonymous != "1" else "")
        for call_id, (number, given, is_anonymous) in found
    }


async def set_given(connection: AsyncConnection, given: Mapping[str, str]) -> None:
    """What callers keyed under the site's own names, as JSON."""
    statement = update(calls).where(calls.c.call_id == bindparam("keyed_in")).values(given=bindparam("keyed"))
    rows = [{"keyed_in": call_id, "keyed": text} for call_id, text in given.items()]
    await connection.execute(statement, rows)


async def forget_given(connection: AsyncConnection, call_ids: Collection[str]) -> None:
    await connection.execute(update(calls).where(calls.c.call_id.in_(call_ids)).values(given=None))


async def is_ref_in_use(connection: AsyncConnection, caller_ref: str) -> bool:
    return bool((await connection.execute(select(exists().where(calls.c.caller_ref == caller_ref)))).scalar())


async def ask_erasure(connection: AsyncConnection, call_ids: Collection[str], now_ms: int) -> None:
    """What the disk still holds of these calls must go; asked twice, it is done twice."""
    insert = upsert(erasures, connection)
    statement = insert.on_conflict_do_update(
        index_elements=["call_id"], set_={"asked_ms": insert.excluded.asked_ms, "done_ms": None}
    )
    await connection.execute(statement, [{"call_id": each, "asked_ms": now_ms} for each in call_ids])


async def erasures_asked(connection: AsyncConnection) -> list[tuple[str, int]]:
    """Calls that are over and whose traces are not erased yet, each with the instant at which that was asked."""
    query = select(erasures.c.call_id, erasures.c.asked_ms).join(calls, calls.c.call_id == erasures.c.call_id)
    asked = query.where(erasures.c.done_ms.is_(None), calls.c.state == CallState.ENDED)
    rows = await connection.execute(asked.order_by(erasures.c.call_id))
    return [(call_id, asked_ms) for call_id, asked_ms in rows]


async def note_erased(connection: AsyncConnection, asked: Sequence[tuple[str, int]], now_ms: int) -> int:
    """How many are done; what was asked for again meanwhile is not."""
    as_read = tuple_(erasures.c.call_id, erasures.c.asked_ms).in_(asked)
    undone = update(erasures).where(as_read, erasures.c.done_ms.is_(None))
    return (await connection.execute(undone.values(done_ms=now_ms))).rowcount


async def set_note(connection: AsyncConnection, site: str, call_id: str, note: str) -> bool:
    this = update(calls).where(calls.c.call_id == call_id, calls.c.site == site)
    return (await connection.execute(this.values(note=note))).rowcount == 1


async def newest_first(
    connection: AsyncConnection, chosen: CallFilter, before: tuple[int, str] | None, limit: int
) -> list[RowMapping]:
    """A page of calls, after the key (arrived_ms, call_id) where the last page ended."""
    query = select(calls).where(*conditions(chosen))
    if before is not None:
        query = query.where(tuple_(calls.c.arrived_ms, calls.c.call_id) < before)
    query = query.order_by(calls.c.arrived_ms.desc(), calls.c.call_id.desc()).limit(limit)
    return list((await connection.execute(query)).mappings())


def conditions(chosen: CallFilter) -> list[Any]:
    names = ("site", "outcome", "customer_id", "tier", "line")
    equals = {name: getattr(chosen, name) for name in names}
    found: list[Any] = [calls.c[name] == value for name, value in equals.items() if value]
    if chosen.queues:
        found.append(calls.c.queue.in_(chosen.queues))
    if chosen.agent_id:
        had_talk = exists().where(talks.c.call_id == calls.c.call_id, talks.c.agent_id == chosen.agent_id)
        found.append(or_(calls.c.agent_id == chosen.agent_id, had_talk))
    if chosen.from_ms is not None:
        found.append(calls.c.arrived_ms >= chosen.from_ms)
    if chosen.until_ms is not None:
        found.append(calls.c.arrived_ms < chosen.until_ms)
    if chosen.spans is not None:
        found += _arrived_within(chosen.spans)
    if chosen.also is not None:
        found.append(chosen.also)
    if chosen.text:
        found.append(calls.c.call_id.in_(_named_by_text(chosen)))
    return found


def _arrived_within(spans: Sequence[tuple[int, int]]) -> list[Any]:
    """One search each: of spans with OR between them the index would be read from the first to the last."""
    at_ms = calls.c.arrived_ms
    if not spans:
        return [false()]
    if len(spans) == 1:
        return [at_ms >= spans[0][0], at_ms < spans[0][1]]
    several = (
        select(calls.c.call_id).where(at_ms >= from_ms, at_ms < until_ms) for from_ms, until_ms in spans
    )
    return [calls.c.call_id.in_(union_all(*several))]


def _named_by_text(chosen: CallFilter) -> Any:
    """The ids that a text may mean, each found by its own index: with OR between them every call would be looked at."""
    said = [calls.c[name] == chosen.text for name in ("call_id", "ticket_no", "customer_id")]
    if chosen.caller_ref:
        said.append(calls.c.caller_ref == chosen.caller_ref)
    if chosen.customer_ids:
        said.append(calls.c.customer_id.in_(chosen.customer_ids))
    return union_all(*(select(calls.c.call_id).where(each) for each in said))


async def span_of_agent(connection: AsyncConnection, agent_id: str) -> tuple[int, int] | None:
    """Between which instants the calls arrived that this agent talked in; None when there is none."""
    ends = []
    for at_ms, whose in ((calls.c.arrived_ms, calls.c.agent_id), (talks.c.began_ms, talks.c.agent_id)):
        query = select(func.min(at_ms), func.max(at_ms)).where(whose == agent_id)
        ends.append((await connection.execute(query)).one())
    (first_ms, last_ms), (began_ms, last_began_ms) = ends
    firsts = [each for each in (first_ms, began_ms and began_ms - UNTIL_TALK_MS_MAX) if each is not None]
    lasts = [each for each in (last_ms, last_began_ms) if each is not None]
    return (min(firsts), max(lasts)) if firsts else None


async def queued_between(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, limit: int
) -> list[RowMapping]:
    """The calls that entered their first queue in [from_ms, until_ms), in that order; of each what is no person's."""
    columns = [calls.c[name] for name in QUEUED_COLUMNS]
    query = select(*columns).where(*_queued(site, from_ms, until_ms))
    rows = await connection.execute(query.order_by(calls.c.queued_ms, calls.c.call_id).limit(limit))
    return list(rows.mappings())


async def count_queued(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int
) -> dict[tuple[str, str], int]:
    """How many entered a queue in [from_ms, until_ms), by queue and tier."""
    query = select(calls.c.queue, calls.c.tier, func.count()).where(*_queued(site, from_ms, until_ms))
    rows = await connection.execute(query.group_by(calls.c.queue, calls.c.tier))
    return {(queue or "", tier or ""): count for queue, tier, count in rows}


def _queued(site: str, from_ms: int, until_ms: int) -> tuple[Any, ...]:
    """Found by the arrival, which has an index and is at most a day before; none that we placed."""
    return (
        calls.c.site == site,
        calls.c.arrived_ms >= from_ms - MENU_MS_MAX,
        calls.c.arrived_ms < until_ms,
        calls.c.queued_ms >= from_ms,
        calls.c.queued_ms < until_ms,
        ~calls.c.call_id.startswith(MARK),
    )


async def states_of(connection: AsyncConnection, call_ids: Sequence[str]) -> dict[str, str]:
    """The state of those of these calls that have a record."""
    found: dict[str, str] = {}
    for start in range(0, len(call_ids), CHUNK):
        some = call_ids[start : start + CHUNK]
        query = select(calls.c.call_id, calls.c.state).where(calls.c.call_id.in_(some))
        found |= {row.call_id: row.state for row in await connection.execute(query)}
    return found


async def unended(
    connection: AsyncConnection, site: str, before_ms: int, limit: int
) -> list[tuple[str, int]]:
    """Calls that arrived before this instant and have no end yet, the oldest first."""
    query = (
        select(calls.c.call_id, calls.c.arrived_ms)
        .where(calls.c.site == site, calls.c.state != CallState.ENDED, calls.c.arrived_ms < before_ms)
        .order_by(calls.c.arrived_ms)
        .limit(limit)
    )
    return [(row.call_id, row.arrived_ms) for row in await connection.execute(query)]
