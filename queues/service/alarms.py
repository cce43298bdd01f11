"""Alarms are watched: the figures of this moment against their lines; what begins and ends is written down once.

Any number of clock processes may watch. Each first reads what is raised and then the figures, and the store lets one of
them write: an alarm is never raised twice for one crossing, nor cleared by a look that is older than itself. A process
that dies between look and write has done nothing; the next look finds the same. Since when a raised one is calm stands
in its row, so it makes no difference which process looks, or whether it was started anew meanwhile.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from config.log import get_log
from config.runtime import Runtime
from queues.domain import alarms as rule
from queues.domain.agents import LOST, MISSED
from queues.domain.alarms import Kind, Line, Reading
from queues.domain.metrics import CARDS, Totals, figures_of
from queues.domain.periods import Grain, start_of
from queues.domain.plan import Plan
from queues.service import figures
from queues.service.facts import WaitingFacts, WallAgent, WallState
from queues.service.figures import Asked
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.service.tickets import read_key
from queues.store import alarms as store
from queues.store import audits
from queues.store.alarms import Alarm

__all__ = ["Alarm", "AlarmPage", "acknowledge", "drop_old", "list_alarms", "open_alarms", "watch_alarms"]

log = get_log(__name__)

PAGE: Final = 100
KEPT_MS: Final = 400 * rule.DAY_MS  # a year, and the month it is compared with
AT_ONCE: Final = 1_000
ACKNOWLEDGED: Final = "alarm.acknowledged"


@dataclass(frozen=True, slots=True)
class AlarmPage:
    alarms: tuple[Alarm, ...]
    older: str | None  # give it as `before` for the next page


async def watch_alarms(runtime: Runtime) -> int:
    """How many begin or end now."""
    site, plan = runtime.settings.site, plan_of(runtime)
    async with runtime.database.read() as connection:
        raised = {alarm.key: alarm for alarm in await store.open_ones(connection, site)}
    state = await Switchboard(runtime).wall_state()
    readings = [*of_floor(plan, state), *of_figures(plan, await _lately(runtime, plan, state.now_ms))]
    since_ms = {key: alarm.calm_ms for key, alarm in raised.items()}
    begun, over, calmed, stirred = rule.changes(since_ms, readings, state.now_ms)
    if not (begun or over or calmed or stirred):
        return 0
    async with runtime.database.transaction() as connection:
        told = [await store.begin(connection, site, _new_id(), each, state.now_ms) for each in begun]
        ended = await store.end(connection, [raised[key] for key in over], state.now_ms)
        # By the instant of writing: what was seen by one that slept since says nothing about the time it slept.
        await store.note_calm(connection, [raised[key].alarm_id for key in calmed], runtime.clock.now_ms())
        await store.note_calm(connection, [raised[key].alarm_id for key in stirred], None)
    for alarm in told:
        if alarm is not None:
            log.warning("alarm.raised", alarm_id=alarm.alarm_id, kind=alarm.kind.value, subject=alarm.subject)
    for alarm_id in ended:
        log.info("alarm.cleared", alarm_id=alarm_id)
    return sum(alarm is not None for alarm in told) + len(ended)


def _new_id() -> str:
    return secrets.token_hex(8)


async def _lately(runtime: Runtime, plan: Plan, now_ms: int) -> figures.Report:
    from_ms = start_of(Grain.QUARTER, now_ms - plan.alarms.window_ms, plan.timezone)
    return await figures.glance(runtime, plan, Asked(from_ms=from_ms, until_ms=now_ms + 1))


def of_floor(plan: Plan, state: WallState) -> list[Reading]:
    """What the live state tells: who waits, who is not there, who was forgotten."""
    alarms, found = plan.alarms, list[Reading]()
    for queue in plan.queues:
        if alarms.is_watched(Kind.LONGEST_WAIT, queue):
            found.append(longest_wait(plan, queue, state))
    for agent in state.agents:
        ghost_ms = _ghost_ms(plan, agent, state.now_ms) if alarms.is_watched(Kind.GHOST_AGENT) else None
        if ghost_ms is not None:
            name = agent.agent_id
            found.append(
                Reading(kind=Kind.GHOST_AGENT, subject=name, value=ghost_ms, line=Line(0, -1), agent_id=name)
            )
        if agent.held_ms is not None and alarms.is_watched(Kind.FORGOTTEN_HOLD):
            over_ms = alarms.forgotten_hold.over_ms
            found.append(
                Reading(
                    kind=Kind.FORGOTTEN_HOLD,
                    subject=agent.call_id,
                    value=state.now_ms - agent.held_ms,
                    line=Line(over_ms, over_ms),
                    queue=agent.held_queue,
                    agent_id=agent.agent_id,
                )
            )
    return found


def longest_wait(plan: Plan, queue: str, state: WallState) -> Reading:
    """Of the tier that is furthest past its time, or nearest to it."""
    mine = [each for each in state.waiting if each.queue == queue]
    worst = furthest(mine, state.now_ms, lambda each: rule.wait_line(plan, queue, each.tier))
    if worst is None or worst.longest_queued_ms is None:
        return Reading(
            kind=Kind.LONGEST_WAIT,
            subject=queue,
            value=None,
            line=rule.wait_line(plan, queue, ""),
            queue=queue,
            calm_ms=plan.alarms.calm_ms,
        )
    return Reading(
        kind=Kind.LONGEST_WAIT,
        subject=queue,
        value=state.now_ms - worst.longest_queued_ms,
        line=rule.wait_line(plan, queue, worst.tier),
        calls=worst.waiting,
        queue=queue,
        tier=worst.tier,
        calm_ms=plan.alarms.calm_ms,
    )


def furthest(
    waiting: Iterable[WaitingFacts], now_ms: int, line_of: Callable[[WaitingFacts], Line]
) -> WaitingFacts | None:
    """Whose wait is the largest part of what it may be."""

    def part(each: WaitingFacts) -> float:
        return (now_ms - (each.longest_queued_ms or now_ms)) / max(1, line_of(each).limit)

    return max((each for each in waiting if each.longest_queued_ms is not None), key=part, default=None)


def _ghost_ms(plan: Plan, agent: WallAgent, now_ms: int) -> int | None:
    """For how long an agent has been signed in and not there; None for who is there, or has gone home."""
    line, for_ms = plan.alarms.ghost_agent, now_ms - agent.since_ms
    is_ghost = not agent.is_heard or agent.reason == MISSED or agent.missed >= line.missed
    if agent.reason == LOST and agent.is_heard:
        is_ghost = False  # his browser is back
    return for_ms if is_ghost and for_ms < line.until_ms else None


def of_figures(plan: Plan, report: figures.Report) -> list[Reading]:
    """What the calls of late came to, by queue, and the agents' time."""
    alarms, by_queue, found = plan.alarms, report.by(0), list[Reading]()
    for queue in plan.queues:
        totals = by_queue.get(queue, Totals())
        sums = totals.counts.sums
        if alarms.is_watched(Kind.SERVICE_LEVEL, queue):
            found.append(
                Reading(
                    kind=Kind.SERVICE_LEVEL,
                    subject=queue,
                    value=_value(plan.targets.formula, totals),
                    line=rule.level_line(plan, queue),
                    calls=sums["answered"] + sums["abandoned"],
                    queue=queue,
                )
            )
        if alarms.is_watched(Kind.ABANDONMENT, queue):
            found.append(
                Reading(
                    kind=Kind.ABANDONMENT,
                    subject=queue,
                    value=_value("abandonment", totals),
                    line=rule.abandon_line(plan, queue),
                    calls=sums["offered"],
                    queue=queue,
                )
            )
    if alarms.is_watched(Kind.OCCUPANCY):
        found.append(_occupancy(plan, report.totals))
    return found


