"""The rules of calling back: a caller who waits may hang up and keeps his place; we ring him when it comes up.

The call stays the same call with the same place. While it waits in its lane it is offered like any other; the agent
who accepts is in the conference when the customer is rung, and only a customer who presses the key is connected:
a mailbox is not. Between two tries, and outside the hours in which we call, it is *resting*: in no lane, with a
deadline that wakes it. One promise for a customer and a queue: who rings again and comes to that queue
takes over its place, and it is over. Nobody is called twice at once: of one caller's callbacks in several queues one
is tried at a time.
"""

from typing import Any, Final

from queues.domain import commands as c
from queues.domain.agents import AgentEvent
from queues.domain.calls import ASKED, FAILED, JOINED, KEPT, OPEN, Call, CallEvent, CallState, Outcome
from queues.domain.effects import EffectKind
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, about, refuse
from queues.domain.named import ref_of
from queues.domain.offers import Offer, OfferState
from queues.domain.place_rules import Place, erase_places, has_name
from queues.domain.state import State

CUSTOMER: Final = "customer:"  # before the offer's id, of a leg that rings the customer


def holder_of(caller_ref: str, queue: str) -> str:
    """The field under which a customer's one promise in a queue is found."""
    return f"{caller_ref}|{queue}"


def ask_callback(draft: Draft, command: c.AskCallback) -> Reply:
    """He may hang up now; until he has, nobody rings him."""
    call = draft.state.calls.get(command.call_id)
    if call is not None and call.callback and call.state is not CallState.ENDED:
        return about("again", call)
    is_waiting = call is not None and call.state is CallState.QUEUED and not call.talks
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
    draft.state.callbacks[holder_of(call.caller_ref, call.queue)] = call.call_id
    draft.state.deadlines[f"callback:{call.call_id}"] = draft.now_ms + command.linger_ms
    told: dict[str, Any] = {"queue": call.queue, "until_ms": call.callback_until_ms}
    draft.line(LineType.CALLBACK_ASKED, call_id=call.call_id, **told)
    return about("ok", call)


def tend_callback(draft: Draft, command: c.TendCallback) -> Reply:
    """Its deadline: into the lane, out of it because the hours are over, or to its end."""
    name, call = f"callback:{command.call_id}", draft.state.calls.get(command.call_id)
    if call is None or call.state in (CallState.ENDED, CallState.CONNECTED) or not call.callback:
        return about("gone", call)
    if draft.is_early(name):
        return about("early", call)
    if call.state not in (CallState.QUEUED, CallState.RESTING):
        draft.state.deadlines[name] = draft.now_ms + command.hold_ms
        return about("held", call)
    until_ms = call.callback_until_ms or 0
    if draft.now_ms >= until_ms or is_taken_over(draft.state, call):
        end_callback(draft, call, FAILED if draft.now_ms >= until_ms else JOINED, command.forget_ms)
        return about("over", draft.state.calls[call.call_id])
    call = draft.change_call(call, callback=OPEN)
    if command.opens_ms > draft.now_ms:
        rest_callback(draft, call, "window", min(command.opens_ms, until_ms))
        return about("resting", draft.state.calls[call.call_id])
    if call.state is CallState.RESTING:
        call = draft.change_call(call, CallEvent.WAKE)
        draft.enter_lane(call)
        draft.line(LineType.CALLBACK_WOKEN, call_id=call.call_id, queued_ms=call.queued_ms)
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
    """The place of the callback that waits for him in this queue. While he is being rung it ends by itself."""
    if not has_name(call):
        return None
    other = draft.state.calls.get(draft.state.callbacks.get(holder_of(call.caller_ref, queue), ""))
    if other is None or other.queued_ms is None:
        return None
    if other.state is CallState.CONNECTING:
        del draft.state.callbacks[holder_of(call.caller_ref, queue)]
    else:
        end_callback(draft, other, JOINED, forget_ms)
    return Place(0, other.queued_ms, other.call_id, queue)


# The customer's leg


def _is_dialled(offer: Offer, call: Call | None) -> bool:
    """This offer's agent waits in the conference for his customer, or talks to him."""
    is_under_way = call is not None and call.state in (CallState.CONNECTING, CallState.CONNECTED)
    return (
        offer.state is OfferState.ACCEPTED
        and is_under_way
        and call.offer_id == offer.offer_id  # type: ignore[union-attr]
        and bool(call.callback)  # type: ignore[union-attr]
    )


def is_other_customer_leg(offer: Offer, leg_id: str) -> bool:
    """A second one, placed because an answer was lost."""
    return bool(leg_id and offer.customer_leg_id and leg_id != offer.customer_leg_id)


def place_customer(draft: Draft, command: c.PlaceCustomer) -> Reply:
    """His phone is being rung, or was answered before anybody told that it rings."""
    offer = draft.state.offers.get(command.offer_id)
    call = draft.state.calls.get(offer.call_id) if offer else None
    draft.drop_effect(f"{EffectKind.DIAL}:{command.offer_id}")
    if offer is None or not _is_dialled(offer, call) or is_other_customer_leg(offer, command.leg_id):
        if not command.is_up:  # who lifted his phone is told so, and hears a goodbye
            draft.hang_up(command.leg_id, offer)
        return about("gone", call)
    if offer.customer_leg_id:
        return about("again", call)
    if command.leg_id:
        draft.state.legs[command.leg_id] = CUSTOMER + offer.offer_id
    draft.change_offer(offer, customer_leg_id=command.leg_id)
    draft.line(
        LineType.CALLBACK_DIALLED, call_id=offer.call_id, agent_id=offer.agent_id, offer_id=offer.offer_id
    )
    return about("ok", call)


