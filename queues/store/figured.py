"""The calls behind the figures: each set of calls that a formula counts, as a condition on the call table.

The same sets as `queues.domain.intervals` counts, told a second time in SQL; a test holds the two together. So a call
that we placed for the list of callers who gave up is in none of them. Who called again is counted here alone, since it
takes the calls before and after.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Integer, and_, case, cast, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain.abandoned import MARK
from queues.domain.calls import FAILED, JOINED, KEPT, WAITING, CallState, Outcome
from queues.domain.metrics import Callers
from queues.domain.targets import Target
from queues.store.calls import calls
from queues.store.customers import WITHHELD
from queues.store.intervals import Group

HOUR_MS: Final = 3_600_000
WEEK_MS: Final = 7 * 24 * HOUR_MS
BEFORE_MS: Final = 2 * 24 * HOUR_MS  # so far back a call before is looked for
NAMELESS: Final = ("", WITHHELD)

_c = calls.c
_callback, _closed = func.coalesce(_c.callback, ""), func.coalesce(_c.came_closed, 0)
_rang_in = ~_c.call_id.startswith(MARK)
_offered = and_(_rang_in, _c.queued_ms.is_not(None), _closed == 0)
_asked = or_(_callback != "", func.coalesce(_c.outcome, "") == Outcome.CALLBACK)
_called_back, _waited = and_(_offered, _asked), and_(_offered, not_(_asked))
ANSWERED = _answered = and_(_waited, _c.answered_ms.is_not(None))
_in_vain = and_(_waited, _c.answered_ms.is_(None))
_abandoned = and_(_in_vain, _c.outcome == Outcome.ABANDONED)
OVER = _over = _c.state == CallState.ENDED
_SETS: Final[Mapping[str, Any]] = {
    "N": _rang_in,
    "M": and_(_rang_in, _c.queued_ms.is_(None), _closed == 0, _over, _c.outcome == Outcome.LEFT_IN_MENU),
    "C": and_(_rang_in, _closed == 1),
    "O": _offered,
    "A": _answered,
    "B": _abandoned,
    "R": and_(_abandoned, _c.ended_in.in_((CallState.OFFERED, CallState.CONNECTING))),
    "F": and_(_in_vain, _over, _c.outcome != Outcome.ABANDONED),
    "W": and_(_in_vain, not_(_over), func.coalesce(_c.outcome, "") != Outcome.ABANDONED),
    "CB": _called_back,
    "K": and_(_called_back, _callback == KEPT),
    "X": and_(_called_back, _callback == FAILED),
    "J": and_(_called_back, _callback == JOINED),
    "H": and_(_answered, _over),
    "HC": and_(_answered, func.coalesce(_c.holds, 0) > 0),
    "TC": and_(_answered, func.coalesce(_c.transfers, 0) > 0),
}


def condition(symbol: str, targets: Mapping[Group, Target]) -> Any:
    """Whether a call belongs to this set. `targets` has every queue and tier that occurs."""
    if symbol in _SETS:
        return _SETS[symbol]
    if symbol == "A_T":
        return and_(_answered, _c.wait_ms <= _limit_ms(targets, "within_s"))
    if symbol == "D_T":
        return and_(_answered, _c.answered_ms - _c.arrived_ms <= _limit_ms(targets, "within_s"))
    limit = {"B_T": "within_s", "B_s": "short_s"}[symbol]
    return and_(_abandoned, _c.wait_ms <= _limit_ms(targets, limit))


def _limit_ms(targets: Mapping[Group, Target], name: str) -> Any:
    """By queue and tier; as many branches as there are different times."""
    by_limit: dict[int, list[Any]] = {}
    for (queue, tier), target in targets.items():
        own = and_(func.coalesce(_c.queue, "") == queue, func.coalesce(_c.tier, "") == tier)
        by_limit.setdefault(getattr(target, name) * 1000, []).append(own)
    if len(by_limit) == 1:
        return next(iter(by_limit))
    return case(*((or_(*own), limit_ms) for limit_ms, own in by_limit.items()), else_=-1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which calls; what is empty does not narrow."""

    site: str
    from_ms: int
    until_ms: int
    queues: Collection[str] = ()
    tier: str = ""
    line: str = ""

    def conditions(self, *, before_ms: int = 0, after_ms: int = 0) -> list[Any]:
        found: list[Any] = [
            _c.site == self.site,
            _c.arrived_ms >= self.from_ms - before_ms,
            _c.arrived_ms < self.until_ms + after_ms,
        ]
        if self.queues:
            found.append(_c.queue.in_(self.queues))
        found += [_c[name] == value for name, value in (("tier", self.tier), ("line", self.line)) if value]
        return found