def _occupancy(plan: Plan, totals: Totals) -> Reading:
    """Of the house; nothing to judge before its agents have spent as much time as is looked at."""
    told = figures_of(totals, [CARDS["occupancy"]])["occupancy"]
    spent_s = sum(told.symbols[name] or 0 for name in ("connecting", "connected", "wrapping", "ready"))
    value = told.value if spent_s * 1000 >= plan.alarms.window_ms else None
    line = rule.busy_line(plan)
    calls = totals.counts.sums["offered"]
    return Reading(kind=Kind.OCCUPANCY, subject="", value=value, line=line, calls=calls)


def _value(card: str, totals: Totals) -> float | None:
    return figures_of(totals, [CARDS[card]])[card].value


async def drop_old(runtime: Runtime) -> int:
    """How many were over for so long that they are forgotten now; the rest of many goes the next times."""
    before_ms = runtime.clock.now_ms() - KEPT_MS
    async with runtime.database.transaction() as connection:
        return await store.drop_over(connection, before_ms, AT_ONCE)


async def open_alarms(runtime: Runtime) -> list[Alarm]:
    """Those that are raised now, the oldest first."""
    async with runtime.database.read() as connection:
        return await store.open_ones(connection, runtime.settings.site)


async def list_alarms(runtime: Runtime, before: str | None = None) -> AlarmPage:
    """Those that are raised, then all that are over; of each the newest first."""
    site, key = runtime.settings.site, read_key(before)
    async with runtime.database.read() as connection:
        raised = [] if key else (await store.open_ones(connection, site))[::-1]
        found = await store.over_newest_first(connection, site, key, PAGE + 1)
    older = f"{found[PAGE - 1].since_ms}:{found[PAGE - 1].alarm_id}" if len(found) > PAGE else None
    return AlarmPage((*raised, *found[:PAGE]), older)


async def acknowledge(runtime: Runtime, alarm_id: str, account_id: str) -> str:
    """ok | again | gone: somebody has seen it. Everybody goes on seeing it, with his name."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        alarm = await store.find(connection, site, alarm_id)
        if alarm is None:
            return "gone"
        if not await store.acknowledge(connection, site, alarm_id, account_id, now_ms):
            return "again"
        await audits.write(
            connection,
            ACKNOWLEDGED,
            alarm_id,
            at_ms=now_ms,
            by=account_id,
            subject=f"alarm:{alarm_id}",
            detail={"kind": alarm.kind, "subject": alarm.subject},
        )
    return "ok"
