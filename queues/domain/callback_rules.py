"""The rules of calling back: a caller who waits may hang up and keeps his place; we ring him when it comes up.

The call stays the same call with the same place. Between two tries, outside the hours in which we call, and while a
supervisor has closed its queue for those who wait, it is *resting*: in no lane, with a deadline that wakes it. In its
lane it is offered like any other, or makes that the customer is rung first (see `dial_rules`). One promise for a
customer and a queue: who rings again and comes to that queue takes over its place, and it is over. Nobody is called
twice at once: of one caller's callbacks in several queues one is tried at a time.
"""

from typing import Any

from queues.domain import commands as c
from queues.domain.calls import ASKED, FAILED, JOINED, OPEN, Call, CallEvent, CallState, Outcome
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, about, refuse
from queues.domain.place_rules import Place, erase_places, has_name
from queues.domain.state import State, leads_out

# Nobody rings him, and no agent waits for him.
IDLE = (CallState.QUEUED, CallState.RESTING, CallState.OFFERED)


def holder_of(caller_ref: str, queue: str) -> str:
    """The field under which a customer's one promise in a queue is found."""
    return f"{caller_ref}|{queue}"


def ask_callback(draft: Draft, command: c.AskCallback) -> Reply:
    """He may hang up now; until he has, nobody rings him."""
    call = draft.state.calls.get(command.call_id)
    if call is not None and call.is_off_line and call.state is not CallState.ENDED:
        return about("again", call)
    is_waiting = call is not None and call.state is CallState.QUEUED and not call.talks and not call.callback
    if call is None or not is_waiting or not call.number or not has_name(call):
        return refuse(call)
    draft.leave_lane(call)
    call = draft.change_call(
        call,
        CallEvent.REST,
        callback=ASKED,
        callback_ms=draft.now_ms,
        callback_until_ms=draft.now_ms + command.expires_ms,
        tries=0,
    )
    draft.state.live.pop(call.call_id, None)
    _hold_promise(draft, call, command.forget_ms)
    draft.state.deadlines[f"callback:{call.call_id}"] = draft.now_ms + command.linger_ms
    told: dict[str, Any] = {"queue": call.queue, "until_ms": call.callback_until_ms}
    draft.line(LineType.CALLBACK_ASKED, call_id=call.call_id, **told)
    return about("ok", call)


def _hold_promise(draft: Draft, call: Call, forget_ms: int) -> None:
    """One for a customer and a queue, and the older place holds it: the other ends as joined. Whoever is rung this
    moment, or is on the line, keeps it as well."""
    holder = holder_of(call.caller_ref, call.queue)
    other = draft.state.calls.get(draft.state.callbacks.get(holder, ""))
    if other is not None:
        is_younger = (call.queued_ms or 0, call.arrival) > (other.queued_ms or 0, other.arrival)
        if is_younger or not is_idle(other):
            return
        end_callback(draft, other, JOINED, forget_ms)
    draft.state.callbacks[holder] = call.call_id


def is_idle(call: Call) -> bool:
    """Nobody rings him for this callback, and he is not on the line."""
    return call.state in IDLE and not call.leg_id


def tend_callback(draft: Draft, command: c.TendCallback) -> Reply:
    """Its deadline: into the lane, out of it because the hours are over, or to its end."""
    name, call = f"callback:{command.call_id}", draft.state.calls.get(command.call_id)
    if call is None or call.state is CallState.ENDED or not call.has_promise:
        return about("gone", call)
    if draft.is_early(name):
        return about("early", call)
    if call.state not in (CallState.QUEUED, CallState.RESTING) or call.leg_id:
        draft.state.deadlines[name] = draft.now_ms + command.hold_ms
        return about("held", call)
    until_ms = call.callback_until_ms or 0
    if draft.now_ms >= until_ms or is_taken_over(draft.state, call):
        end_callback(draft, call, how_it_ends(draft, call), command.forget_ms)
        return about("over", draft.state.calls[call.call_id])
    call = draft.change_call(call, callback=OPEN)
    if leads_out(draft.state, call.queue):
        rest_callback(draft, call, "closed", until_ms)
        return about("resting", draft.state.calls[call.call_id])
    if command.opens_ms > draft.now_ms:
        rest_callback(draft, call, "window", min(command.opens_ms, until_ms))
        return about("resting", draft.state.calls[call.call_id])
    if call.state is CallState.RESTING:
        call = draft.refresh_never(draft.change_call(call, CallEvent.WAKE))
        draft.enter_lane(call)
        told: dict[str, Any] = {"queued_ms": call.queued_ms, "never": call.never}
        draft.line(LineType.CALLBACK_WOKEN, call_id=call.call_id, **told)
    draft.state.deadlines[name] = min(command.closes_ms or until_ms, until_ms)
    return about("ok", call)


def rest_callback(draft: Draft, call: Call, why: str, until_ms: int) -> None:
    """Out of its lane until then, with its place."""
    if call.state is CallState.QUEUED:
        draft.leave_lane(call)
    if call.state is not CallState.RESTING:
        call = draft.change_call(call, CallEvent.REST, offer_id="", agent_id="")
    draft.state.deadlines[f"callback:{call.call_id}"] = until_ms
    draft.line(LineType.CALLBACK_RESTED, call_id=call.call_id, why=why, until_ms=until_ms)


