"""The rule of ringing somebody back who gave up: a callback that nobody asked for, begun by an agent for himself.

It is a callback like any other: agents and customer meet as `callback_rules` says, one promise for a customer and a
queue, and nobody is called twice at once. It outranks nobody: its place is the instant at which it was begun.
"""

from typing import Any

from queues.domain import commands as c
from queues.domain.callback_rules import holder_of
from queues.domain.calls import OPEN, CallEvent, CallState
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, about, json_of, refuse
from queues.domain.place_rules import has_name


def ring_back(draft: Draft, command: c.RingBack) -> Reply:
    """Nobody is on the line of this call, which has just been made for it: it waits for its agent."""
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return refuse(call, again=tuple(CallState))
    if not call.number or not has_name(call):
        return about("nameless", call)
    holder = holder_of(call.caller_ref, command.queue)
    if holder in draft.state.callbacks or call.caller_ref in draft.state.dialling:
        return about("promised", call)
    until_ms = draft.now_ms + command.expires_ms
    call = draft.change_call(
        call,
        CallEvent.ENQUEUE,
        queue=command.queue,
        first_queue=command.queue,
        matter=command.matter,
        tier=command.tier,
        locale=command.locale,
        lane_id=command.lane_id,
        lane=command.lane,
        named=command.named,
        queued_ms=draft.now_ms,
        entered_ms=draft.now_ms,
        record="",
        callback=OPEN,
        callback_ms=draft.now_ms,
        callback_until_ms=until_ms,
        tries=0,
    )
    draft.state.live.pop(call.call_id, None)
    draft.state.callbacks[holder] = call.call_id
    draft.state.deadlines[f"callback:{call.call_id}"] = until_ms
    draft.enter_lane(call)
    told: dict[str, Any] = {"queue": call.queue, "tier": call.tier, "matter": call.matter}
    lane: dict[str, Any] = {"lane": call.lane_id, "head_start_ms": command.head_start_ms}
    place: dict[str, Any] = {"queued_ms": call.queued_ms, "entered_ms": call.entered_ms}
    draft.line(
        LineType.CALL_QUEUED,
        call_id=call.call_id,
        **told,
        **lane,
        **place,
        closed=0,
        locale=call.locale,
        area=call.area,
        rules=json_of(call.lane),
        named=call.named,
        never=call.never,
    )
    begun: dict[str, Any] = {"queue": call.queue, "until_ms": until_ms}
    draft.line(LineType.CALLBACK_BEGUN, call_id=call.call_id, agent_id=command.agent_id, **begun)
    return about("ok", call)
