"""A recorded day, for a trial: its calls and who was there, from SQL."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from config.runtime import Runtime
from ivr.simulation.record import STINT_TYPES, DayRecord, RecordedCall, call_in, stints_in
from ivr.simulation.terms import Terms
from queues.domain.plan import Plan
from queues.service.calls import day_of, local_day
from queues.store import calls, journal

CALLS_MAX: Final = 20_000
# Whoever works over midnight signed in at most so long before it.
SHIFT_MAX_MS: Final = 24 * 3_600_000
DAYS_BACK: Final = 9


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many calls entered a queue on a day."""

    day: dt.date
    calls: int


def span_of(plan: Plan, terms: Terms) -> tuple[int, int]:
    """The instants at which the hours of the day begin and end where the site is."""
    day = dt.date.fromisoformat(terms.day)
    zone = ZoneInfo(plan.timezone)
    ends_ms = day_of(plan, day)[1]

    def at(hour: int) -> int:
        return round(dt.datetime.combine(day, dt.time(hour), zone).timestamp() * 1000)

    return at(terms.from_hour), ends_ms if terms.until_hour == 24 else at(terms.until_hour)


async def days_before(runtime: Runtime, plan: Plan) -> list[DayCount]:
    """Today and the days before it, past the same weekdays of last week; the newest first."""
    today = local_day(plan, runtime.clock.now_ms())
    found = []
    async with runtime.database.read() as connection:
        for back in range(DAYS_BACK):
            day = today - dt.timedelta(days=back)
            counts = await calls.count_queued(connection, runtime.settings.site, *day_of(plan, day))
            found.append(DayCount(day, sum(counts.values())))
    return found


async def count_calls(runtime: Runtime, plan: Plan, terms: Terms) -> dict[tuple[str, str], int]:
    """By queue and tier."""
    async with runtime.database.read() as connection:
        return await calls.count_queued(connection, runtime.settings.site, *span_of(plan, terms))


async def read_record(runtime: Runtime, plan: Plan, terms: Terms) -> DayRecord:
    """Everything of it that a trial plays, in one look at the database."""
    from_ms, until_ms = span_of(plan, terms)
    site, read_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        rows = await calls.queued_between(connection, site, from_ms, until_ms, CALLS_MAX)
        lines = await journal.lines_between(connection, site, from_ms - SHIFT_MAX_MS, until_ms, STINT_TYPES)
    read = [call_in(dict(row)) for row in rows]
    return DayRecord(
        midnight_ms=day_of(plan, dt.date.fromisoformat(terms.day))[0],
        from_ms=from_ms,
        until_ms=until_ms,
        read_ms=read_ms,
        calls=[each for each in read if isinstance(each, RecordedCall)],
        stints=stints_in(lines, from_ms, until_ms),
        unplayed=dict(Counter(each for each in read if isinstance(each, str))),
    )
