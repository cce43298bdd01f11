"""Agents' time by quarters, days or months of a period: what has ended, and what goes on as far as it is within."""

from collections import Counter

from config.runtime import Runtime
from queues.domain import stays
from queues.domain.periods import Grain, Piece, start_of
from queues.domain.plan import Plan
from queues.store import agent_rows, intervals

Series = dict[int, Counter[str]]  # by when it begins


async def series(
    runtime: Runtime, plan: Plan, from_ms: int, until_ms: int, grain: Grain, agent_id: str = ""
) -> Series:
    """Of one agent, or of all together; the oldest first. The period begins and ends with the grain."""
    site, ends_ms = runtime.settings.site, min(until_ms, runtime.clock.now_ms())
    async with runtime.database.read() as connection:
        rows = await agent_rows.within(connection, site, Piece(grain, from_ms, until_ms), agent_id)
        going_on = await intervals.load_stays(connection, site)
    if agent_id:
        going_on = {name: stay for name, stay in going_on.items() if name == agent_id}
    found: Series = {}
    for cell, sums in rows.items():
        found.setdefault(cell.start_ms, Counter()).update(sums)
    for cell, sums in stays.running(going_on, from_ms, ends_ms).items():
        found.setdefault(start_of(grain, cell.start_ms, plan.timezone), Counter()).update(sums)
    return dict(sorted(found.items()))
