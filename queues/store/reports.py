"""Reports in SQL: one row a period, there before it is made, and what is said beside a kept one, numbered from 1.

A report is written by a change from "not made", so it is made once however many try, and nothing here writes to one
that is made but when it was looked at and closed.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.periods import Grain
from queues.domain.reports import PERIODIC, Kind, Period, period_of
from queues.store.intervals import intervals

reports = Table(
    "reports",
    metadata,
    Column("site", Text),
    Column("report_id", Text),
    Column("kind", Text, nullable=False),
    Column("first", Text, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("account_id", Text),
    Column("due_ms", BigInteger),
    Column("made_ms", BigInteger),
    Column("document", Text),
    Column("digest", Text),
    Column("checked_ms", BigInteger, nullable=False),
    Column("fingerprint", Text),
    Column("missed_ms", BigInteger),
    Column("closed_ms", BigInteger),
    PrimaryKeyConstraint("site", "report_id"),
)
Index(None, reports.c.site, reports.c.kind, reports.c.first)
Index(None, reports.c.site, reports.c.made_ms)
entries = Table(
    "report_entries",
    metadata,
    Column("site", Text),
    Column("report_id", Text),
    Column("number", Integer),
    Column("kind", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("account_id", Text),
    Column("why", Text, nullable=False),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("site", "report_id", "number"),
)
_c: Final = reports.c
# All but the document, which is long.
_HEAD: Final = [column for column in reports.c if column.name not in ("site", "document")]
_IS_MADE: Final = _c.made_ms.is_not(None)


class EntryKind(StrEnum):
    CORRECTION = "correction"
    UPDATE = "update"  # of an urgent report: how it stands now
    NOTE = "note"  # what somebody proposes or remarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A report without its document. `due_ms` is the deadline that was in force when it was made."""

    report_id: str
    kind: str
    first: str
    from_ms: int
    until_ms: int
    why: str = ""  # of an urgent one
    account_id: str | None = None
    due_ms: int | None = None
    made_ms: int | None = None
    digest: str | None = None
    checked_ms: int = 0
    fingerprint: str | None = None  # of the sums that it was last compared with
    missed_ms: int | None = None  # since when it was told that it is missing
    closed_ms: int | None = None

    @property
    def is_made(self) -> bool:
        return self.made_ms is not None

    @property
    def period(self) -> Period:
        """An urgent one is of the day on which it was begun."""
        kind, first = Kind(self.kind), dt.date.fromisoformat(self.first)
        day = Period(kind, first, first + dt.timedelta(days=1))
        return day if kind is Kind.URGENT else period_of(kind, first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    number: int
    kind: str
    at_ms: int
    account_id: str | None = None
    why: str = ""
    content: str = ""


async def plant(connection: AsyncConnection, site: str, rows: Collection[Row]) -> int:
    """Rows of periods that have none; how many are new."""
    new = 0
    for row in rows:
        values = {name: getattr(row, name) for name in _names() if name != "site"}
        statement = upsert(reports, connection).values(site=site, **values).on_conflict_do_nothing()
        new += (await connection.execute(statement)).rowcount
    return new


async def newest(connection: AsyncConnection, site: str) -> dict[Kind, dt.date]:
    """The first day of the newest period of each kind that has a row."""
    query = select(_c.kind, func.max(_c.first)).where(_c.site == site, _c.kind.in_(PERIODIC))
    rows = await connection.execute(query.group_by(_c.kind))
    return {Kind(kind): dt.date.fromisoformat(first) for kind, first in rows}


async def first_call_ms(connection: AsyncConnection, site: str) -> int | None:
    """The beginning of the day of the first call that figures know of."""
    here = (intervals.c.site == site, intervals.c.grain == Grain.DAY)
    found = (await connection.execute(select(func.min(intervals.c.start_ms)).where(*here))).scalar()
    return None if found is None else int(found)


async def unmade(connection: AsyncConnection, site: str) -> list[Row]:
    """The one whose period ended first comes first."""
    query = select(*_HEAD).where(_c.site == site, _c.made_ms.is_(None))
    return [
        _row(row)
        for row in (await connection.execute(query.order_by(_c.until_ms, _c.from_ms.desc()))).mappings()
    ]


async def keep(
    connection: AsyncConnection,
    site: str,
    report_id: str,
    *,
    made_ms: int,
    due_ms: int,
    document: str,
    digest: str,
) -> bool:
    """It is made, for good; False when somebody else has made it."""
    here = (_c.site == site, _c.report_id == report_id, _c.made_ms.is_(None))
    values = {
        "made_ms": made_ms, "checked_ms": made_ms, "due_ms": due_ms, "document": document, "digest": digest,
    }  # fmt: skip
    return (await connection.execute(update(reports).where(*here).values(**values))).rowcount == 1


async def miss(connection: AsyncConnection, site: str, report_id: str, now_ms: int) -> bool:
    """It is told that it is missing; False when that was told before, or it is made."""
    here = (_c.site == site, _c.report_id == report_id, _c.made_ms.is_(None), _c.missed_ms.is_(None))
    return (await connection.execute(update(reports).where(*here).values(missed_ms=now_ms))).rowcount == 1


async def find(connection: AsyncConnection, site: str, report_id: str) -> tuple[Row, str] | None:
    """With its document; empty while it is not made."""
    query = select(*_HEAD, _c.document).where(_c.site == site, _c.report_id == report_id)
    row = (await connection.execute(query)).mappings().first()
    return (_row(row), str(row["document"] or "")) if row else None


async def made(
    connection: AsyncConnection, site: str, kinds: Collection[str], before: tuple[int, str] | None, limit: int
) -> list[Row]:
    """Those of these kinds, the newest first, after the key (until_ms, report_id) where the last page ended."""
    query = select(*_HEAD).where(_c.site == site, _IS_MADE, _c.kind.in_(kinds))
    if before is not None:
        query = query.where(tuple_(_c.until_ms, _c.report_id) < before)
    rows = await connection.execute(query.order_by(_c.until_ms.desc(), _c.report_id.desc()).limit(limit))
    return [_row(row) for row in rows.mappings()]


async def to_check(connection: AsyncConnection, site: str, since_ms: int, limit: int) -> list[Row]:
    """Made reports of periods: those that ended since then, and of the others whichever was looked at longest ago."""
    here = (_c.site == site, _IS_MADE, _c.kind.in_(PERIODIC))
    fresh = select(*_HEAD).where(*here, _c.until_ms >= since_ms)
    old = (
        select(*_HEAD).where(*here, _c.until_ms < since_ms).order_by(_c.checked_ms, _c.report_id).limit(limit)
    )
    return [_row(row) for query in (fresh, old) for row in (await connection.execute(query)).mappings()]


async def look(
    connection: AsyncConnection, site: str, fingerprints: Mapping[str, str | None], now_ms: int
) -> None:
    """These were looked at; with a fingerprint: compared with what they are made of, and nothing differed."""
    for report_id, fingerprint in fingerprints.items():
        here = (_c.site == site, _c.report_id == report_id)
        values: dict[str, Any] = {"checked_ms": now_ms}
        if fingerprint is not None:
            values["fingerprint"] = fingerprint
        await connection.execute(update(reports).where(*here).values(**values))


async def open_urgent(connection: AsyncConnection, site: str) -> list[Row]:
    """Urgent reports that are made and not closed, the oldest first."""
    here = (_c.site == site, _c.kind == Kind.URGENT, _IS_MADE, _c.closed_ms.is_(None))
    rows = await connection.execute(select(*_HEAD).where(*here).order_by(_c.until_ms, _c.report_id))
    return [_row(row) for row in rows.mappings()]


async def is_open(connection: AsyncConnection, site: str, report_id: str) -> bool:
    here = (_c.site == site, _c.report_id == report_id, _IS_MADE, _c.closed_ms.is_(None))
    return (await connection.execute(select(_c.report_id).where(*here))).first() is not None


async def close(connection: AsyncConnection, site: str, report_id: str, now_ms: int) -> None:
    here = (_c.site == site, _c.report_id == report_id, _c.closed_ms.is_(None))
    await connection.execute(update(reports).where(*here).values(closed_ms=now_ms))


async def entries_of(
    connection: AsyncConnection, site: str, report_id: str, kind: EntryKind | None = None
) -> list[Entry]:
    here = [entries.c.site == site, entries.c.report_id == report_id]
    if kind is not None:
        here.append(entries.c.kind == kind)
    columns = [column for column in entries.c if column.name not in ("site", "report_id")]
    rows = await connection.execute(select(*columns).where(*here).order_by(entries.c.number))
    return [Entry(**row) for row in rows.mappings()]


async def updates(
    connection: AsyncConnection, site: str, report_id: str, before: int | None, limit: int
) -> list[Entry]:
    """What was added to an urgent report, the newest first, before this number."""
    here = [entries.c.site == site, entries.c.report_id == report_id, entries.c.kind == EntryKind.UPDATE]
    if before is not None:
        here.append(entries.c.number < before)
    columns = [column for column in entries.c if column.name not in ("site", "report_id")]
    query = select(*columns).where(*here).order_by(entries.c.number.desc()).limit(limit)
    return [Entry(**row) for row in (await connection.execute(query)).mappings()]


async def last_of(
    connection: AsyncConnection, site: str, report_id: str, why: str | None = None
) -> tuple[int, int]:
    """Number and instant of the newest entry, of those written for this reason; (0, 0) where there is none."""
    here = [entries.c.site == site, entries.c.report_id == report_id]
    if why is not None:
        here.append(entries.c.why == why)
    query = select(entries.c.number, entries.c.at_ms).where(*here).order_by(entries.c.number.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return (int(row.number), int(row.at_ms)) if row else (0, 0)


async def counts(
    connection: AsyncConnection, site: str, report_ids: Collection[str]
) -> dict[tuple[str, str], int]:
    """How many entries of each kind these reports have, by report and kind."""
    e = entries.c
    query = select(e.report_id, e.kind, func.count()).where(e.site == site, e.report_id.in_(report_ids))
    rows = await connection.execute(query.group_by(e.report_id, e.kind))
    return {(report_id, kind): int(number) for report_id, kind, number in rows}


async def add(connection: AsyncConnection, site: str, report_id: str, entry: Mapping[str, Any]) -> int:
    """The number it got. Inside a transaction writers go one after another, so numbers have no gaps."""
    last = select(func.max(entries.c.number)).where(entries.c.site == site, entries.c.report_id == report_id)
    number = int((await connection.execute(last)).scalar() or 0) + 1
    await connection.execute(insert(entries).values(site=site, report_id=report_id, number=number, **entry))
    return number


def _names() -> Sequence[str]:
    return [column.name for column in _HEAD]


def _row(row: Mapping[Any, Any]) -> Row:
    return Row(**{name: row[name] for name in _names()})
