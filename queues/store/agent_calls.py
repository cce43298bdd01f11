"""What each agent had of the calls that arrived in a period, in SQL: the same sets as the figures count, by agent.

A call that one agent had alone is summed from its record. One that was put through belongs to several: those are read
line by line by whoever asks (see `queues.domain.shares`), and their ids are told here.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain.journal import LineType
from queues.domain.talks import HANDED_OVER, TRANSFERRED
from queues.store.calls import calls
from queues.store.figured import ANSWERED, OVER
from queues.store.journal import events
from queues.store.talks import talks

OFFERED: Final = (LineType.CALL_OFFERED, LineType.CALL_CONSULTED)
# The lines by which an agent's own counts are made (see `queues.domain.stays`).
LINES: Final[dict[str, tuple[str, ...]]] = {
    "offers": OFFERED,
    "accepted": (LineType.OFFER_ACCEPTED,),
    "declined": (LineType.OFFER_DECLINED,),
    "expired": (LineType.OFFER_EXPIRED,),
    "unrung": (LineType.OFFER_UNRUNG,),
    "withdrawn": (LineType.OFFER_WITHDRAWN,),
    "talks": (LineType.CALL_CONNECTED,),
}
_c = calls.c
_is_shared = func.coalesce(_c.transfers, 0) > 0


class Group(NamedTuple):
    agent_id: str
    tier: str


class SharedCall(NamedTuple):
    call_id: str
    tier: str
    is_over: bool


def _arrived(site: str, from_ms: int, until_ms: int) -> list[Any]:
    return [_c.site == site, _c.arrived_ms >= from_ms, _c.arrived_ms < until_ms, ANSWERED]


def _talked(agent_id: str) -> Any:
    return exists().where(talks.c.call_id == _c.call_id, talks.c.agent_id == agent_id)


async def own_sums(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, agent_id: str = ""
) -> dict[Group, Counter[str]]:
    """Of the calls that one agent had alone, by the columns of an interval; of this agent, if one is named."""
    over_ms = {
        "talk_ms": func.coalesce(_c.talk_ms, 0) - func.coalesce(_c.held_ms, 0),
        "held_ms": func.coalesce(_c.held_ms, 0),
        "wrap_ms": func.coalesce(_c.wrap_ms, 0),
    }
    columns = [
        func.count().label("answered"),
        func.sum(case((OVER, 1), else_=0)).label("handled"),
        func.sum(case((func.coalesce(_c.holds, 0) > 0, 1), else_=0)).label("with_hold"),
        *(func.sum(case((and_(OVER, ms > 0), ms), else_=0)).label(name) for name, ms in over_ms.items()),
    ]
    narrowed = [_c.agent_id == agent_id] if agent_id else []
    # One and the same expression: PostgreSQL takes two that look alike, with a value each, for two.
    tier = func.coalesce(_c.tier, "")
    query = (
        select(_c.agent_id, tier.label("tier"), *columns)
        .where(*_arrived(site, from_ms, until_ms), ~_is_shared, *narrowed)
        .group_by(_c.agent_id, tier)
    )
    return {
        Group(row["agent_id"] or "", row["tier"]): Counter(
            {column.name: int(row[column.name]) for column in columns if row[column.name]}
        )
        for row in (await connection.execute(query)).mappings()
    }


async def shared(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, agent_id: str = ""
) -> list[SharedCall]:
    """The calls that were put through; those in which this agent talked, if one is named."""
    narrowed = [_talked(agent_id)] if agent_id else []
    query = select(_c.call_id, func.coalesce(_c.tier, ""), case((OVER, 1), else_=0)).where(
        *_arrived(site, from_ms, until_ms), _is_shared, *narrowed
    )
    return [SharedCall(call_id, tier, bool(over)) for call_id, tier, over in await connection.execute(query)]


def condition(symbol: str, agent_id: str, site: str, from_ms: int, until_ms: int) -> Any:
    """Whether a call is among those that this symbol counts of an agent."""
    if symbol in LINES:
        lines = select(events.c.call_id).where(
            events.c.site == site,
            events.c.id >= f"{from_ms}-",
            events.c.id < f"{until_ms}-",
            events.c.agent_id == agent_id,
            events.c.type.in_(LINES[symbol]),
        )
        return _c.call_id.in_(lines)
    alone = and_(~_is_shared, _c.agent_id == agent_id)
    his = and_(*_arrived(site, from_ms, until_ms), or_(alone, and_(_is_shared, _talked(agent_id))))
    if symbol == "H":
        return and_(his, OVER)
    if symbol == "HC":
        return and_(his, func.coalesce(_c.holds, 0) > 0, or_(alone, _did(agent_id, LineType.CALL_HELD)))
    if symbol == "TC":
        passed_on = talks.c.ended_as.in_((TRANSFERRED, HANDED_OVER))
        ended = exists().where(talks.c.call_id == _c.call_id, talks.c.agent_id == agent_id, passed_on)
        return and_(his, ended)
    return his


def _did(agent_id: str, *types: str) -> Any:
    own = (events.c.call_id == _c.call_id, events.c.agent_id == agent_id)
    return exists().where(*own, events.c.type.in_(types))


SYMBOLS: Final[Sequence[str]] = ("A", "H", "HC", "TC", *LINES)
