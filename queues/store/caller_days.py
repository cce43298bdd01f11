"""Who called again, by the day of arrival: the counts of days that are over for good, in SQL.

A day stands here once nobody's calling again can change it, seven days after its end. It has a row without a queue,
which says whether its counts are being made or are all there; what changes one of its calls takes it out.

What must hold: whoever read the calls before such a change keeps nothing of them. So each claim has a mark of its own,
the negative number that stands in `known` meanwhile; one that was taken out and made anew has another.
"""

import secrets
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, Text, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.metrics import Callers

KEY: Final = ("site", "day_ms", "queue", "tier", "line")
SUMS: Final = ("known", "again_24", "again_48", "settled", "solved")
MARKS: Final = 2**62

caller_days = Table(
    "caller_days",
    metadata,
    Column("site", Text, nullable=False),
    Column("day_ms", BigInteger, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("queue", "tier", "line")),
    *(Column(name, BigInteger, nullable=False) for name in SUMS),
    PrimaryKeyConstraint(*KEY),
)
_c = caller_days.c
_MARK: Final = {"queue": "", "tier": "", "line": ""}
_is_mark = _c.queue == ""
_is_being_made = _c.known < 0

Group = tuple[str, str, str]  # queue, tier, line


def _within(site: str, from_ms: int, until_ms: int) -> tuple[Any, ...]:
    return _c.site == site, _c.day_ms >= from_ms, _c.day_ms < until_ms


async def kept(connection: AsyncConnection, site: str, from_ms: int, until_ms: int) -> set[int]:
    """The days that begin in [from_ms, until_ms) and have all their counts."""
    query = select(_c.day_ms).where(*_within(site, from_ms, until_ms), _is_mark, ~_is_being_made)
    return set((await connection.execute(query)).scalars())


async def total(
    connection: AsyncConnection,
    site: str,
    from_ms: int,
    until_ms: int,
    *,
    queues: Collection[str] = (),
    tier: str = "",
    line: str = "",
) -> Callers:
    """What the days come to that are kept."""
    chosen: list[Any] = [*_within(site, from_ms, until_ms), ~_is_mark]
    if queues:
        chosen.append(_c.queue.in_(queues))
    chosen += [_c[name] == value for name, value in (("tier", tier), ("line", line)) if value]
    added = [func.coalesce(func.sum(_c[name]), 0) for name in SUMS]
    return Callers(*(int(each) for each in (await connection.execute(select(*added).where(*chosen))).one()))


async def claim(connection: AsyncConnection, site: str, day_ms: int) -> int:
    """From now on whatever changes the day is noticed. Returns the claim's mark, to keep the counts by.

    Who finds a claim of somebody else shares it, since it is seen from then on as well; so a claim whose maker died
    holds nobody up, and two that count the same day do not take it from each other.
    """
    statement = upsert(caller_days, connection).values(
        site=site, day_ms=day_ms, **_MARK, **dict.fromkeys(SUMS, 0) | {"known": -1 - secrets.randbelow(MARKS)}
    )
    await connection.execute(statement.on_conflict_do_nothing(index_elements=KEY))
    query = select(_c.known).where(*_within(site, day_ms, day_ms + 1), _is_mark)
    return int((await connection.execute(query)).scalar_one())


async def keep(
    connection: AsyncConnection, site: str, day_ms: int, counts: Mapping[Group, Callers], mark: int
) -> bool:
    """The counts of a day that was claimed; False where it has changed meanwhile, or is kept already."""
    claimed = (*_within(site, day_ms, day_ms + 1), _is_mark, _is_being_made, _c.known == mark)
    if not (await connection.execute(delete(caller_days).where(*claimed))).rowcount:
        return False
    rows = [{**_MARK, **dict.fromkeys(SUMS, 0)}]
    for (queue, tier, line), callers in counts.items():
        told = {name: getattr(callers, name) for name in SUMS}
        rows.append({"queue": queue, "tier": tier, "line": line, **told})
    await connection.execute(insert(caller_days), [{"site": site, "day_ms": day_ms, **row} for row in rows])
    return True


async def drop(connection: AsyncConnection, site: str, from_ms: int, until_ms: int) -> None:
    """The days that begin in [from_ms, until_ms), and claims of them."""
    await connection.execute(delete(caller_days).where(*_within(site, from_ms, until_ms)))


async def clear(connection: AsyncConnection, site: str) -> None:
    await connection.execute(delete(caller_days).where(_c.site == site))
