"""Wrap-ups that history still holds open, found through the figures: only days with unsettled calls are looked at."""

from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain.call_records import HOLD, CallRecord, spans_of
from queues.domain.periods import Grain
from queues.store.calls import IS_RUNNING, calls
from queues.store.intervals import IS_UNSETTLED, intervals

DAY_MS_MAX: Final = 25 * 3_600_000  # of a local day


class OpenWrapUp(NamedTuple):
    call_id: str
    agent_id: str
    since_ms: int


async def open_before(connection: AsyncConnection, site: str, before_ms: int, limit: int) -> list[OpenWrapUp]:
    """Those that began before this instant, of the calls that the figures wait for; the oldest days first."""
    i, c = intervals.c, calls.c
    days = select(i.start_ms).where(i.site == site, i.grain == Grain.DAY, IS_UNSETTLED).distinct()
    found: dict[OpenWrapUp, None] = {}
    for from_ms in sorted((await connection.execute(days)).scalars()):
        arrived = (c.site == site, c.arrived_ms >= from_ms, c.arrived_ms < from_ms + DAY_MS_MAX)
        query = select(c.call_id, c.running).where(*arrived, IS_RUNNING).order_by(c.arrived_ms)
        for call_id, running in await connection.execute(query):
            spans = spans_of(CallRecord(call_id=call_id, running=running))
            for agent_id, since_ms in spans.items():
                if agent_id != HOLD and since_ms < before_ms:
                    found[OpenWrapUp(call_id, agent_id, since_ms)] = None
        if len(found) >= limit:
            break
    return list(found)[:limit]