def is_taken_over(state: State, call: Call) -> bool:
    """He has rung again, or asked again: the promise is another call's."""
    return state.callbacks.get(holder_of(call.caller_ref, call.queue)) != call.call_id


def how_it_ends(draft: Draft, call: Call) -> str:
    """Of a promise that is no more: its time is up, or he has rung again."""
    return FAILED if draft.now_ms >= (call.callback_until_ms or 0) else JOINED


def rest_closed(draft: Draft, queue: str) -> None:
    """Its supervisor leads those who wait out of this queue: nobody is called back to it meanwhile."""
    for call in _promised_in(draft.state, queue):
        if call.state is CallState.QUEUED and not call.leg_id:
            rest_callback(draft, call, "closed", call.callback_until_ms or 0)


def wake_closed(draft: Draft, queue: str) -> None:
    """It takes them again: whoever rests until his promise ends is looked at now."""
    for call in _promised_in(draft.state, queue):
        name = f"callback:{call.call_id}"
        if call.state is CallState.RESTING and draft.state.deadlines[name] == call.callback_until_ms:
            draft.state.deadlines[name] = draft.now_ms


def _promised_in(state: State, queue: str) -> list[Call]:
    promised = (state.calls[call_id] for call_id in state.callbacks.values())
    return sorted((call for call in promised if call.queue == queue), key=lambda call: call.arrival)


def is_called_already(state: State, call: Call) -> bool:
    """Another of his callbacks is being tried, or he talks in it."""
    return state.dialling.get(call.caller_ref, call.call_id) != call.call_id


def move_promise(draft: Draft, call: Call, queue: str) -> bool:
    """To the queue to which its call is moved; False: there he has another promise, and keeps both where they are."""
    there = holder_of(call.caller_ref, queue)
    if there in draft.state.callbacks:
        return False
    if not is_taken_over(draft.state, call):
        del draft.state.callbacks[holder_of(call.caller_ref, call.queue)]
        draft.state.callbacks[there] = call.call_id
    return True


def drop_promise(draft: Draft, call: Call) -> None:
    """Nothing of the promise is left outside of the call."""
    if not is_taken_over(draft.state, call):
        del draft.state.callbacks[holder_of(call.caller_ref, call.queue)]
    draft.state.deadlines.pop(f"callback:{call.call_id}", None)


def forget_promise(draft: Draft, call: Call) -> None:
    """His reference leaves everything that is kept under it."""
    if call.callback and not is_taken_over(draft.state, call):
        del draft.state.callbacks[holder_of(call.caller_ref, call.queue)]
    if call.has_promise and call.state is not CallState.ENDED:  # this try is the last
        call = draft.change_call(call, callback_until_ms=draft.now_ms)
    draft.let_go_of_customer(call)


def end_callback(draft: Draft, call: Call, how: str, forget_ms: int) -> None:
    """The promise is over while nobody talks."""
    if call.state is CallState.QUEUED:
        draft.leave_lane(call)
    elif call.state is CallState.OFFERED:
        draft.withdraw_offer(draft.state.offers[call.offer_id], how)
        draft.release(draft.state.agents[call.agent_id])
    drop_promise(draft, call)
    draft.let_go_of_customer(call)
    draft.change_call(
        draft.state.calls[call.call_id],
        CallEvent.END,
        outcome=str(Outcome.CALLBACK),
        callback=how,
        offer_id="",
        agent_id="",
        ended_ms=draft.now_ms,
        ended_by="system",
    )
    draft.state.live.pop(call.call_id, None)
    draft.state.deadlines[f"forget:{call.call_id}"] = draft.now_ms + forget_ms
    told: dict[str, Any] = {"outcome": str(Outcome.CALLBACK), "by": "system", "ended_ms": draft.now_ms}
    draft.line(LineType.CALL_ENDED, call_id=call.call_id, **told, callback=how, tries=call.tries or 0)


def take_over(draft: Draft, call: Call, queue: str, forget_ms: int) -> Place | None:
    """The place of the callback that waits for him in this queue. While we ring him, or he is on that line, it ends
    by itself."""
    if not has_name(call):
        return None
    other = draft.state.calls.get(draft.state.callbacks.get(holder_of(call.caller_ref, queue), ""))
    if other is None or other.queued_ms is None:
        return None
    if not is_idle(other):
        del draft.state.callbacks[holder_of(call.caller_ref, queue)]
    else:
        end_callback(draft, other, JOINED, forget_ms)
    return Place(0, other.queued_ms, other.call_id, queue)


def forget_caller(draft: Draft, command: c.ForgetCaller) -> Reply:
    """Nothing is kept under this reference any more: no place, and no promise to call."""
    ref = command.caller_ref
    kept = [call_id for field, call_id in draft.state.callbacks.items() if field.startswith(f"{ref}|")]
    for call in sorted((draft.state.calls[call_id] for call_id in kept), key=lambda call: call.arrival):
        if is_idle(call):
            end_callback(draft, call, FAILED, command.forget_ms)
        else:
            is_rung = draft.state.dialling.get(ref) == call.call_id
            forget_promise(draft, call)
            if is_rung:  # he counts no more as one who is rung: decisions follow from it
                draft.line(LineType.CALLBACK_FORGOTTEN, call_id=call.call_id)
    is_met = draft.state.met.pop(ref, None) is not None
    is_known = is_met or ref in draft.state.places or bool(kept)
    erase_places(draft, ref)
    return ("ok" if is_known else "again",)
