"""Exploring a period: its course and its hours of the week; and from each point of a picture to its calls.

All of it is read from the rows of the intervals and told by the metric cards; which calls are an agent's is told by
`queues.service.agent_figures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import and_

from config.runtime import Runtime
from queues.domain.distribution import Range
from queues.domain.metrics import CARDS, Totals
from queues.domain.periods import QUARTER_MS, Grain, following, start_of, up
from queues.domain.plan import Plan
from queues.domain.targets import Target, target_of
from queues.domain.weeks import HOUR_MS, Hour, hour_at, spans, stretches
from queues.service import agent_figures, figures
from queues.service.agent_figures import Spell
from queues.service.figures import Asked, Point, merge
from queues.store import explored
from queues.store.calls import CallFilter

DAY_MS: Final = 24 * HOUR_MS
QUARTERS_OF_MS: Final = 2 * DAY_MS + HOUR_MS  # a period so long has quarters, also when a clock was set back
DAYS_OF_MS: Final = 100 * DAY_MS
WEEKS_OF_MS: Final = 13 * 7 * DAY_MS
COUNTED_MAX: Final = 10_000
COUNTED_WAITS: Final[Mapping[str, str]] = {"A": "answered_waits", "B": "abandoned_waits"}


class Measure(StrEnum):
    """What the hours of the week are told by."""

    ARRIVED = "arrived"
    LEVEL = "level"
    LONGEST = "longest"
    MEAN = "mean"


# Which waits it takes to tell it.
_WAITS: Final[Mapping[Measure, tuple[str, ...]]] = {
    Measure.ARRIVED: (),
    Measure.LEVEL: ("answered_waits", "abandoned_waits"),
    Measure.LONGEST: ("answered_waits", "abandoned_waits", "other_waits"),
    Measure.MEAN: (),
}


class Part(NamedTuple):
    """One point of a course: what arrived in [from_ms, until_ms)."""

    from_ms: int
    until_ms: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Course:
    """The points of a period, without gap, as far as it has come."""

    grain: Grain
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of the week in [from_ms, until_ms): the whole period, or its last thirteen weeks."""

    from_ms: int
    until_ms: int
    hours: Mapping[Hour, Totals]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """One point of a picture; what is None or empty does not narrow."""

    hour: Hour | None = None
    quarter_ms: int | None = None
    waited_s: tuple[int, int | None] | None = None
    agent_id: str = ""


class Listed(NamedTuple):
    """How many calls a list has, or that it has still more."""

    calls: int
    is_more: bool = False


def grain_of(asked: Asked) -> Grain:
    for_ms = asked.until_ms - asked.from_ms
    if for_ms <= QUARTERS_OF_MS:
        return Grain.QUARTER
    return Grain.DAY if for_ms <= DAYS_OF_MS else Grain.MONTH


async def course(runtime: Runtime, plan: Plan, asked: Asked) -> Course:
    """By quarters, days or months, as the length asks for; a month that lies in it in part is one point, too."""
    grain, zone, now_ms = grain_of(asked), plan.timezone, runtime.clock.now_ms()
    points = await _points(runtime, plan, asked, grain)
    parts, from_ms = list[Part](), asked.from_ms
    found = {point.start_ms: point.totals for point in points}
    while from_ms < asked.until_ms and from_ms <= now_ms:
        until_ms = min(following(grain, start_of(grain, from_ms, zone), zone), asked.until_ms)
        parts.append(Part(from_ms, until_ms, found.get(from_ms, Totals())))
        from_ms = until_ms
    return Course(grain, tuple(parts))


async def _points(runtime: Runtime, plan: Plan, asked: Asked, grain: Grain) -> list[Point]:
    """Points of the grain; at the ends of the period, where a month is not whole, what its days come to."""
    zone = plan.timezone
    whole_from, whole_until = up(grain, asked.from_ms, zone), start_of(grain, asked.until_ms, zone)
    whole = replace(asked, from_ms=whole_from, until_ms=max(whole_from, whole_until))
    points = await figures.series(runtime, plan, whole, grain)
    for from_ms, until_ms in (
        (asked.from_ms, min(whole_from, asked.until_ms)),
        (max(whole_from, whole_until), asked.until_ms),
    ):
        if from_ms < until_ms:
            end = replace(asked, from_ms=from_ms, until_ms=until_ms)
            totals = Totals()
            for point in await figures.series(runtime, plan, end, Grain.DAY):
                merge(totals, point.totals)
            points.append(Point(from_ms, totals))
    return points