def reach_customer(draft: Draft, command: c.ReachCustomer) -> Reply:
    """He is there himself, and has said so with the key."""
    offer = draft.state.offers.get(command.offer_id)
    call = draft.state.calls.get(offer.call_id) if offer else None
    if offer is None or call is None or is_other_customer_leg(offer, command.leg_id):
        return about("gone", call)
    if not _is_dialled(offer, call):
        return about("gone", call)
    if call.state is CallState.CONNECTED:
        return about("again", call)
    drop_promise(draft, call)
    draft.drop_effect(f"{EffectKind.DIAL}:{offer.offer_id}")
    draft.state.deadlines.pop(f"connect:{offer.offer_id}", None)
    call = draft.change_call(
        call,
        CallEvent.CONNECT,
        answered_ms=draft.now_ms,
        connected_ms=draft.now_ms,
        room=offer.offer_id,
        talks=call.talks + 1,
        callback=KEPT,
        leg_id=command.leg_id,
    )
    draft.change_agent(draft.state.agents[call.agent_id], AgentEvent.CONNECT)
    draft.state.live[call.call_id] = draft.now_ms
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": call.agent_id, "offer_id": offer.offer_id}
    if call.record == "wanted":
        draft.due(EffectKind.RECORD, call.call_id, **ids, leg_id=call.leg_id)
    if command.remembers and (ref := ref_of(call.customer_id, call.caller_ref)):
        draft.state.met[ref] = f"{draft.now_ms} {call.agent_id}"
    wait_ms = (call.callback_ms or 0) - (call.entered_ms or call.queued_ms or 0)
    told: dict[str, Any] = {"answered_ms": draft.now_ms, "wait_ms": wait_ms, "queue": call.queue}
    draft.line(LineType.CALL_CONNECTED, **ids, **told, recording=call.record, talk=call.talks)
    draft.take_turn(offer)
    return about("ok", call)


def miss_customer(draft: Draft, command: c.MissCustomer) -> Reply:
    """Nobody there, engaged, a mailbox, or our time is up: the agent is free, the customer is tried again later."""
    offer = draft.state.offers.get(command.offer_id)
    call = draft.state.calls.get(offer.call_id) if offer else None
    if offer is None or call is None or is_other_customer_leg(offer, command.leg_id):
        return about("gone", call)
    if command.why == "deadline" and draft.is_early(f"connect:{offer.offer_id}"):
        return about("early", call)
    if call.state is not CallState.CONNECTING or call.offer_id != offer.offer_id or not call.callback:
        return refuse(call)
    agent = draft.state.agents[call.agent_id]
    end_dial(draft, offer, is_agent_there=True)
    call = draft.change_call(call, tries=(call.tries or 0) + 1)
    told: dict[str, Any] = {"why": command.why, "tries": call.tries}
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": agent.agent_id, "offer_id": offer.offer_id}
    draft.line(LineType.CALLBACK_MISSED, **ids, **told)
    draft.let_go_of_customer(call)
    again_ms = draft.now_ms + command.every_ms
    if is_taken_over(draft.state, call):
        end_callback(draft, call, JOINED, command.forget_ms)
    elif (call.tries or 0) >= command.tries_max or again_ms >= (call.callback_until_ms or 0):
        end_callback(draft, call, FAILED, command.forget_ms)
    else:
        rest_callback(draft, call, "missed", again_ms)
    draft.release(agent, idle_ms=draft.now_ms)
    return about("ok", draft.state.calls[call.call_id])


def end_dial(draft: Draft, offer: Offer, *, is_agent_there: bool) -> None:
    """Both legs of a try that came to nothing."""
    draft.state.deadlines.pop(f"connect:{offer.offer_id}", None)
    draft.drop_effect(f"{EffectKind.DIAL}:{offer.offer_id}")
    draft.hang_up(offer.customer_leg_id, offer)
    if is_agent_there:
        draft.hang_up(offer.leg_id, offer)


def forget_caller(draft: Draft, command: c.ForgetCaller) -> Reply:
    """Nothing is kept under this reference any more: no place, and no promise to call."""
    ref = command.caller_ref
    kept = [call_id for field, call_id in draft.state.callbacks.items() if field.startswith(f"{ref}|")]
    for call in sorted((draft.state.calls[call_id] for call_id in kept), key=lambda call: call.arrival):
        if call.state in (CallState.QUEUED, CallState.RESTING, CallState.OFFERED):
            end_callback(draft, call, FAILED, command.forget_ms)
    is_met = draft.state.met.pop(ref, None) is not None
    is_known = is_met or ref in draft.state.places or bool(kept)
    erase_places(draft, ref)
    return ("ok" if is_known else "again",)
