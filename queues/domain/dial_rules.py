"""The rules of the customer's leg: we ring whom we promised to call back, and only a person who presses the key counts.

By the site's rule the agent is there first, in the conference, when the customer is rung; or the customer is: an agent
who may take him is free, nobody is held for him, he is rung (*calling*), and once he has pressed the key he stands in
his lane at his own key, on the line, and is offered and pulled like any other caller. Silence, a mailbox, no answer,
busy and our own deadline are one event, and so is the customer who hangs up before an agent has come: a try. If no
leg was ever placed, because nobody was there to do it, the deadline is no try: his turn is looked at again at once.

Each try is an offer of its own, whose `customer_leg_id` is the leg that rings; news of any other leg change nothing.
When the customer is first that offer has no agent.
"""

from typing import Any, Final

from queues.domain import commands as c
from queues.domain.agents import AgentEvent
from queues.domain.callback_rules import (
    drop_promise,
    end_callback,
    how_it_ends,
    is_taken_over,
    rest_callback,
)
from queues.domain.calls import FAILED, KEPT, Call, CallEvent, CallState
from queues.domain.effects import EffectKind
from queues.domain.journal import LineType
from queues.domain.moves import Draft, Reply, about, json_of, refuse
from queues.domain.named import ref_of
from queues.domain.offers import Offer, OfferState, offer_id_of
from queues.domain.state import State

CUSTOMER: Final = "customer:"  # before the offer's id, of a leg that rings the customer
LEFT: Final = "left"  # he hung up while he waited for an agent
UNRUNG: Final = "unrung"  # no phone of his has rung: that is no try
MISSES: Final = ("unanswered", "unreached", "no_key", "deadline", LEFT, UNRUNG)  # why a try came to nothing


def call_customer(draft: Draft, call: Call, command: c.ClaimOffer) -> Reply:
    """An agent is free for him: he is rung, and nobody is held."""
    offer_id = offer_id_of(call.call_id, call.offers + 1)
    draft.leave_lane(call)
    draft.change_call(call, CallEvent.CALL, offers=call.offers + 1, offer_id=offer_id)
    draft.state.offers[offer_id] = Offer(
        offer_id=offer_id,
        call_id=call.call_id,
        agent_id="",
        state=OfferState.ACCEPTED,
        claimed_ms=draft.now_ms,
        why=command.why,
    )
    draft.state.turn += 1
    draft.state.deadlines[f"connect:{offer_id}"] = draft.now_ms + command.dial_ms
    draft.due(EffectKind.DIAL, offer_id, call_id=call.call_id, offer_id=offer_id, line=call.line)
    draft.line(LineType.CALLBACK_CALLED, call_id=call.call_id, offer_id=offer_id, why=json_of(command.why))
    return ("called", offer_id)


def _is_dialled(offer: Offer, call: Call | None) -> bool:
    """He is being rung for this offer; or talks to its agent, who was there before him."""
    if call is None or offer.state is not OfferState.ACCEPTED or call.offer_id != offer.offer_id:
        return False
    if call.state is CallState.CALLING:
        return True
    return call.state in (CallState.CONNECTING, CallState.CONNECTED) and bool(call.callback)


def _is_on(call: Call | None, leg_id: str) -> bool:
    """This is the leg on which he waits or talks."""
    return call is not None and bool(leg_id) and call.leg_id == leg_id and call.state is not CallState.ENDED


def is_other_customer_leg(offer: Offer, leg_id: str) -> bool:
    """A second one, placed because an answer was lost."""
    return bool(leg_id and offer.customer_leg_id and leg_id != offer.customer_leg_id)


def place_customer(draft: Draft, command: c.PlaceCustomer) -> Reply:
    """His phone is being rung, or was answered before anybody told that it rings."""
    offer = draft.state.offers.get(command.offer_id)
    call = draft.state.calls.get(offer.call_id) if offer else None
    draft.drop_effect(f"{EffectKind.DIAL}:{command.offer_id}")
    if _is_on(call, command.leg_id):
        return about("again", call)
    if offer is None or not _is_dialled(offer, call) or is_other_customer_leg(offer, command.leg_id):
        if not command.is_up:  # who lifted his phone is told so, and hears a goodbye
            draft.hang_up(command.leg_id, offer)
        return about("gone", call)
    if offer.customer_leg_id:
        return about("again", call)
    _bind(draft, offer, command.leg_id)
    draft.line(
        LineType.CALLBACK_DIALLED, call_id=offer.call_id, agent_id=offer.agent_id, offer_id=offer.offer_id
    )
    return about("ok", call)


def _bind(draft: Draft, offer: Offer, leg_id: str) -> None:
    if leg_id:
        draft.state.legs[leg_id] = CUSTOMER + offer.offer_id
        draft.change_offer(offer, customer_leg_id=leg_id)


