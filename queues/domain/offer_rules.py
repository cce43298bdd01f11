"""The rules of commands about an offer: each changes a draft and replies, or replies why it does not."""

from collections.abc import Mapping
from typing import Any, Final

from queues.domain import agents
from queues.domain import commands as c
from queues.domain.agents import AgentEvent, AgentState
from queues.domain.callback_rules import is_called_already, rest_callback
from queues.domain.calls import Call, CallEvent, CallState
from queues.domain.dial_rules import call_customer
from queues.domain.effects import EffectKind
from queues.domain.journal import LineType
from queues.domain.lanes import DECLINED, MISSED, UNRUNG, Skip
from queues.domain.moves import Draft, Reply, json_of
from queues.domain.offers import OPEN, Offer, OfferEvent, OfferState, offer_id_of
from queues.domain.state import offer_facts


def _told(draft: Draft, word: str, offer_id: str) -> Reply:
    offer = draft.state.offers.get(offer_id)
    return (word, *offer_facts(offer, draft.state.calls.get(offer.call_id))) if offer else (word,)


def is_other_leg(offer: Offer, leg_id: str) -> bool:
    """A second leg, placed because an answer was lost: its news are not the offer's."""
    return bool(leg_id and offer.leg_id and leg_id != offer.leg_id)


def claim_offer(draft: Draft, command: c.ClaimOffer) -> Reply:
    call, agent = draft.state.calls.get(command.call_id), draft.state.agents.get(command.agent_id)
    if call is None or call.state is not CallState.QUEUED:
        return (f"stale:{call.state if call else CallState.ENDED}",)
    if agent is None or agent.state is not AgentState.READY:
        return (f"stale:{agent.state if agent else AgentState.SIGNED_OUT}",)
    if command.turn != draft.state.turn:
        return ("stale:turn",)
    if call.is_off_line:
        if is_called_already(draft.state, call):
            rest_callback(draft, call, "engaged", command.now_ms + command.hold_ms)
            return (f"stale:{CallState.RESTING}",)
        draft.state.dialling[call.caller_ref] = call.call_id
        if command.dial_ms:
            return call_customer(draft, call, command)
    offer_id = offer_id_of(call.call_id, call.offers + 1)
    draft.leave_lane(call)
    draft.change_call(
        call, CallEvent.OFFER, offers=call.offers + 1, offer_id=offer_id, agent_id=command.agent_id
    )
    draft.state.ready.pop(agent.agent_id)
    draft.change_agent(agent, AgentEvent.OFFER, call_id=call.call_id, offer_id=offer_id)
    draft.state.offers[offer_id] = Offer(
        offer_id=offer_id,
        call_id=call.call_id,
        agent_id=agent.agent_id,
        state=OfferState.CLAIMED,
        claimed_ms=command.now_ms,
        is_turn=command.is_turn,
        why=command.why,
    )
    draft.state.turn += 1
    draft.state.deadlines[f"offer:{offer_id}"] = command.now_ms + command.place_ms
    effect = draft.due(
        EffectKind.RING,
        offer_id,
        due_ms=command.now_ms + command.lease_ms,
        attempt=1,
        call_id=call.call_id,
        offer_id=offer_id,
        agent_id=agent.agent_id,
        to=agent.endpoint,
        line=call.line,
    )
    told = {"why": json_of(command.why)}
    draft.line(
        LineType.CALL_OFFERED, call_id=call.call_id, agent_id=agent.agent_id, offer_id=offer_id, **told
    )
    return ("ok", offer_id, effect.effect_id, effect.to_json())


