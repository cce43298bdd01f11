"""The points of agents in SQL, month by month. What was kept is never written over: a correction is a revision more.

A month is written once, whoever does it: its own row (`score_months`) is put in first, under its key, together with
everybody's in one transaction.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    PrimaryKeyConstraint,
    RowMapping,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.periods import Grain
from queues.store.intervals import intervals

score_months = Table(
    "score_months",
    metadata,
    Column("site", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("rules", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("site", "month", "revision"),
)
agent_scores = Table(
    "agent_scores",
    metadata,
    Column("site", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("points", Text),
    Column("details", Text, nullable=False),
    PrimaryKeyConstraint("site", "month", "revision", "agent_id"),
)
_m, _s = score_months.c, agent_scores.c
KEY: Final = ("site", "month", "revision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One revision of one month; the first is 1. `month` is 2026-11, `rules` as JSON."""

    month: str
    revision: int
    made_ms: int
    is_open: bool  # when it was made, some calls were not settled yet
    rules: str
    fingerprint: str = ""  # of the figures by which it was looked at last; none: it is to be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one agent had in a month, as it was kept then."""

    month: str
    revision: int
    agent_id: str
    details: Mapping[str, Any]


async def put(
    connection: AsyncConnection, site: str, month: Month, rows: Mapping[str, tuple[str | None, Any]]
) -> bool:
    """The month with everybody's points and details, by agent_id. False, and nothing, if it is there already."""
    values = {name: getattr(month, name) for name in Month.__dataclass_fields__}
    statement = upsert(score_months, connection).values(site=site, **values)
    if not (await connection.execute(statement.on_conflict_do_nothing(index_elements=KEY))).rowcount:
        return False
    kept = [
        {
            "site": site,
            "month": month.month,
            "revision": month.revision,
            "agent_id": agent_id,
            "points": points,
            "details": json.dumps(details, ensure_ascii=False, separators=(",", ":")),
        }
        for agent_id, (points, details) in rows.items()
    ]
    if kept:
        await connection.execute(insert(agent_scores), kept)
    return True


async def checked(
    connection: AsyncConnection, site: str, month: Month, *, fingerprint: str, is_open: bool
) -> None:
    """It says what these figures say; nothing if it was to be looked at again meanwhile."""
    this = (_m.site == site, _m.month == month.month, _m.revision == month.revision)
    query = update(score_months).where(*this, _m.fingerprint == month.fingerprint)
    await connection.execute(query.values(fingerprint=fingerprint, is_open=is_open))


async def look_again(connection: AsyncConnection, site: str) -> None:
    """Calls were put right in a way that the sums of the house need not show: another agent had one."""
    await connection.execute(update(score_months).where(_m.site == site).values(fingerprint=""))


async def months(connection: AsyncConnection, site: str, since: str = "") -> list[Month]:
    """The latest revision of each month from this one on, the oldest first."""
    query = select(score_months).where(_m.site == site, _m.month >= since).order_by(_m.month, _m.revision)
    found = {row["month"]: _month(row) for row in (await connection.execute(query)).mappings()}
    return list(found.values())


async def made_at(connection: AsyncConnection, site: str) -> dict[tuple[str, int], int]:
    """By month and revision."""
    query = select(_m.month, _m.revision, _m.made_ms).where(_m.site == site)
    return {(month, revision): made_ms for month, revision, made_ms in await connection.execute(query)}


def _month(row: RowMapping) -> Month:
    return Month(**{name: row[name] for name in Month.__dataclass_fields__})


async def rows_of(
    connection: AsyncConnection, site: str, month: str, revision: int, agent_id: str = ""
) -> list[Row]:
    """Everybody's, or this agent's, in the order of their ids."""
    chosen = [_s.site == site, _s.month == month, _s.revision == revision]
    chosen += [_s.agent_id == agent_id] if agent_id else []
    query = select(agent_scores).where(*chosen).order_by(_s.agent_id)
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def rows_by_agent(connection: AsyncConnection, site: str, agent_id: str) -> list[Row]:
    """Every revision of every month of this agent, the newest first."""
    query = select(agent_scores).where(_s.site == site, _s.agent_id == agent_id)
    query = query.order_by(_s.month.desc(), _s.revision.desc())
    return [_row(row) for row in (await connection.execute(query)).mappings()]


def _row(row: RowMapping) -> Row:
    details = json.loads(row["details"])
    return Row(month=row["month"], revision=row["revision"], agent_id=row["agent_id"], details=details)


async def unsettled(connection: AsyncConnection, site: str, start_ms: int) -> int:
    """How many calls of the month that begins then are not settled."""
    query = select(func.coalesce(func.sum(intervals.c.unsettled), 0)).where(
        intervals.c.site == site, intervals.c.grain == Grain.MONTH, intervals.c.start_ms == start_ms
    )
    return int((await connection.execute(query)).scalar_one())