async def week(runtime: Runtime, plan: Plan, asked: Asked, measure: Measure) -> Week:
    told = _WAITS[measure]
    if measure is Measure.LEVEL and "D_T" in CARDS[plan.targets.formula].formula.symbols:
        told = (*told, "felt_waits")
    from_ms = max(asked.from_ms, up(Grain.DAY, asked.until_ms - WEEKS_OF_MS, plan.timezone))
    async with runtime.database.read() as connection:
        rows = await explored.hours(
            connection,
            runtime.settings.site,
            stretches(from_ms, asked.until_ms, plan.timezone),
            queues=asked.queues,
            tier=asked.tier,
            line=asked.line,
            told=told,
            target=partial(target_of, plan),
        )
    found: dict[Hour, Totals] = {}
    for (number, target), counts in rows.items():
        found.setdefault(hour_at(number), Totals()).add(counts, target)
    return Week(from_ms, asked.until_ms, found)


def narrow(runtime: Runtime, plan: Plan, chosen: CallFilter, symbol: str, to: Narrowed) -> CallFilter:
    """Of these calls those behind one point.

    The intervals know where the calls of a whole set are, not where those of a part of it: then they are not asked.
    """
    from_ms, until_ms = chosen.from_ms or 0, chosen.until_ms or 0
    conditions: list[Any] = [] if chosen.also is None else [chosen.also]
    within = chosen.spans
    if to.quarter_ms is not None:
        from_ms, until_ms = max(from_ms, to.quarter_ms), min(until_ms, to.quarter_ms + QUARTER_MS)
    if to.hour is not None:
        within = tuple(spans(to.hour, from_ms, until_ms, plan.timezone))
    if to.waited_s is not None:
        conditions.append(explored.waited(*to.waited_s))
    if to.agent_id:
        own = symbol if symbol in agent_figures.SYMBOLS else "A"
        whose = Spell(from_ms, until_ms, to.agent_id)
        conditions.append(agent_figures.behind(runtime, whose, own).also)
    is_part = to.hour is not None or to.waited_s is not None or bool(to.agent_id)
    return replace(
        chosen,
        from_ms=from_ms,
        until_ms=until_ms,
        spans=within,
        symbol="" if is_part else chosen.symbol,
        also=and_(True, *conditions),
    )


async def count(
    runtime: Runtime, plan: Plan, asked: Asked, symbol: str, to: Narrowed, chosen: CallFilter
) -> Listed:
    """How many calls a list has, from the rows where they tell it; else counted, as far as to `COUNTED_MAX`."""
    name = COUNTED_WAITS.get(symbol, "")
    if to == Narrowed():
        totals = (await figures.glance(runtime, plan, asked)).totals
        return Listed(int(totals.symbols()[symbol] or 0))
    if to.waited_s is not None and name and to == Narrowed(waited_s=to.waited_s):
        counts = (await figures.glance(runtime, plan, asked)).totals.counts
        return Listed(Range(*to.waited_s).count(counts.waits.get(name, {})))
    async with runtime.database.read() as connection:
        found = await explored.count(connection, replace(chosen, site=runtime.settings.site), COUNTED_MAX + 1)
    return Listed(min(found, COUNTED_MAX), found > COUNTED_MAX)


def by_department(plan: Plan, report: figures.Report) -> dict[str, Totals]:
    """In the site's order, and last, under no name, what came to queues of none; these add up to the totals."""
    owner = {queue: name for name, each in plan.departments.items() for queue in each.queues}
    found: dict[str, Totals] = {}
    for queue, totals in report.by(0).items():
        merge(found.setdefault(owner.get(queue, ""), Totals()), totals)
    return {name: found[name] for name in (*plan.departments, "") if name in found}


def only_target(plan: Plan, report: figures.Report) -> Target | None:
    """The target that holds for all of these calls; None where they have several."""
    targets = set(_targets(plan, report))
    return targets.pop() if len(targets) == 1 else None


def target_shares(plan: Plan, report: figures.Report) -> list[int]:
    """Every percentage that some of these calls are to be answered in time by, the lowest first."""
    return sorted({target.share for target in _targets(plan, report)})


def _targets(plan: Plan, report: figures.Report) -> list[Target]:
    return [
        target_of(plan, *group) for group, totals in report.by_group.items() if totals.counts.sums["offered"]
    ]
