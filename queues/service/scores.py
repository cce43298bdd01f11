"""The points of agents: of a period so far, and of every month, kept once it is over.

A month is made by whichever clock process comes first, from one snapshot, under the rules in force then, an hour after
it ended (what came in late has come by then), or as soon after that as none of its calls is open, a day at the latest;
but never while the figures lack something that happened in it. What was made stays as it is. Whenever the figures of
the month are others than those it was made of, however they came to be, the points are worked out anew by the same
rules, and kept as a further revision if they differ.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain.formulas import Value
from queues.domain.metrics import Figure
from queues.domain.periods import Grain, following, midnight, pieces
from queues.domain.plan import Plan
from queues.domain.report_document import digest_of
from queues.domain.scores import Score, Scores, score
from queues.service import agent_figures
from queues.service.agent_figures import AgentReport, Spell
from queues.service.calls import local_day
from queues.service.figuring import is_behind
from queues.service.plans import plan_of
from queues.store import intervals
from queues.store import scores as store
from queues.store.scores import Month, Row

__all__ = [
    "Kept",
    "Month",
    "kept_months",
    "kept_of",
    "make_due",
    "make_months",
    "month_key",
    "month_scores",
    "score_of",
]

log = get_log(__name__)

HOUR_MS: Final = 3_600_000
SETTLES_MS: Final = HOUR_MS
SETTLES_MS_MAX: Final = 24 * HOUR_MS
MADE_UP_FOR: Final = 12  # so many months are made up for after a long stop
WATCHED: Final = 3  # so many months are looked at for corrections: a quarter's ranking has them


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One agent's month as it was kept. `figures` have value, formula, version and symbols of each card."""

    month: str
    revision: int
    agent_id: str
    score: Score
    figures: Mapping[str, Mapping[str, Any]]

    @property
    def is_corrected(self) -> bool:
        return self.revision > 1


def month_key(year: int, month: int) -> str:
    return f"{year:04}-{month:02}"


def month_spell(month: str, zone: str) -> Spell:
    start_ms = midnight(dt.date.fromisoformat(f"{month}-01"), zone)
    return Spell(start_ms, following(Grain.MONTH, start_ms, zone))


def score_of(rules: Scores, report: AgentReport) -> Score:
    return score(agent_figures.figures_by_id(report), rules)


async def month_scores(runtime: Runtime, plan: Plan, year: int, month: int) -> dict[str, Score]:
    """What was kept of this month, by agent_id; nobody while it is not over, or where there are no rules."""
    del plan  # a month keeps the rules by which it was made
    return {each.agent_id: each.score for each in await kept_of(runtime, month_key(year, month))}


