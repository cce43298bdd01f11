"""What the pages of figures ask beside the totals: the hours of the week, and conditions that narrow a list of calls.

Hours are added up by the database, from the rows of quarters: what comes back is at most 168 rows for each queue and
tier, however long the period is.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain import waits
from queues.domain.intervals import Counts
from queues.domain.periods import Grain
from queues.domain.targets import Target
from queues.domain.weeks import HOUR_MS, HOURS, TO_THURSDAY_MS, Stretch
from queues.store.calls import CallFilter, calls, conditions
from queues.store.intervals import intervals

SUMS: Final = ("arrived", "offered", "answered", "abandoned", "called_back", "flowed_out", "wait_ms")
HourTarget = tuple[int, Target]  # the number of the hour; what holds for the calls
_BETWEEN: Final = ";"


async def hours(
    connection: AsyncConnection,
    site: str,
    within: Sequence[Stretch],
    *,
    queues: Collection[str] = (),
    tier: str = "",
    line: str = "",
    told: Sequence[str] = (),
    target: Callable[[str, str], Target],
) -> dict[HourTarget, Counts]:
    """By hour of the week and by what queue and tier are measured by: the sums of `SUMS`, and the waits of those kinds
    that are `told`.
    """
    if not within:
        return {}
    c = intervals.c
    at = [and_(c.start_ms >= each.from_ms, c.start_ms < each.until_ms) for each in within]
    chosen: list[Any] = [
        c.site == site,
        c.grain == Grain.QUARTER,
        c.start_ms >= within[0].from_ms,
        c.start_ms < within[-1].until_ms,
    ]
    if queues:
        chosen.append(c.queue.in_(queues))
    chosen += [c[name] == value for name, value in (("tier", tier), ("line", line)) if value]
    numbers = [_number(c.start_ms, each.shift_ms) for each in within]
    number = (
        numbers[0] if len(within) == 1 else case(*zip(at[:-1], numbers[:-1], strict=True), else_=numbers[-1])
    ).label("number")
    rows = select(number, c.queue, c.tier, *(c[name] for name in (*SUMS, *told))).where(*chosen).subquery()
    group = (rows.c.number, rows.c.queue, rows.c.tier)
    added = [func.sum(rows.c[name]) for name in SUMS]
    texts = [func.aggregate_strings(func.nullif(rows.c[name], ""), _BETWEEN) for name in told]
    found, several = dict[HourTarget, Counts](), defaultdict[tuple[HourTarget, str], list[str]](list)
    for hour, queue, own_tier, *values in await connection.execute(
        select(*group, *added, *texts).group_by(*group)
    ):
        key = int(hour), target(queue, own_tier)
        sums = {name: int(value) for name, value in zip(SUMS, values, strict=False) if value}
        found.setdefault(key, Counts()).sums.update(sums)
        for name, text in zip(told, values[len(SUMS) :], strict=True):
            several[key, name] += _parts(text) if text else ()
    for (key, name), parts in several.items():
        found[key].waits[name] = waits.added(parts)
    return found


def _parts(text: str) -> list[str]:
    """The texts that were put together; of those in JSON, which have no nesting, one."""
    return text.replace(f"}}{_BETWEEN}{{", ",").split(_BETWEEN)


def _number(start_ms: Any, shift_ms: int) -> Any:
    """As `weeks.number_of`."""
    shifted = start_ms + literal(shift_ms + TO_THURSDAY_MS, BigInteger)
    return shifted // literal(HOUR_MS, BigInteger) % HOURS


def waited(least_s: int, most_s: int | None) -> Any:
    """Whose wait counts under these whole seconds, both of them in it (`waits.second_of`)."""
    wait_ms = calls.c.wait_ms
    found = wait_ms.is_not(None) if least_s <= 0 else wait_ms > (least_s - 1) * 1000
    return found if most_s is None else and_(found, wait_ms <= most_s * 1000)


async def count(connection: AsyncConnection, chosen: CallFilter, limit: int) -> int:
    """No further than to the limit."""
    some = select(calls.c.call_id).where(*conditions(chosen)).limit(limit).subquery()
    return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())
