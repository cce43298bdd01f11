"""The rules of entering a queue, and of being led out of it: place, ticket, lane.

A queue that is full takes no new caller. Whoever has a place already (he was put through, comes back from where his
queue led him, rings again after a lost line, or takes over his callback) is not new, and danger is never turned away.
Who has waited in vain for as long as the table of his queue says is led to a node of the menu, once in a call; he
keeps his place and has it again if he comes back to the queue.
"""

from typing import Any

from queues.domain import commands as c
from queues.domain.callback_rules import take_over
from queues.domain.calls import Call, CallEvent, CallState
from queues.domain.journal import LineType
from queues.domain.lanes import Lane
from queues.domain.moves import Draft, Reply, about, json_of, refuse
from queues.domain.place_rules import Place, take_place, tell_place


def enqueue_call(draft: Draft, command: c.EnqueueCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return refuse(call, again=tuple(CallState))
    is_first = call.queued_ms is None
    place = _place_before(draft, call, command) if is_first and command.is_open else None
    if is_first and place is None and _is_full(draft, call, command):
        return about("full", call)
    queued_ms = place.queued_ms if place else command.now_ms
    call = draft.change_call(
        _with_ticket(draft, call, command),
        CallEvent.ENQUEUE if command.is_open else CallEvent.CLOSE_OUT,
        queue=command.queue,
        first_queue=command.queue if is_first else call.first_queue,
        position=call.position if command.queue == call.queue else 0,
        told=call.told if command.queue == call.queue else "",
        matter=command.matter,
        tier=command.tier or call.tier,
        locale=command.locale or call.locale,
        is_open=command.is_open,
        lane_id=command.lane_id,
        lane=command.lane,
        queued_ms=queued_ms if is_first else call.queued_ms,
        entered_ms=command.now_ms if call.entered_ms is None else call.entered_ms,
        named=command.named,
    )
    draft.state.live[call.call_id] = command.now_ms
    call = draft.refresh_never(call)
    if command.is_open:
        draft.enter_lane(call)
    if place is not None:
        call = tell_place(draft, call, place)
    _tell_queued(draft, call, command.head_start_ms)
    return about("ok" if command.is_open else "closed", call)


def _place_before(draft: Draft, call: Call, command: c.EnqueueCall) -> Place | None:
    """Of a callback that waits for him there, or of a line he has just lost; the older of the two."""
    found = (
        take_over(draft, call, command.queue, command.forget_ms),
        take_place(draft, call, command.queue),
    )
    return min((each for each in found if each), key=lambda place: place.queued_ms, default=None)


def _with_ticket(draft: Draft, call: Call, command: c.EnqueueCall) -> Call:
    """A new one, if the matter asks for it. A call has one ticket, and keeps it: its own for good, and one that it
    was added to as long as its matter needs none of its own."""
    is_kept = bool(call.ticket_no) and (bool(call.ticket_type) or not command.own_ticket)
    if is_kept or not command.ticket_type:
        return call
    draft.state.tickets += 1
    return draft.change_call(
        call,
        ticket_no=f"T{draft.state.tickets:06d}",
        ticket_type=command.ticket_type,
        ticket_on=command.ticket_on,
        work_queue=command.work_queue,
        access_key=command.access_key,
    )


def _tell_queued(draft: Draft, call: Call, head_start_ms: int) -> None:
    draft.line(
        LineType.CALL_QUEUED,
        call_id=call.call_id,
        queue=call.queue,
        tier=call.tier,
        matter=call.matter,
        lane=call.lane_id,
        ticket_no=call.ticket_no,
        ticket_type=call.ticket_type,
        ticket_on=call.ticket_on,
        work_queue=call.work_queue,
        access_key=call.access_key,
        closed=int(not call.is_open),
        head_start_ms=head_start_ms,
        queued_ms=call.queued_ms,
        entered_ms=call.entered_ms,
        locale=call.locale,
        area=call.area,
        rules=json_of(call.lane),
        named=call.named,
        never=call.never,
    )


def _is_full(draft: Draft, call: Call, command: c.EnqueueCall) -> bool:
    """So many wait in the queue already, those included who are to be called back. Tells it."""
    if not command.is_open or not command.waiting_max or Lane.from_json(command.lane).is_safety:
        return False
    rules = draft.state.lane_rules
    lanes = (
        each for lane_id, each in draft.state.lanes.items() if _queue_of(rules[lane_id]) == command.queue
    )
    waiting = sum(map(len, lanes))
    if waiting < command.waiting_max:
        return False
    if call.turned_away != command.queue:
        draft.change_call(call, turned_away=command.queue)
        told: dict[str, Any] = {"queue": command.queue, "waiting": waiting, "max": command.waiting_max}
        draft.line(LineType.CALL_TURNED_AWAY, call_id=command.call_id, **told)
    return True


def _queue_of(rules: str) -> str:
    return Lane.from_json(rules).queue


def lead_call(draft: Draft, command: c.LeadCall) -> Reply:
    """He has waited long enough here: back to the menu, to this node of it. Not for danger, not for who was put
    through or called back, and only once."""
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.QUEUED or call.queue != command.queue:
        return refuse(call, again=(CallState.MENU,))
    if call.led or call.talks or call.callback or Lane.from_json(call.lane).is_safety:
        return refuse(call)
    draft.leave_lane(call)
    call = draft.change_call(call, CallEvent.LEAD, led=call.queue, node=command.node, step=call.step + 1)
    draft.state.live[call.call_id] = draft.now_ms
    draft.line(LineType.CALL_LED, call_id=call.call_id, node=call.node, queue=call.queue)
    return about("ok", call)