def ring_offer(draft: Draft, command: c.RingOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is None:
        draft.hang_up(command.leg_id)
        return ("gone",)
    draft.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
    is_over = offer.state not in OPEN and offer.state is not OfferState.ACCEPTED
    if is_over or is_other_leg(offer, command.leg_id):
        draft.hang_up(command.leg_id, offer)
        return _told(draft, "gone", command.offer_id)
    if offer.leg_id:
        return _told(draft, "again", command.offer_id)
    draft.change_offer(offer, leg_id=command.leg_id)
    return _told(draft, "ok", command.offer_id)


def ringing(draft: Draft, command: c.Ringing) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is None or is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    if offer.state is not OfferState.CLAIMED:
        is_alive = offer.state in OPEN or offer.state is OfferState.ACCEPTED
        return _told(draft, "again" if is_alive else "gone", command.offer_id)
    draft.change_offer(
        offer, OfferEvent.RING, leg_id=offer.leg_id or command.leg_id, ringing_ms=command.now_ms
    )
    draft.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
    draft.state.deadlines[f"offer:{offer.offer_id}"] = command.now_ms + command.ring_ms
    draft.line(
        LineType.OFFER_RINGING, call_id=offer.call_id, agent_id=offer.agent_id, offer_id=offer.offer_id
    )
    return _told(draft, "ok", command.offer_id)


def answer_offer(draft: Draft, command: c.AnswerOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is None or is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    if offer.state in (OfferState.ANSWERED, OfferState.ACCEPTED):
        return _told(draft, "again", command.offer_id)
    if offer.state not in OPEN:
        return _told(draft, "gone", command.offer_id)
    draft.change_offer(
        offer, OfferEvent.ANSWER, leg_id=offer.leg_id or command.leg_id, answered_ms=command.now_ms
    )
    draft.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
    draft.state.deadlines[f"offer:{offer.offer_id}"] = command.now_ms + command.whisper_ms
    draft.line(
        LineType.OFFER_ANSWERED, call_id=offer.call_id, agent_id=offer.agent_id, offer_id=offer.offer_id
    )
    return _told(draft, "ok", command.offer_id)


def accept_offer(draft: Draft, command: c.AcceptOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is None or is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    call = draft.state.calls.get(offer.call_id)
    if offer.state not in OPEN or call is None:
        return _told(draft, "again" if _is_his(offer, call) else "gone", command.offer_id)
    draft.change_offer(
        offer, OfferEvent.ACCEPT, leg_id=offer.leg_id or command.leg_id, ended_ms=command.now_ms
    )
    draft.change_agent(draft.state.agents[offer.agent_id], AgentEvent.ACCEPT, missed=0)
    draft.state.deadlines.pop(f"offer:{offer.offer_id}", None)
    if offer.asked_by:
        draft.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
        ids = {"call_id": offer.call_id, "agent_id": offer.agent_id, "offer_id": offer.offer_id}
        draft.line(LineType.OFFER_ACCEPTED, **ids)
        return _told(draft, "ok", command.offer_id)
    draft.change_call(call, CallEvent.ACCEPT)
    within_ms = command.dial_ms if call.is_off_line else command.connect_ms
    draft.state.deadlines[f"connect:{offer.offer_id}"] = command.now_ms + within_ms
    draft.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
    about: dict[str, Any] = {"call_id": offer.call_id, "agent_id": offer.agent_id, "offer_id": offer.offer_id}
    draft.due(
        EffectKind.DIAL if call.is_off_line else EffectKind.PULL,
        offer.offer_id,
        **about,
        leg_id=call.leg_id,
        line=call.line if call.is_off_line else "",
    )
    draft.line(LineType.OFFER_ACCEPTED, **about)
    draft.line(LineType.CALL_CONNECTING, **about)
    return _told(draft, "ok", command.offer_id)


def _is_his(offer: Offer, call: Call | None) -> bool:
    """Accepted, and the call is still with him."""
    if call is not None and call.consult_id == offer.offer_id:
        return offer.state is OfferState.ACCEPTED
    is_under_way = call is not None and call.state in (CallState.CONNECTING, CallState.CONNECTED)
    return offer.state is OfferState.ACCEPTED and is_under_way and call.offer_id == offer.offer_id  # type: ignore[union-attr]


def _refuse_end(draft: Draft, offer: Offer | None, offer_id: str, done: OfferState) -> Reply:
    """What an offer's second end hears."""
    if offer is None:
        return ("gone",)
    if offer.state is done:
        return _told(draft, "again", offer_id)
    is_alive = offer.state in OPEN or offer.state is OfferState.ACCEPTED
    return _told(draft, f"stale:{offer.state}" if is_alive else "gone", offer_id)


def decline_offer(draft: Draft, command: c.DeclineOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is not None and is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    if offer is None or offer.state not in OPEN:
        return _refuse_end(draft, offer, command.offer_id, OfferState.DECLINED)
    draft.take_turn(offer)
    call = draft.end_offer(offer, OfferEvent.DECLINE, LineType.OFFER_DECLINED)
    draft.requeue(call, DECLINED, Skip(command.now_ms + command.skip_ms, DECLINED, offer.agent_id))
    draft.release(draft.state.agents[offer.agent_id], idle_ms=command.now_ms)
    return _told(draft, "ok", command.offer_id)


# Whose word counts in which state: the provider's before the answer, a deadline's after the ring.
_EXPIRES: Final[Mapping[str, frozenset[OfferState]]] = {
    "provider": frozenset({OfferState.CLAIMED, OfferState.RINGING}),
    "deadline": frozenset({OfferState.RINGING, OfferState.ANSWERED}),
}


def expire_offer(draft: Draft, command: c.ExpireOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is not None and is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    if command.by == "deadline" and draft.is_early(f"offer:{command.offer_id}"):
        return _told(draft, "early", command.offer_id)
    if offer is None or offer.state not in _EXPIRES[command.by]:
        return _refuse_end(draft, offer, command.offer_id, OfferState.EXPIRED)
    draft.take_turn(offer)
    call = draft.end_offer(offer, OfferEvent.EXPIRE, LineType.OFFER_EXPIRED, by=command.by)
    draft.requeue(call, MISSED, Skip(command.now_ms + command.skip_ms, MISSED, offer.agent_id))
    agent = draft.state.agents[offer.agent_id]
    missed = agent.missed + 1
    is_away = missed >= command.missed_max
    agent = draft.change_agent(agent, missed=0 if is_away else missed)
    draft.release(agent, idle_ms=command.now_ms, rest=agents.MISSED if is_away else "")
    return _told(draft, "ok", command.offer_id)


def unring_offer(draft: Draft, command: c.UnringOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is not None and is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    if offer is None or offer.state not in (OfferState.CLAIMED, OfferState.RINGING):
        return _refuse_end(draft, offer, command.offer_id, OfferState.UNRUNG)
    call = draft.end_offer(offer, OfferEvent.UNRING, LineType.OFFER_UNRUNG)
    draft.requeue(call, UNRUNG, Skip(command.now_ms + command.skip_ms, UNRUNG, offer.agent_id))
    draft.release(draft.state.agents[offer.agent_id], idle_ms=command.now_ms)
    return _told(draft, "ok", command.offer_id)
