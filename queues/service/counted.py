"""What Prometheus is told of the calls: sums over all the months there are, that never go back."""

from collections.abc import Mapping
from typing import Final

from config.runtime import Runtime
from queues.domain.metrics import Totals, added
from queues.domain.periods import Grain, Piece, start_of
from queues.domain.plan import Plan
from queues.domain.targets import target_of
from queues.store import counted, intervals
from queues.store.intervals import Group

MONTH_MS: Final = 31 * 24 * 3_600_000
EVER_MS: Final = 10**15
OVERDUE_S: Final = 2.0

ByGroup = dict[Group, Totals]


def edge_of(plan: Plan, now_ms: int) -> int:
    """Months before this one hardly change any more: the last month and the present one are after it."""
    return start_of(Grain.MONTH, now_ms - MONTH_MS, plan.timezone)


async def of_months(runtime: Runtime, plan: Plan, from_ms: int, until_ms: int) -> ByGroup:
    piece = Piece(Grain.MONTH, from_ms, until_ms)
    async with runtime.database.read() as connection:
        rows = await intervals.totals(connection, runtime.settings.site, [piece])
    return {group: added([(row.counts, target_of(plan, *group))]) for group, row in rows.items()}


async def before(runtime: Runtime, plan: Plan, edge_ms: int) -> ByGroup:
    return await of_months(runtime, plan, -EVER_MS, edge_ms)


async def since(runtime: Runtime, plan: Plan, edge_ms: int) -> ByGroup:
    return await of_months(runtime, plan, edge_ms, EVER_MS)


async def raised(runtime: Runtime, samples: Mapping[str, float]) -> dict[str, float]:
    return await counted.raised(runtime.redis, runtime.settings.site, samples)


async def overdue(runtime: Runtime) -> tuple[int, int]:
    """How many effects nobody has taken although they are due, and for how long the first of them, in ms."""
    now_ms = runtime.clock.now_ms()
    before_ms = now_ms - runtime.clock.product_ms(OVERDUE_S)
    count, since_ms = await counted.overdue(runtime.redis, runtime.settings.site, before_ms)
    return count, 0 if since_ms is None else now_ms - since_ms
