"""What supervisors had changed in the second that a live store lost is done again, from the audit.

The audit is written after the change, so what it has from the newest line of the journal on may be lost; what is not
answers `again`. What must hold: whoever dies on the way leaves the mark behind, and the next who meets the store, or
begins to lead it, does it. A surge is none of this: it is measured, and begins again at the next look.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from config.log import get_log
from config.runtime import Runtime
from queues.domain.lanes import Lane
from queues.domain.plan import Plan
from queues.service.plans import plan_of
from queues.store import audits

if TYPE_CHECKING:
    from queues.service.switchboard import Switchboard

log = get_log(__name__)

SKEW_S: Final = 2.0  # real: by how much the clocks of two processes may differ
OLDEST_MS: Final = 24 * 3_600_000  # of a store that came back empty

Redo = Callable[["Switchboard", Plan, str, str, Mapping[str, Any]], Awaitable[str]]


async def do_again(runtime: Runtime, switchboard: "Switchboard", lost_from_ms: int) -> int:
    """How many changes were lost, and are there again."""
    now_ms, skew_ms = runtime.clock.now_ms(), runtime.clock.product_ms(SKEW_S)
    from_ms = max(lost_from_ms - skew_ms, now_ms - OLDEST_MS)
    async with runtime.database.read() as connection:
        rows = await audits.since(connection, _REDO.keys(), from_ms)
    plan, done = plan_of(runtime), 0
    for row in _last_of_each(rows):
        told = json.loads(row["detail"] or "{}")
        redo = _REDO[row["action"]]
        try:
            word = await redo(switchboard, plan, row["subject"], row["account_id"] or "", told)
        except (KeyError, TypeError, ValueError):
            # A row nobody can read must not keep the whole house from its live store.
            log.exception("live_change.unreadable", action=row["action"])
            continue
        done += word == "ok"
        log.info("live_change.done_again", action=row["action"], word=word)
    return done


def _last_of_each(rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """What was changed and changed back is not done again; a call's moves each build on the one before."""
    kept: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for row in rows:
        kind = row["action"].partition(".")[0]
        which = row["id"] if kind == "call" else _queue_in(row["detail"]) if kind == "agent" else ""
        key = (kind, row["subject"], which)
        kept.pop(key, None)
        kept[key] = row
    return kept.values()


def _queue_in(detail: str | None) -> str:
    """The queue an agent was lent to or taken back from; a row nobody can read stands for itself."""
    try:
        return str(json.loads(detail or "")["queue"])
    except (KeyError, TypeError, ValueError):
        return detail or ""


async def _close(board: "Switchboard", plan: Plan, queue: str, by: str, told: Mapping[str, Any]) -> str:
    if queue not in plan.queues:
        return "gone"
    return await board.close_queue(queue=queue, leads=bool(told.get("leads")), by=by)


async def _open(board: "Switchboard", _plan: Plan, queue: str, by: str, _told: Mapping[str, Any]) -> str:
    return await board.open_queue(queue=queue, by=by)


async def _lend(board: "Switchboard", plan: Plan, agent_id: str, by: str, told: Mapping[str, Any]) -> str:
    queue = plan.queues.get(told["queue"])
    if queue is None:
        return "gone"
    return await board.lend_agent(agent_id=agent_id, queue=queue.id, skills=queue.needs, by=by)


async def _take_back(
    board: "Switchboard", _plan: Plan, agent_id: str, by: str, told: Mapping[str, Any]
) -> str:
    return await board.take_back_agent(agent_id=agent_id, queue=told["queue"], by=by)


async def _move(board: "Switchboard", _plan: Plan, call_id: str, by: str, told: Mapping[str, Any]) -> str:
    return await _relane(board, call_id, by, told, is_raised=False)


async def _raise(board: "Switchboard", _plan: Plan, call_id: str, by: str, told: Mapping[str, Any]) -> str:
    return await _relane(board, call_id, by, told, is_raised=True)


async def _relane(
    board: "Switchboard", call_id: str, by: str, told: Mapping[str, Any], *, is_raised: bool
) -> str:
    lane = Lane.of_id(told["to"])
    reply = await board.relane_call(
        call_id=call_id, from_lane_id=told["from"], lane=lane, is_raised=is_raised, by=by
    )
    return reply.word


_REDO: Final[Mapping[str, Redo]] = {
    "queue.closed": _close,
    "queue.opened": _open,
    "agent.lent": _lend,
    "agent.taken_back": _take_back,
    "call.moved": _move,
    "call.raised": _raise,
}