async def kept_of(runtime: Runtime, month: str) -> list[Kept]:
    """Everybody in this month, by the latest revision."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        latest = next(
            (each for each in await store.months(connection, site, month) if each.month == month), None
        )
        if latest is None:
            return []
        return [_kept(row) for row in await store.rows_of(connection, site, month, latest.revision)]


async def kept_months(runtime: Runtime) -> list[Month]:
    """The latest revision of every month, the newest first."""
    async with runtime.database.read() as connection:
        return (await store.months(connection, runtime.settings.site))[::-1]


async def made_at(runtime: Runtime) -> dict[tuple[str, int], int]:
    """When each revision of each month was kept."""
    async with runtime.database.read() as connection:
        return await store.made_at(connection, runtime.settings.site)


async def kept_by(runtime: Runtime, agent_id: str) -> list[Kept]:
    """Every revision of every month of this agent, the newest first."""
    async with runtime.database.read() as connection:
        return [_kept(row) for row in await store.rows_by_agent(connection, runtime.settings.site, agent_id)]


def _kept(row: Row) -> Kept:
    return Kept(
        month=row.month,
        revision=row.revision,
        agent_id=row.agent_id,
        score=Score.from_json(row.details),
        figures=row.details["figures"],
    )


async def make_months(runtime: Runtime) -> int:
    """What the clock process does: months that are over and not made yet, and corrections of those that are."""
    plan = plan_of(runtime)
    made = await make_due(runtime, plan)
    for kept in (await kept_months(runtime))[:WATCHED]:
        made += await _correct(runtime, plan, kept)
    return made


async def make_due(runtime: Runtime, plan: Plan) -> int:
    """Months that are over and not made yet, the oldest first."""
    made = 0
    for month in await _due(runtime, plan):
        made += await _make(runtime, plan, month)
    return made


async def _due(runtime: Runtime, plan: Plan) -> list[str]:
    """Months that are over: all since the last that was kept; the last one alone where none was."""
    if plan.scores is None:
        return []
    kept = await kept_months(runtime)
    day = local_day(plan, runtime.clock.now_ms())
    found: list[str] = []
    for _ in range(MADE_UP_FOR if kept else 1):
        day = day.replace(day=1) - dt.timedelta(days=1)
        month = month_key(day.year, day.month)
        if kept and month <= kept[0].month:
            break
        found.insert(0, month)
    return found


async def _make(runtime: Runtime, plan: Plan, month: str) -> bool:
    assert plan.scores is not None  # noqa: S101  else no month is due
    now_ms, site = runtime.clock.now_ms(), runtime.settings.site
    spell = month_spell(month, plan.timezone)
    if now_ms < spell.until_ms + SETTLES_MS or await is_behind(runtime, spell.until_ms):
        return False
    async with runtime.database.read() as connection:
        is_open = await store.unsettled(connection, site, spell.from_ms) > 0
        if is_open and now_ms < spell.until_ms + SETTLES_MS_MAX:
            return False
        rows = await _points(connection, site, plan.timezone, plan.scores, spell, now_ms)
        fingerprint = await _fingerprint(connection, site, plan.timezone, spell)
    if not rows:
        return False
    new = Month(
        month=month,
        revision=1,
        made_ms=now_ms,
        is_open=is_open,
        rules=plan.scores.model_dump_json(),
        fingerprint=fingerprint,
    )
    return await _put(runtime, new, rows)


async def _correct(runtime: Runtime, plan: Plan, kept: Month) -> bool:
    """A further revision where the figures are others than those it was looked at by, and the points differ by that.

    Not while the scribe catches up: each of its batches would make one.
    """
    now_ms, site = runtime.clock.now_ms(), runtime.settings.site
    spell, rules = month_spell(kept.month, plan.timezone), Scores.model_validate_json(kept.rules)
    if await is_behind(runtime, spell.until_ms):
        return False
    async with runtime.database.read() as connection:
        fingerprint = await _fingerprint(connection, site, plan.timezone, spell)
        if fingerprint == kept.fingerprint:
            return False
        is_open = await store.unsettled(connection, site, spell.from_ms) > 0
        rows = await _points(connection, site, plan.timezone, rules, spell, now_ms)
        had = await store.rows_of(connection, site, kept.month, kept.revision)
    if {row.agent_id: row.details for row in had} != {agent_id: each for agent_id, (_, each) in rows.items()}:
        new = Month(
            month=kept.month,
            revision=kept.revision + 1,
            made_ms=now_ms,
            is_open=is_open,
            rules=kept.rules,
            fingerprint=fingerprint,
        )
        return await _put(runtime, new, rows)
    async with runtime.database.transaction() as connection:
        await store.checked(connection, site, kept, fingerprint=fingerprint, is_open=is_open)
    return False


async def _fingerprint(connection: AsyncConnection, site: str, zone: str, spell: Spell) -> str:
    """Of the sums of the month: the calls themselves are too many to read each minute.

    The instant of the last correction is in it, for what was put right may leave the sums of the house as they were.
    """
    parts = pieces(spell.from_ms, spell.until_ms, zone)
    groups = await intervals.totals(connection, site, parts)
    agents = await intervals.agent_totals(connection, site, parts)
    told = [
        sorted((group, row.counts.as_json(), row.corrected_ms or 0) for group, row in groups.items()),
        sorted((agent_id, sorted(sums.items())) for agent_id, sums in agents.items()),
    ]
    return digest_of(json.dumps(told, sort_keys=True))


Points = dict[str, tuple[str | None, dict[str, Any]]]  # points and details, by agent_id


async def _points(
    connection: AsyncConnection, site: str, zone: str, rules: Scores, spell: Spell, now_ms: int
) -> Points:
    found = await agent_figures.read_within(connection, site, zone, spell, now_ms)
    return {agent_id: _details(rules, report) for agent_id, report in sorted(found.items()) if agent_id}


def _details(rules: Scores, report: AgentReport) -> tuple[str | None, dict[str, Any]]:
    told = score_of(rules, report)
    figures = {name: _told(figure) for name, figure in agent_figures.figures(report.totals).items()}
    return None if told.points is None else str(told.points), {**told.as_json(), "figures": figures}


def _told(figure: Figure) -> dict[str, Value | str | dict[str, Value]]:
    card = figure.card
    return {
        "value": figure.value,
        "formula": card.formula.text,
        "version": card.version,
        "symbols": dict(figure.symbols),
    }


async def _put(runtime: Runtime, month: Month, rows: Points) -> bool:
    async with runtime.database.transaction() as connection:
        is_new = await store.put(connection, runtime.settings.site, month, rows)
    if is_new:
        log.info("scores.kept", month=month.month, revision=month.revision, agents=len(rows))
    return is_new
