"""Who called again: read from days whose counts are kept, and from the calls themselves for the rest.

What must hold: a kept day is what its calls come to. A call is compared with those of two days before and seven days
after; so a day is kept once its last call is seven days old, and a call that changes takes out every day that it may be
compared with, in the transaction that adds the change to the intervals.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain.intervals import Cells
from queues.domain.metrics import Callers
from queues.domain.periods import QUARTER_MS, Grain, Piece, following, start_of
from queues.service.plans import plan_of
from queues.service.whereabouts import Span, joined
from queues.store import caller_days, figured, intervals
from queues.store.figured import BEFORE_MS, WEEK_MS, Chosen

# How many calls are compared while somebody waits: of a day, which bounds the eight that are not over for good; and of
# all earlier days that are not kept yet, as after an upgrade.
COMPARED_MAX_A_DAY: Final = 50_000
COMPARED_MAX: Final = 200_000
NOBODY: Final = Callers(0, 0, 0, 0, 0)


async def read(connection: AsyncConnection, chosen: Chosen, zone: str, now_ms: int) -> Callers | None:
    """None where days that are not kept yet have more calls than can be compared while somebody waits."""
    whole = Span(chosen.from_ms, chosen.until_ms)
    first_ms = start_of(Grain.DAY, whole.from_ms, zone)
    arrived = dict(
        await intervals.counted(connection, chosen.site, [Piece(Grain.DAY, first_ms, whole.until_ms)], "N")
    )
    days = {day_ms: Span(day_ms, following(Grain.DAY, day_ms, zone)) for day_ms in arrived}
    kept = await caller_days.kept(connection, chosen.site, whole.from_ms, whole.until_ms)
    kept = {day_ms for day_ms in kept if day_ms in days and whole.holds(days[day_ms])}
    missing = {day_ms: number for day_ms, number in arrived.items() if day_ms not in kept}
    open_ms = _over_until(now_ms, zone)
    backlog = sum(number for day_ms, number in missing.items() if day_ms < open_ms)
    if backlog > COMPARED_MAX or max(missing.values(), default=0) > COMPARED_MAX_A_DAY:
        return None
    found = await caller_days.total(
        connection, chosen.site, min(kept, default=0), max(kept, default=-1) + 1,
        queues=chosen.queues, tier=chosen.tier, line=chosen.line,
    )  # fmt: skip
    for span in joined(days[day_ms].within(whole) for day_ms in missing):
        part = replace(chosen, from_ms=span.from_ms, until_ms=span.until_ms)
        found = _sum((found, await figured.callers(connection, part, now_ms)))
    return found


def _sum(parts: Iterable[Callers]) -> Callers:
    return Callers(*(sum(each) for each in zip(*(tuple_of(part) for part in parts), strict=True)))


def tuple_of(callers: Callers) -> tuple[int, ...]:
    return tuple(getattr(callers, name) for name in caller_days.SUMS)


async def changed(connection: AsyncConnection, site: str, zone: str, gained: Cells) -> None:
    """Calls of these cells came, went, or were answered after all: what is kept of the days around is so no more."""
    spans = [
        Span(
            start_of(Grain.DAY, cell.start_ms - WEEK_MS, zone),
            cell.start_ms + QUARTER_MS + BEFORE_MS,
        )
        for cell, counts in gained.items()
        if counts.sums["offered"] or counts.sums["answered"]
    ]
    for span in joined(spans):
        await caller_days.drop(connection, site, *span)


def _over_until(now_ms: int, zone: str) -> int:
    """Days that begin before are over for good."""
    return start_of(Grain.DAY, now_ms - WEEK_MS, zone)


async def keep_day(runtime: Runtime) -> bool:
    """Count the newest day that is over for good and not kept yet; False where there is none."""
    site, zone, now_ms = runtime.settings.site, plan_of(runtime).timezone, runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        day = await _missing(connection, site, zone, _over_until(now_ms, zone))
    if day is None:
        return False
    async with runtime.database.transaction() as connection:
        mark = await caller_days.claim(connection, site, day.from_ms)
    async with runtime.database.read() as connection:
        found = await figured.callers_by_group(connection, site, *day, now_ms)
    async with runtime.database.transaction() as connection:
        await caller_days.keep(connection, site, day.from_ms, found, mark)
    return True


async def _missing(connection: AsyncConnection, site: str, zone: str, until_ms: int) -> Span | None:
    first_ms = await intervals.first_start(connection, site, 0)
    if first_ms is None or first_ms >= until_ms:
        return None
    days = await intervals.counted(connection, site, [Piece(Grain.DAY, first_ms, until_ms)], "N")
    kept = await caller_days.kept(connection, site, first_ms, until_ms)
    newest_ms = next((day_ms for day_ms, _ in days if day_ms not in kept), None)
    return None if newest_ms is None else Span(newest_ms, following(Grain.DAY, newest_ms, zone))
