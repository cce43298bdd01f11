"""The figures of one agent, or of each: the cards of the registry with what that agent did, and the calls behind them.

Of the calls that arrived in the period he has those in which he talked, with his own part of their lengths; what he did
with offers and how he spent his time is counted by the instant and by overlap. So the agents add up to the house:
talk, hold and wrap-up exactly, and calls when those that somebody took over from a colleague are taken off
(`taken_over`). Callbacks are in his time and his offers, and in no mean, as with the house.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain import stays
from queues.domain.call_records import STEPS
from queues.domain.intervals import Counts
from queues.domain.journal import Line
from queues.domain.metrics import CARDS, Figure, Totals, figures_of
from queues.domain.periods import pieces
from queues.domain.plan import Plan
from queues.domain.scores import JUDGED
from queues.domain.shares import Share, shares_of
from queues.store import agent_calls, intervals, journal
from queues.store.agent_calls import SYMBOLS, Group
from queues.store.calls import CallFilter

__all__ = ["SYMBOLS", "AgentReport", "Spell", "behind", "figures", "figures_by_id", "read"]

CALLS_AT_ONCE: Final = 100  # their lines are folded in one go, while nobody else is served
STATES: Final = tuple(f"{state}_ms" for state in stays.STATES)


@dataclass(frozen=True, slots=True)
class Spell:
    """[from_ms, until_ms); of one agent where one is named."""

    from_ms: int
    until_ms: int
    agent_id: str = ""


@dataclass(slots=True)
class AgentReport:
    """Of one agent. `by_tier` are his calls; they add up to those of `totals`."""

    totals: Totals = field(default_factory=Totals)
    by_tier: dict[str, Totals] = field(default_factory=dict)
    taken_over: int = 0

    @property
    def signed_in_ms(self) -> int:
        return sum((self.totals.agents or Counter())[name] for name in STATES)

    def add(self, tier: str, sums: Mapping[str, int]) -> None:
        for totals in (self.totals, self.by_tier.setdefault(tier, Totals())):
            totals.counts.add(Counts(Counter(sums)))


async def read(runtime: Runtime, plan: Plan, spell: Spell) -> dict[str, AgentReport]:
    """By agent_id, of whoever did anything in the period."""
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        return await read_within(connection, site, plan.timezone, spell, now_ms)


async def read_within(
    connection: AsyncConnection, site: str, zone: str, spell: Spell, now_ms: int
) -> dict[str, AgentReport]:
    found: dict[str, AgentReport] = {}
    for agent_id, sums in (await _times(connection, site, zone, spell, now_ms)).items():
        if spell.agent_id in ("", agent_id):
            found.setdefault(agent_id, AgentReport()).totals.agents = sums
    edges = spell.from_ms, spell.until_ms, spell.agent_id
    for group, sums in (await agent_calls.own_sums(connection, site, *edges)).items():
        found.setdefault(group.agent_id, AgentReport()).add(group.tier, sums)
    for group, share, is_over in await _shares(connection, site, spell):
        report = found.setdefault(group.agent_id, AgentReport())
        report.add(group.tier, _sums(share, is_over=is_over))
        report.taken_over += not share.is_first
    for report in found.values():
        report.totals.agents = report.totals.agents or Counter()
    return found


async def _times(
    connection: AsyncConnection, site: str, zone: str, spell: Spell, now_ms: int
) -> dict[str, Counter[str]]:
    parts = pieces(spell.from_ms, spell.until_ms, zone)
    found = await intervals.agent_totals(connection, site, parts)
    going_on = await intervals.load_stays(connection, site)
    running = stays.running(going_on, spell.from_ms, min(spell.until_ms, now_ms))
    for cell, sums in running.items():
        found.setdefault(cell.agent_id, Counter()).update(sums)
    return found


async def _shares(connection: AsyncConnection, site: str, spell: Spell) -> list[tuple[Group, Share, bool]]:
    """Each agent's part of the calls that were put through."""
    several = await agent_calls.shared(connection, site, spell.from_ms, spell.until_ms, spell.agent_id)
    found = []
    for place in range(0, len(several), CALLS_AT_ONCE):
        some = several[place : place + CALLS_AT_ONCE]
        lines: dict[str, list[Line]] = {}
        for line in await journal.lines_of_calls(connection, [call.call_id for call in some], STEPS):
            lines.setdefault(line.call_id, []).append(line)
        for call in some:
            for agent_id, share in shares_of(lines.get(call.call_id, ())).items():
                if spell.agent_id in ("", agent_id):
                    found.append((Group(agent_id, call.tier), share, call.is_over))
    return found


def _sums(share: Share, *, is_over: bool) -> dict[str, int]:
    """As `queues.domain.intervals` counts a call."""
    sums = {"answered": 1, "with_hold": int(share.holds > 0), "transferred": int(share.passed_on > 0)}
    if is_over:
        sums |= {
            "handled": 1,
            "talk_ms": max(0, share.talk_ms - share.held_ms),
            "held_ms": share.held_ms,
            "wrap_ms": share.wrap_ms,
        }
    return {name: number for name, number in sums.items() if number}


def figures(totals: Totals) -> dict[str, Figure]:
    """The cards that make sense of one agent, in the order of the registry."""
    return figures_of(totals, (card for card in CARDS.values() if card.id in JUDGED))


def figures_by_id(report: AgentReport) -> dict[str, float | None]:
    return {name: figure.value for name, figure in figures(report.totals).items()}


def behind(runtime: Runtime, spell: Spell, symbol: str) -> CallFilter:
    """The very calls that this symbol counts of an agent. Offers are counted each, their calls are listed once."""
    edges = spell.from_ms, spell.until_ms
    return CallFilter(also=agent_calls.condition(symbol, spell.agent_id, runtime.settings.site, *edges))