def reach_customer(draft: Draft, command: c.ReachCustomer) -> Reply:
    """He is there himself, and has said so with the key: to the agent who waits for him, or to his place."""
    offer = draft.state.offers.get(command.offer_id)
    call = draft.state.calls.get(offer.call_id) if offer else None
    if _is_on(call, command.leg_id):
        return about("again", call)
    if offer is None or call is None or is_other_customer_leg(offer, command.leg_id) or not command.leg_id:
        return about("gone", call)
    if not _is_dialled(offer, call) or call.state is CallState.CONNECTED:
        return about("gone", call)
    _bind(draft, offer, command.leg_id)
    draft.drop_effect(f"{EffectKind.DIAL}:{offer.offer_id}")
    draft.state.deadlines.pop(f"connect:{offer.offer_id}", None)
    draft.state.live[call.call_id] = draft.now_ms
    if call.state is CallState.CALLING:
        call = draft.change_call(call, CallEvent.REQUEUE, offer_id="", leg_id=command.leg_id)
        call = draft.refresh_never(call)
        draft.enter_lane(call)
        draft.line(
            LineType.CALLBACK_REACHED,
            call_id=call.call_id,
            offer_id=offer.offer_id,
            queued_ms=call.queued_ms,
            never=call.never,
        )
        return about("ok", call)
    return about("ok", _meet(draft, call, offer, command))


def _meet(draft: Draft, call: Call, offer: Offer, command: c.ReachCustomer) -> Call:
    """The agent of this offer is there already."""
    drop_promise(draft, call)
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
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": call.agent_id, "offer_id": offer.offer_id}
    if call.record == "wanted":
        draft.due(EffectKind.RECORD, call.call_id, **ids, leg_id=call.leg_id)
    if command.remembers and (ref := ref_of(call.customer_id, call.caller_ref)):
        draft.state.met[ref] = f"{draft.now_ms} {call.agent_id}"
    told: dict[str, Any] = {"answered_ms": draft.now_ms, "wait_ms": own_wait_ms(call), "queue": call.queue}
    draft.line(LineType.CALL_CONNECTED, **ids, **told, recording=call.record, talk=call.talks)
    draft.take_turn(offer)
    return call


def own_wait_ms(call: Call) -> int:
    """How long he waited before he asked to be called back."""
    return (call.callback_ms or 0) - (call.entered_ms or call.queued_ms or 0)


def miss_customer(draft: Draft, command: c.MissCustomer) -> Reply:
    """Nobody there, engaged, a mailbox, our time is up, or he has gone again: the agent is free, he is tried later."""
    offer = _offer_of(draft.state, command)
    call = draft.state.calls.get(offer.call_id) if offer else None
    if offer is None or call is None or is_other_customer_leg(offer, command.leg_id):
        return about("gone", call)
    if command.why == "deadline" and draft.is_early(f"connect:{offer.offer_id}"):
        return about("early", call)
    has_waited = call.has_promise and _is_on(call, command.leg_id)
    if not has_waited and (not _is_dialled(offer, call) or call.state is CallState.CONNECTED):
        return refuse(call)
    agent_id, held_by = call.agent_id, draft.state.offers.get(call.offer_id, offer)
    if has_waited:
        call = _leave_line(draft, call)
    else:
        end_dial(draft, offer, is_agent_there=True)
    is_try = command.why != "deadline" or bool(offer.customer_leg_id)
    call = draft.change_call(call, tries=(call.tries or 0) + int(is_try))
    why = LEFT if has_waited else command.why if is_try else UNRUNG
    told: dict[str, Any] = {"why": why, "tries": call.tries}
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": agent_id, "offer_id": held_by.offer_id}
    draft.line(LineType.CALLBACK_MISSED, **ids, **told)
    draft.let_go_of_customer(call)
    again_ms = draft.now_ms + (command.every_ms if is_try else 0)
    if is_taken_over(draft.state, call):
        end_callback(draft, call, how_it_ends(draft, call), command.forget_ms)
    elif (call.tries or 0) >= command.tries_max or again_ms >= (call.callback_until_ms or 0):
        end_callback(draft, call, FAILED, command.forget_ms)
    else:
        rest_callback(draft, call, "missed", again_ms)
    if agent_id:
        # Whose caller has left is not to blame: his idle time runs on.
        draft.release(draft.state.agents[agent_id], idle_ms=None if has_waited else draft.now_ms)
    return about("ok", draft.state.calls[call.call_id])


def _offer_of(state: State, command: c.MissCustomer) -> Offer | None:
    bound = state.legs.get(command.leg_id, "")
    named = bound.removeprefix(CUSTOMER) if bound.startswith(CUSTOMER) else ""
    return state.offers.get(command.offer_id or named)


def _leave_line(draft: Draft, call: Call) -> Call:
    """Away from the line on which he waited, and from the agent who was about to take him."""
    if call.state is CallState.QUEUED:
        draft.leave_lane(call)
    elif call.state is CallState.OFFERED:
        call = draft.withdraw_offer(draft.state.offers[call.offer_id], LEFT)
    else:
        draft.end_agent_leg(call, is_there=True)
    draft.state.live.pop(call.call_id, None)
    return draft.change_call(call, CallEvent.REST, offer_id="", agent_id="", leg_id="")


def end_dial(draft: Draft, offer: Offer, *, is_agent_there: bool) -> None:
    """Both legs of a try that came to nothing."""
    draft.state.deadlines.pop(f"connect:{offer.offer_id}", None)
    draft.drop_effect(f"{EffectKind.DIAL}:{offer.offer_id}")
    draft.hang_up(offer.customer_leg_id, offer)
    if is_agent_there:
        draft.hang_up(offer.leg_id, offer)
