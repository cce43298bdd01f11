"""How long everybody was in each state today; the definition is in queues.domain.agent_time."""

from typing import Final

from config.runtime import Runtime
from queues.domain import agent_time
from queues.domain.agent_time import AgentTime
from queues.domain.plan import Plan
from queues.service.calls import day_of, local_day
from queues.store import journal

# Whoever works over midnight signed in at most so long before it.
SHIFT_MAX_MS: Final = 24 * 3_600_000


async def today(runtime: Runtime, plan: Plan) -> tuple[AgentTime, ...]:
    """Of the local day so far, as far as the journal is written down; by agent_id."""
    now_ms = runtime.clock.now_ms()
    from_ms, _ = day_of(plan, local_day(plan, now_ms))
    async with runtime.database.read() as connection:
        lines = await journal.lines_between(
            connection, plan.site, from_ms - SHIFT_MAX_MS, now_ms + 1, agent_time.TYPES
        )
    times = agent_time.fold(lines, from_ms, now_ms)
    return tuple(times[agent_id] for agent_id in sorted(times))
