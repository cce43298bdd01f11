"""The journal: the stream that the scripts write, and its copy in SQL.

An entry is kept as it came, also when it cannot be read as a line: nothing that was journalled is lost for
being odd.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from sqlalchemy import BigInteger, Column, Index, RowMapping, Table, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import PlainInsert, metadata
from queues.domain.call_records import BIGGEST
from queues.domain.journal import Line, parse_id

UNREADABLE: Final = "unreadable"

events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("call_id", Text),
    Column("agent_id", Text),
    Column("offer_id", Text),
    Column("data", Text, nullable=False),
)
Index(None, events.c.call_id)
TEXTS: Final = (("type", ""), ("call_id", ""), ("agent_id", ""), ("offer_id", ""), ("data", "{}"))
KEEPING: Final = PlainInsert(events, ("id", "site", "at_ms", *(name for name, _ in TEXTS)), replaces=())


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the stream; `line` is None when it makes no sense."""

    id: str
    fields: Mapping[str, str]
    line: Line | None = field(default=None)

    @classmethod
    def from_stream(cls, entry_id: str, fields: Mapping[str, str]) -> "Entry":
        return cls(entry_id, fields, line_of(entry_id, fields))

    @property
    def at_ms(self) -> int:
        """As written, or else the instant in the id."""
        return self.line.at_ms if self.line else parse_id(self.id)[0]

    def stripped(self) -> "Entry":
        """What is left when SQL will not take the rest."""
        return Entry(self.id, {"type": UNREADABLE})


def line_of(entry_id: str, fields: Mapping[str, str]) -> Line | None:
    try:
        line = Line.from_stream(entry_id, fields)
    except (KeyError, ValueError, TypeError):
        return None
    is_sound = isinstance(line.data, dict) and abs(line.at_ms) <= BIGGEST
    return line if is_sound else None


def journal_key(site: str) -> str:
    return f"{{{site}}}:journal"


async def read_after(redis: Redis, site: str, last_id: str, count: int) -> list[Entry]:
    """The next entries after this id, oldest first."""
    entries: Any = await redis.xrange(journal_key(site), min=f"({last_id}", max="+", count=count)
    return [Entry.from_stream(entry_id, fields) for entry_id, fields in entries]


async def wait_after(redis: Redis, site: str, last_id: str, count: int, wait_ms: int) -> list[Entry]:
    """The same, and if there are none, wait (real time) until there are."""
    found: Any = await redis.xread({journal_key(site): last_id}, count=count, block=wait_ms)
    return [Entry.from_stream(entry_id, fields) for _, entries in found or () for entry_id, fields in entries]


async def trim_before(redis: Redis, site: str, entry_id: str) -> int:
    """Drop entries older than this id; whole blocks at a time, so some of them stay."""
    return int(await redis.xtrim(journal_key(site), minid=entry_id, approximate=True))


async def insert_events(connection: AsyncConnection, site: str, entries: Sequence[Entry]) -> None:
    """Keep the entries; those that are kept already stay as they are."""
    await KEEPING.write(connection, [event_row(site, entry) for entry in entries])


def event_row(site: str, entry: Entry) -> tuple[Any, ...]:
    """As `KEEPING` takes it."""
    line_type, *texts = plain([entry.fields.get(name, default) for name, default in TEXTS])
    return (entry.id, site, entry.at_ms, line_type or UNREADABLE, *texts)


def plain(texts: list[str]) -> list[str]:
    """PostgreSQL has no room for a character of nothing."""
    return [text.replace("\x00", "") for text in texts] if "\x00" in "".join(texts) else texts


async def lines_of_calls(
    connection: AsyncConnection, call_ids: Collection[str], types: Collection[str] = ()
) -> list[Line]:
    """The stored lines of these calls in the order they were written; of these types, if any are named."""
    query = select(events).where(events.c.call_id.in_(call_ids))
    if types:
        query = query.where(events.c.type.in_(types))
    rows = (await connection.execute(query)).mappings()
    return sorted((line for row in rows if (line := stored_line(row))), key=lambda line: parse_id(line.id))


async def lines_between(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, types: Collection[str] = ()
) -> list[Line]:
    """The stored lines of [from_ms, until_ms) in the order they were written; of these types, if any are named.

    Found by their ids, which are never earlier than the instant they tell of.
    """
    ids = events.c.id
    query = select(events).where(events.c.site == site, ids >= f"{from_ms}-", ids < f"{until_ms}-")
    if types:
        query = query.where(events.c.type.in_(types))
    rows = (await connection.execute(query)).mappings()
    return sorted((line for row in rows if (line := stored_line(row))), key=lambda line: parse_id(line.id))


async def newest_id(connection: AsyncConnection, site: str) -> str | None:
    """Of the stored lines; None: there are none."""
    query = select(func.max(events.c.id)).where(events.c.site == site)
    last = (await connection.execute(query)).scalar()
    if last is None:
        return None
    # Inside one millisecond ids are in any order, being texts here.
    query = select(events.c.id).where(events.c.site == site, events.c.id >= f"{parse_id(last)[0]}-")
    ids: list[str] = list((await connection.execute(query)).scalars())
    return max(ids, key=parse_id)


async def first_instant(connection: AsyncConnection, site: str) -> int | None:
    """When the oldest stored line was written."""
    query = select(func.min(events.c.id)).where(events.c.site == site)
    oldest = (await connection.execute(query)).scalar()
    return parse_id(oldest)[0] if oldest else None


async def delete_lines(connection: AsyncConnection, line_ids: Collection[str]) -> None:
    await connection.execute(delete(events).where(events.c.id.in_(line_ids)))


async def newest_lines(connection: AsyncConnection, site: str, line_type: str, limit: int) -> list[Line]:
    """The latest stored lines of a type; inside one millisecond in any order, ids being texts here."""
    query = select(events).where(events.c.site == site, events.c.type == line_type)
    rows = await connection.execute(query.order_by(events.c.id.desc()).limit(limit))
    return [line for row in rows.mappings() if (line := stored_line(row))]


def stored_line(row: RowMapping) -> Line | None:
    try:
        data = json.loads(row["data"])
    except ValueError:
        return None
    names = ("id", "type", "at_ms", "call_id", "agent_id", "offer_id")
    return Line(data=data, **{name: row[name] for name in names}) if isinstance(data, dict) else None
