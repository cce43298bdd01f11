"""What was promised and what was left, in a period: tickets by kind, callbacks, and who was to be called back.

Told as SQL has it now: a ticket that was opened anew since counts as not done. Nothing here reads what was over before
the period began: each part of it is found by an index.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain.calls import ASKED, OPEN
from queues.store.calls import calls
from queues.store.tickets import tickets

_t: Final = tickets.c
_done_ms: Final = func.coalesce(_t.resolved_ms, _t.closed_ms)

COMPLAINTS_MAX: Final = 500


def _added(condition: Any, name: str) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name)


async def of_tickets(
    connection: AsyncConnection, site: str, from_ms: int, until_ms: int
) -> dict[str, dict[str, int]]:
    """By kind of ticket: opened and done in the period, left undone at its end, and of the promises that fell due in
    it those kept and broken; `amount_cents` of those opened."""

    def within(column: Any) -> Any:
        return and_(column >= from_ms, column < until_ms)

    is_left = and_(_t.opened_ms < until_ms, or_(_done_ms.is_(None), _done_ms >= until_ms))
    is_kept = and_(_done_ms.is_not(None), _done_ms <= _t.due_ms)
    amount = case((within(_t.opened_ms), func.coalesce(_t.amount_cents, 0)), else_=0)
    query = select(
        _t.type,
        _added(within(_t.opened_ms), "opened"),
        _added(within(_done_ms), "done"),
        _added(is_left, "left"),
        _added(and_(within(_t.due_ms), is_kept), "kept"),
        _added(and_(within(_t.due_ms), or_(_done_ms.is_(None), _done_ms > _t.due_ms)), "broken"),
        func.coalesce(func.sum(amount), 0).label("amount_cents"),
    ).where(
        _t.opened_ms + 0 < until_ms, _touched(site, from_ms, until_ms)
    )  # + 0: no index, for nearly all fit
    found = {}
    for row in (await connection.execute(query.group_by(_t.type))).mappings():
        numbers = {name: int(value) for name, value in row.items() if name != "type"}
        if any(numbers.values()):
            found[str(row["type"])] = numbers
    return found


def _touched(site: str, from_ms: int, until_ms: int) -> Any:
    """Opened or due in the period, or not done before it began. Each way by itself: the index of each is another."""
    here = _t.site == site
    return or_(
        and_(here, _t.opened_ms >= from_ms, _t.opened_ms < until_ms),
        and_(here, _t.due_ms >= from_ms, _t.due_ms < until_ms),
        and_(here, _t.resolved_ms >= from_ms),
        and_(here, _t.closed_ms >= from_ms),
        and_(here, _t.closed_ms.is_(None), _t.resolved_ms.is_(None)),
    )


async def complaints(
    connection: AsyncConnection, site: str, types: Collection[str], from_ms: int, until_ms: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many were opened in the period, and of the first of them what may be told without naming anybody."""
    here = (_t.site == site, _t.type.in_(types), _t.opened_ms >= from_ms, _t.opened_ms < until_ms)
    count = (await connection.execute(select(func.count()).select_from(tickets).where(*here))).scalar_one()
    names = ("ticket_no", "type", "matter", "area", "gravity", "state", "opened_ms", "due_ms")
    columns = [*(_t[name] for name in names), _done_ms.label("done_ms")]
    query = select(*columns).where(*here).order_by(_t.opened_ms, _t.ticket_no).limit(COMPLAINTS_MAX)
    rows = (await connection.execute(query)).mappings()
    return int(count), [{name: value for name, value in row.items() if value is not None} for row in rows]


async def callbacks_open(connection: AsyncConnection, site: str, until_ms: int) -> int:
    """Callers who asked before this instant to be called back, and wait for it now."""
    c = calls.c
    here = (c.site == site, c.arrived_ms < until_ms, c.callback.in_((ASKED, OPEN)))
    return int((await connection.execute(select(func.count()).select_from(calls).where(*here))).scalar_one())
