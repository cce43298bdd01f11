"""The list of callers who gave up, in SQL.

While an entry is open its `open_key` is its caller and its queue, so there is one of each; who claims it changes it
only from the state that he has read. `abandoned_calls` has each call once, so a call is counted once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.abandoned import SETTLED, Ending
from queues.domain.calls import CallState
from queues.store.calls import calls

abandoned = Table(
    "abandoned",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("open_key", Text),
    Column("caller_ref", Text, nullable=False),
    Column("customer_id", Text),
    Column("queue", Text, nullable=False),
    Column("matter", Text),
    Column("tier", Text),
    Column("locale", Text),
    Column("line", Text),
    Column("opened_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("waited_ms", BigInteger, nullable=False),
    Column("head_start_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("lapses_ms", BigInteger, nullable=False),
    Column("here_call_id", Text),
    Column("taken_by", Text),
    Column("taken_until_ms", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("heard", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_ms", BigInteger),
    Column("next_ms", BigInteger),
    Column("closed_ms", BigInteger),
    Column("ending", Text),
    Column("call_id", Text),
    Column("agent_id", Text),
    Column("account_id", Text),
)
abandoned_calls = Table(
    "abandoned_calls",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("entry_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("waited_ms", BigInteger, nullable=False),
)
Index(None, abandoned.c.site, abandoned.c.opened_ms)
Index(None, abandoned.c.site, abandoned.c.closed_ms)
Index(None, abandoned.c.open_key, unique=True)
Index(None, abandoned.c.caller_ref)
Index(None, abandoned_calls.c.entry_id)

IS_OPEN: Final = abandoned.c.closed_ms.is_(None)
LET_GO: Final[Mapping[str, Any]] = {"here_call_id": None, "taken_by": None, "taken_until_ms": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One caller who is to be called about one queue. Instants in ms; what is not known is None or empty."""

    entry_id: str  # the first call that he gave up
    site: str
    open_key: str | None = None
    caller_ref: str
    customer_id: str | None = ""
    queue: str
    matter: str | None = ""
    tier: str | None = ""
    locale: str | None = ""
    line: str | None = ""
    opened_ms: int
    last_ms: int  # when he gave up the last time
    times: int = 1
    waited_ms: int  # the longest of them
    head_start_ms: int = 0
    due_ms: int  # by when he is to be called
    lapses_ms: int
    # the call in which he is on the line, or we ring him, or will as he asked
    here_call_id: str | None = None
    taken_by: str | None = None  # the agent who calls him
    taken_until_ms: int | None = None
    attempts: int = 0  # calls begun by agents
    heard: int = 0  # of how many of them the end is known
    tries: int = 0  # of those, not reached
    tried_ms: int | None = None
    next_ms: int | None = None  # not before
    closed_ms: int | None = None
    ending: str | None = None
    call_id: str | None = None  # in which he was reached
    agent_id: str | None = None
    account_id: str | None = None  # who noted the ending

    @property
    def is_open(self) -> bool:
        return self.closed_ms is None

    @property
    def key_ms(self) -> int:
        """As in the queues: the instant less the head start; the lowest first."""
        return self.opened_ms - self.head_start_ms

    def is_taken(self, now_ms: int) -> bool:
        return bool(self.taken_by) and now_ms < (self.taken_until_ms or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """The entries that were opened on a day; every column is a plain sum."""

    opened: int
    times: int
    settled: int  # reached, or came again and was answered, or left a message
    kept: int  # of those, in time
    open: int
    open_late: int
    reach_ms: int  # from giving up to being settled, together


def key_of(site: str, caller_ref: str, queue: str) -> str:
    return f"{site}|{caller_ref}|{queue}"


async def open_of(
    connection: AsyncConnection, site: str, refs: Collection[str], entry_ids: Collection[str] = ()
) -> list[Entry]:
    """The open entries of these callers, and these."""
    whose = or_(abandoned.c.caller_ref.in_(refs), abandoned.c.entry_id.in_(entry_ids))
    rows = await connection.execute(select(abandoned).where(abandoned.c.site == site, IS_OPEN, whose))
    return [Entry(**row) for row in rows.mappings()]


async def insert(connection: AsyncConnection, entry: Entry) -> bool:
    """False when this caller has an open entry in this queue, or this call opened one before."""
    statement = upsert(abandoned, connection).values(**asdict(entry)).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def count_call(
    connection: AsyncConnection, call_id: str, entry_id: str, at_ms: int, waited_ms: int
) -> bool:
    """False when this call has been counted."""
    row = {"call_id": call_id, "entry_id": entry_id, "at_ms": at_ms, "waited_ms": waited_ms}
    statement = upsert(abandoned_calls, connection).values(**row).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


async def is_counted(connection: AsyncConnection, call_id: str) -> bool:
    query = select(abandoned_calls.c.call_id).where(abandoned_calls.c.call_id == call_id)
    return (await connection.execute(query)).first() is not None


async def change(connection: AsyncConnection, entry_id: str, **values: Any) -> bool:
    """False when it has been closed."""
    here = (abandoned.c.entry_id == entry_id, IS_OPEN)
    return (await connection.execute(update(abandoned).where(*here).values(**values))).rowcount == 1


async def close(
    connection: AsyncConnection,
    entry_id: str,
    ending: Ending,
    at_ms: int,
    *,
    call_id: str | None = None,
    agent_id: str | None = None,
    account_id: str | None = None,
) -> bool:
    """False when it was closed before."""
    told = {"call_id": call_id, "agent_id": agent_id, "account_id": account_id}
    values = {**LET_GO, "open_key": None, "closed_ms": at_ms, "ending": ending, **told}
    return await change(connection, entry_id, **values)


async def note_again(connection: AsyncConnection, entry: Entry, ending: Ending, account_id: str) -> bool:
    """What the agent who reached him says of the call; False when somebody has said so."""
    here = (abandoned.c.entry_id == entry.entry_id, abandoned.c.ending == Ending.REACHED)
    values = {"ending": ending, "account_id": account_id}
    return (await connection.execute(update(abandoned).where(*here).values(**values))).rowcount == 1


async def take(connection: AsyncConnection, entry: Entry, agent_id: str, now_ms: int, until_ms: int) -> bool:
    """One agent at a time, as the entry was read; False when it is not so any more."""
    is_free = or_(abandoned.c.taken_by.is_(None), abandoned.c.taken_until_ms <= now_ms)
    here = (
        abandoned.c.entry_id == entry.entry_id,
        IS_OPEN,
        abandoned.c.here_call_id.is_(None),
        abandoned.c.attempts == entry.attempts,
        is_free,
    )
    values = {"taken_by": agent_id, "taken_until_ms": until_ms, "attempts": entry.attempts + 1}
    return (await connection.execute(update(abandoned).where(*here).values(**values))).rowcount == 1


async def close_lapsed(connection: AsyncConnection, site: str, now_ms: int) -> int:
    """Whose time is up; nobody who is on the line, or is being called."""
    is_over = (abandoned.c.lapses_ms <= now_ms, abandoned.c.here_call_id.is_(None))
    is_free = or_(abandoned.c.taken_until_ms.is_(None), abandoned.c.taken_until_ms <= now_ms)
    here = (abandoned.c.site == site, IS_OPEN, *is_over, is_free)
    values = {**LET_GO, "open_key": None, "closed_ms": now_ms, "ending": Ending.LAPSED}
    return (await connection.execute(update(abandoned).where(*here).values(**values))).rowcount


async def find(connection: AsyncConnection, site: str, entry_id: str) -> Entry | None:
    query = select(abandoned).where(abandoned.c.site == site, abandoned.c.entry_id == entry_id)
    row = (await connection.execute(query)).mappings().first()
    return Entry(**row) if row else None


async def all_open(
    connection: AsyncConnection, site: str, queues: Collection[str] | None, limit: int
) -> tuple[list[Entry], int]:
    """Those to be called first, of these queues or of all, and how many there are."""
    here = [abandoned.c.site == site, IS_OPEN]
    if queues is not None:
        here.append(abandoned.c.queue.in_(queues))
    key = abandoned.c.opened_ms - abandoned.c.head_start_ms
    query = select(abandoned).where(*here).order_by(key, abandoned.c.entry_id).limit(limit)
    rows = (await connection.execute(query)).mappings().all()
    count = (await connection.execute(select(func.count()).select_from(abandoned).where(*here))).scalar_one()
    return [Entry(**row) for row in rows], int(count)


async def between(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, limit: int
) -> list[Entry]:
    """Those opened in [from_ms, until_ms), the newest first."""
    spell = (abandoned.c.opened_ms >= from_ms, abandoned.c.opened_ms < until_ms)
    query = select(abandoned).where(abandoned.c.site == site, *spell)
    rows = await connection.execute(query.order_by(abandoned.c.opened_ms.desc()).limit(limit))
    return [Entry(**row) for row in rows.mappings()]


async def closed_since(
    connection: AsyncConnection, site: str, from_ms: int, agent_id: str, limit: int
) -> list[Entry]:
    """Those that were closed since this instant, by this agent or by anybody; the newest first."""
    query = select(abandoned).where(abandoned.c.site == site, abandoned.c.closed_ms >= from_ms)
    if agent_id:
        query = query.where(abandoned.c.agent_id == agent_id)
    rows = await connection.execute(query.order_by(abandoned.c.closed_ms.desc()).limit(limit))
    return [Entry(**row) for row in rows.mappings()]


async def times_of(connection: AsyncConnection, entry_ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    """The calls behind each entry, the oldest first."""
    query = select(abandoned_calls).where(abandoned_calls.c.entry_id.in_(entry_ids))
    found: dict[str, list[RowMapping]] = {}
    for row in (await connection.execute(query.order_by(abandoned_calls.c.at_ms))).mappings():
        found.setdefault(row["entry_id"], []).append(row)
    return found


async def count_day(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, now_ms: int
) -> DayCount:
    """Over the entries that were opened in [from_ms, until_ms)."""
    is_settled = abandoned.c.ending.in_(SETTLED)
    counts = {
        "settled": is_settled,
        "kept": and_(is_settled, abandoned.c.closed_ms <= abandoned.c.due_ms),
        "open": IS_OPEN,
        "open_late": and_(IS_OPEN, abandoned.c.due_ms < now_ms),
    }
    took_ms = case((is_settled, abandoned.c.closed_ms - abandoned.c.opened_ms), else_=0)
    query = select(
        func.count().label("opened"),
        func.coalesce(func.sum(abandoned.c.times), 0).label("times"),
        func.coalesce(func.sum(took_ms), 0).label("reach_ms"),
        *(func.coalesce(func.sum(case((test, 1), else_=0)), 0).label(name) for name, test in counts.items()),
    ).where(abandoned.c.site == site, abandoned.c.opened_ms >= from_ms, abandoned.c.opened_ms < until_ms)
    row = (await connection.execute(query)).mappings().one()
    return DayCount(**{name: int(value) for name, value in row.items()})


async def forget_refs(connection: AsyncConnection, caller_refs: Collection[str]) -> None:
    """Nothing of these callers is left on the list."""
    theirs = abandoned.c.caller_ref.in_(caller_refs)
    ids = select(abandoned.c.entry_id).where(theirs)
    await connection.execute(delete(abandoned_calls).where(abandoned_calls.c.entry_id.in_(ids)))
    await connection.execute(delete(abandoned).where(theirs))


async def forget_calls(connection: AsyncConnection, call_ids: Collection[str]) -> None:
    """No entry tells any more that these calls were its caller's."""
    await connection.execute(delete(abandoned_calls).where(abandoned_calls.c.call_id.in_(call_ids)))
    for column in (abandoned.c.here_call_id, abandoned.c.call_id):
        await connection.execute(update(abandoned).where(column.in_(call_ids)).values({column: None}))


async def calls_after(
    connection: AsyncConnection, site: str, caller_ref: str, at_ms: int
) -> tuple[bool, str]:
    """Whether he was answered at or after this instant; and the call, if any, in which he is on the line."""
    mine = (calls.c.site == site, calls.c.caller_ref == caller_ref)
    answered = select(calls.c.call_id).where(*mine, calls.c.answered_ms >= at_ms).limit(1)
    here = select(calls.c.call_id).where(
        *mine, calls.c.state != CallState.ENDED, calls.c.answered_ms.is_(None)
    )
    was_answered = (await connection.execute(answered)).first() is not None
    found = (await connection.execute(here.order_by(calls.c.arrived_ms.desc()).limit(1))).scalar()
    return was_answered, found or ""


async def tickets_of_calls(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, str]:
    query = select(calls.c.call_id, calls.c.ticket_no).where(calls.c.call_id.in_(call_ids))
    return {row.call_id: row.ticket_no for row in await connection.execute(query) if row.ticket_no}