async def waiting_since(connection: AsyncConnection, chosen: Chosen) -> int | None:
    """Since when the caller waits who has waited longest of those who wait still."""
    query = select(func.min(_c.queued_ms)).where(*chosen.conditions(), _in_vain, _c.state.in_(WAITING))
    found = (await connection.execute(query)).scalar()
    return None if found is None else int(found)


async def callers(connection: AsyncConnection, chosen: Chosen, now_ms: int) -> Callers:
    """Who called again about the same matter, whichever queue and tier it was in."""
    r, marks, within = _compared(chosen, now_ms)
    narrowed: list[Any] = [*within]
    if chosen.queues:
        narrowed.append(r.queue.in_(chosen.queues))
    narrowed += [r[name] == value for name, value in (("tier", chosen.tier), ("line", chosen.line)) if value]
    found = (await connection.execute(select(func.count(), *marks).where(*narrowed))).one()
    return Callers(*(int(each) for each in found))


async def callers_by_group(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int, now_ms: int
) -> dict[tuple[str, str, str], Callers]:
    """The same of everybody, by queue, tier and line."""
    r, marks, within = _compared(Chosen(site, from_ms, until_ms), now_ms)
    group = [func.coalesce(r[name], "").label(f"{name}_id") for name in ("queue", "tier", "line")]
    rows = await connection.execute(
        select(*group, func.count(), *marks).where(*within).group_by(*(each.name for each in group))
    )
    return {
        (queue, tier, line): Callers(*(int(each) for each in counts)) for queue, tier, line, *counts in rows
    }


def _compared(chosen: Chosen, now_ms: int) -> tuple[Any, list[Any], tuple[Any, ...]]:
    """The calls of known callers, each with how long since his last one and until his next; what is counted of them;
    and which of them are of the period.
    """
    caller = func.coalesce(func.nullif(_c.customer_id, ""), func.nullif(_c.caller_ref, ""))
    everybody = Chosen(chosen.site, chosen.from_ms, chosen.until_ms)
    around = everybody.conditions(before_ms=BEFORE_MS, after_ms=WEEK_MS)
    known = (
        select(
            caller.label("caller"),
            *(_c[name] for name in ("matter", "arrived_ms", "call_id", "queue", "tier", "line")),
            cast(_answered, Integer).label("is_answered"),
        )
        .where(*around, _offered, caller.is_not(None), caller.not_in(NAMELESS))
        .subquery()
        .c
    )
    # By columns, without a parameter: else SQLite takes the two for different windows, and sorts twice.
    window: Any = {
        "partition_by": (known.caller, known.matter),
        "order_by": (known.arrived_ms, known.call_id),
    }
    before, after = (each(known.arrived_ms).over(**window) for each in (func.lag, func.lead))
    rows = select(
        *(known[name] for name in ("arrived_ms", "queue", "tier", "line", "is_answered")),
        (known.arrived_ms - before).label("since_ms"),
        (after - known.arrived_ms).label("until_next_ms"),
    ).subquery()
    r = rows.c
    is_settled = and_(r.is_answered == 1, r.arrived_ms <= now_ms - WEEK_MS)
    is_solved = and_(is_settled, or_(r.until_next_ms.is_(None), r.until_next_ms > WEEK_MS))
    marks = (r.since_ms <= 24 * HOUR_MS, r.since_ms <= 48 * HOUR_MS, is_settled, is_solved)
    added = [func.coalesce(func.sum(case((mark, 1), else_=0)), 0) for mark in marks]
    return r, added, (r.arrived_ms >= chosen.from_ms, r.arrived_ms < chosen.until_ms)
