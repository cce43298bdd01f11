"""Figures of a period, read from the intervals; and the very calls behind each of them.

Whatever is asked for is a sum over rows of months, days and quarters, so a year costs hardly more than a day. Two
figures need more: who called again is a comparison of calls, kept by days (`queues.service.callers`); agents' time has
no queue and no tier, and is told of the whole house alone.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain import stays
from queues.domain.metrics import (
    AGENT_COUNTS,
    CALL_SETS,
    CARDS,
    Card,
    Figure,
    Kind,
    Totals,
    added,
    figures_of,
)
from queues.domain.periods import Grain, Piece, pieces
from queues.domain.plan import Plan
from queues.domain.targets import target_of
from queues.service import callers
from queues.store import figured, intervals
from queues.store.calls import CallFilter
from queues.store.figured import Chosen
from queues.store.intervals import Group

__all__ = [
    "AGENT_COUNTS",
    "CALL_SETS",
    "CARDS",
    "Asked",
    "Card",
    "Figure",
    "Grain",
    "Kind",
    "Point",
    "Report",
    "Totals",
    "behind",
    "figures_of",
    "glance",
    "read",
    "series",
]

LONG_AGO_MS: Final = 24 * 3_600_000  # nobody waits longer than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which period, and of it what; empty does not narrow."""

    from_ms: int
    until_ms: int
    queues: Collection[str] = ()
    tier: str = ""
    line: str = ""

    @property
    def is_whole_house(self) -> bool:
        return not (self.queues or self.tier or self.line)


@dataclass(frozen=True, slots=True)
class Report:
    """`by_group` is what the totals are made of, by queue and tier."""

    totals: Totals
    by_group: Mapping[Group, Totals] = field(default_factory=dict)
    by_agent: Mapping[str, Counter[str]] = field(default_factory=dict)
    now_ms: int = 0

    def by(self, place: int) -> dict[str, Totals]:
        """By queue (0) or tier (1), in the order of their names; these add up to the totals."""
        found: dict[str, Totals] = {}
        for group, totals in sorted(self.by_group.items()):
            merge(found.setdefault(group[place], Totals()), totals)
        return found


class Point(NamedTuple):
    """What the calls come to that arrived in one quarter, day or month."""

    start_ms: int
    totals: Totals


async def read(runtime: Runtime, plan: Plan, asked: Asked) -> Report:
    now_ms, chosen = runtime.clock.now_ms(), _chosen(runtime, asked)
    async with runtime.database.read() as connection:
        report = await _add_up(connection, runtime, plan, asked, now_ms)
        report.totals.callers = await callers.read(connection, chosen, plan.timezone, now_ms)
        if asked.until_ms > now_ms - LONG_AGO_MS:
            lately = replace(chosen, from_ms=max(asked.from_ms, now_ms - 2 * LONG_AGO_MS))
            since_ms = await figured.waiting_since(connection, lately)
            report.totals.waiting_longest_s = None if since_ms is None else max(0, now_ms - since_ms) // 1000
    return report


async def glance(runtime: Runtime, plan: Plan, asked: Asked) -> Report:
    """From the intervals alone, for whoever looks every second: not who called again, nor how long some wait still."""
    async with runtime.database.read() as connection:
        return await _add_up(connection, runtime, plan, asked, runtime.clock.now_ms())


async def _add_up(
    connection: AsyncConnection, runtime: Runtime, plan: Plan, asked: Asked, now_ms: int
) -> Report:
    site, parts = runtime.settings.site, pieces(asked.from_ms, asked.until_ms, plan.timezone)
    rows = await intervals.totals(
        connection, site, parts, queues=asked.queues, tier=asked.tier, line=asked.line
    )
    by_group: dict[Group, Totals] = {}
    for group, row in rows.items():
        by_group[group] = added([(row.counts, target_of(plan, *group))])
        by_group[group].corrected_ms = row.corrected_ms
    report = Report(Totals(), by_group, await _by_agent(connection, site, parts, asked, now_ms), now_ms)
    for each in by_group.values():
        merge(report.totals, each)
    if asked.is_whole_house:
        report.totals.agents = sum(report.by_agent.values(), Counter[str]())
    return report


async def series(runtime: Runtime, plan: Plan, asked: Asked, grain: Grain) -> list[Point]:
    """Every quarter, day or month that begins in the period and has calls, the oldest first.

    A period that begins or ends within a month is not what its months come to: ask for whole ones.
    """
    piece = Piece(grain, asked.from_ms, asked.until_ms)
    async with runtime.database.read() as connection:
        rows = await intervals.rows_within(
            connection, runtime.settings.site, piece, queues=asked.queues, tier=asked.tier, line=asked.line
        )
    found: dict[int, Totals] = {}
    for cell, row in rows.items():
        totals = found.setdefault(cell.start_ms, Totals())
        totals.add(row.counts, target_of(plan, cell.queue, cell.tier))
        if row.corrected_ms:
            totals.corrected_ms = max(totals.corrected_ms or 0, row.corrected_ms)
    return [Point(start_ms, totals) for start_ms, totals in sorted(found.items())]


def merge(into: Totals, more: Totals) -> None:
    into.counts.add(more.counts)
    into.in_time.update(more.in_time)
    if more.corrected_ms:
        into.corrected_ms = max(into.corrected_ms or 0, more.corrected_ms)


async def _by_agent(
    connection: AsyncConnection, site: str, parts: tuple[Piece, ...], asked: Asked, now_ms: int
) -> dict[str, Counter[str]]:
    """What has ended, and what goes on as far as it is within the period."""
    found = await intervals.agent_totals(connection, site, parts)
    going_on = await intervals.load_stays(connection, site)
    for cell, sums in stays.running(going_on, asked.from_ms, min(asked.until_ms, now_ms)).items():
        found.setdefault(cell.agent_id, Counter()).update(sums)
    return found


def _chosen(runtime: Runtime, asked: Asked) -> Chosen:
    return Chosen(runtime.settings.site, asked.from_ms, asked.until_ms, asked.queues, asked.tier, asked.line)


async def behind(runtime: Runtime, plan: Plan, asked: Asked, symbol: str) -> CallFilter:
    """The very calls that this symbol counts in a period, as a list can show them."""
    parts = pieces(asked.from_ms, asked.until_ms, plan.timezone)
    async with runtime.database.read() as connection:
        groups = await intervals.groups_within(
            connection, runtime.settings.site, parts, queues=asked.queues, tier=asked.tier, line=asked.line
        )
    targets = {group: target_of(plan, *group) for group in groups}
    return CallFilter(
        from_ms=asked.from_ms,
        until_ms=asked.until_ms,
        queues=tuple(asked.queues),
        tier=asked.tier,
        line=asked.line,
        symbol=symbol,
        also=figured.condition(symbol, targets or {("", ""): target_of(plan, "", "")}),
    )
