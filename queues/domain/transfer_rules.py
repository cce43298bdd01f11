"""The rules of commands that put a caller through, or on hold: each changes a draft and replies, or why it does not.

What must hold: the caller keeps his place, his tier and his matter; he is with one agent at any moment; a colleague
who is asked about him is reserved like for a call of his own; and who hands him over has his wrap-up.
"""

from typing import Any

from queues.domain import commands as c
from queues.domain.agents import AgentEvent, AgentState
from queues.domain.calls import Call, CallEvent, CallState
from queues.domain.effects import EffectKind
from queues.domain.journal import LineType
from queues.domain.lanes import TRANSFERRED, Lane, Skip, with_skip
from queues.domain.moves import Draft, Reply, about, json_of, refuse
from queues.domain.named import parse_never
from queues.domain.offers import OPEN, Offer, OfferState, offer_id_of


def transfer_call(draft: Draft, command: c.TransferCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _talks_with(call, command.agent_id):
        return _refuse(draft, call, command.agent_id)
    call = draft.drop_consult(call, "transferred")
    draft.end_agent_leg(call, is_there=True)
    skip = Skip(command.now_ms + command.skip_ms, TRANSFERRED, command.agent_id)
    changed: dict[str, Any] = {
        "queue": command.queue,
        "lane_id": command.lane_id,
        "lane": command.lane,
        "named": command.named,
        "skips": with_skip(call.skips, skip, command.now_ms),
    }
    call = _wait_again(draft, draft.change_call(call, **changed), call, "passed")
    draft.start_wrap_up(draft.state.agents[command.agent_id], command.wrap_up_ms)
    return about("ok", call)


def keep_held(draft: Draft, call: Call, wrap_up_ms: int, connect_ms: int) -> Call:
    """The agent's line is down while he holds: to the colleague who is there, unless by now those two may not meet;
    else back to his place."""
    agent, call = draft.state.agents[call.agent_id], draft.refresh_never(call)
    if _is_asked(draft, call) and draft.state.offers[call.consult_id].agent_id not in parse_never(call.never):
        _hand_over(draft, call, connect_ms, is_there=False)
    else:
        call = draft.drop_consult(call, "ended")
        draft.end_agent_leg(call, is_there=False)
        _wait_again(draft, call, call, "agent_gone")
    draft.start_wrap_up(agent, wrap_up_ms)
    return draft.state.calls[call.call_id]


def _wait_again(draft: Draft, call: Call, before: Call, why: str) -> Call:
    """Among the waiting, at the place he has."""
    call = draft.change_call(
        call,
        CallEvent.TRANSFER,
        offer_id="",
        agent_id="",
        room="",
        position=0,
        told=call.told if call.queue == before.queue else "",
        held_ms=None,
        connected_ms=None,
        waits_ms=draft.now_ms,
    )
    draft.state.live[call.call_id] = draft.now_ms
    call = draft.refresh_never(call)
    draft.enter_lane(call)
    draft.line(
        LineType.CALL_TRANSFERRED,
        call_id=call.call_id,
        agent_id=before.agent_id,
        offer_id=before.offer_id,
        queue=call.queue,
        tier=call.tier,
        matter=call.matter,
        lane=call.lane_id,
        head_start_ms=Lane.from_json(call.lane).head_start_ms,
        queued_ms=call.queued_ms,
        named=call.named,
        never=call.never,
        why=why,
        skips=call.skips,
        rules=json_of(call.lane),
    )
    return call


def hold_call(draft: Draft, command: c.HoldCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _talks_with(call, command.agent_id):
        return refuse(call)
    if (call.held_ms is not None) == command.is_held:
        return about("again", call)
    if not command.is_held:
        call = draft.drop_consult(call, "back")
    return about("ok", _hold(draft, call, is_held=command.is_held))


def _hold(draft: Draft, call: Call, *, is_held: bool) -> Call:
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": call.agent_id, "offer_id": call.offer_id}
    call = draft.change_call(call, held_ms=draft.now_ms if is_held else None, holds=call.holds + 1)
    draft.due(EffectKind.HOLD, f"{call.call_id}-{call.holds}", **ids)
    draft.line(LineType.CALL_HELD if is_held else LineType.CALL_RETRIEVED, **ids)
    return call


def consult_agent(draft: Draft, command: c.ConsultAgent) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _talks_with(call, command.agent_id):
        return refuse(call)
    if call.consult_id:
        is_same = draft.state.offers[call.consult_id].agent_id == command.colleague_id
        return about("again" if is_same else "stale:consulting", call)
    call = draft.refresh_never(call)
    if command.colleague_id in parse_never(call.never):
        return about("never", call)
    colleague = draft.state.agents.get(command.colleague_id)
    if colleague is None or colleague.state is not AgentState.READY:
        return about(f"stale:{colleague.state if colleague else AgentState.SIGNED_OUT}", call)
    if call.held_ms is None:
        call = _hold(draft, call, is_held=True)
    offer_id = offer_id_of(call.call_id, call.offers + 1)
    ids: dict[str, Any] = {
        "call_id": call.call_id, "agent_id": colleague.agent_id, "offer_id": offer_id,
    }  # fmt: skip
    call = draft.change_call(call, offers=call.offers + 1, consult_id=offer_id)
    draft.state.ready.pop(colleague.agent_id)
    draft.change_agent(colleague, AgentEvent.OFFER, call_id=call.call_id, offer_id=offer_id)
    draft.state.turn += 1
    draft.state.offers[offer_id] = Offer(
        **ids, state=OfferState.CLAIMED, claimed_ms=command.now_ms, why="{}", asked_by=command.agent_id
    )
    draft.state.deadlines[f"offer:{offer_id}"] = command.now_ms + command.place_ms
    draft.due(EffectKind.RING, offer_id, **ids, to=colleague.endpoint, line=call.line)
    draft.line(LineType.CALL_CONSULTED, **ids, asked_by=command.agent_id)
    return about("ok", call)


def end_consult(draft: Draft, command: c.EndConsult) -> Reply:
    """The colleague's line is down; who asked him is still there, and so is the caller."""
    offer = draft.state.offers.get(command.offer_id)
    call = draft.state.calls.get(offer.call_id) if offer else None
    if offer is None or call is None or call.consult_id != offer.offer_id:
        return about("gone", call)
    if offer.state in OPEN or (command.leg_id and offer.leg_id and command.leg_id != offer.leg_id):
        return about(f"stale:{offer.state}", call)
    return about("ok", draft.drop_consult(call, "left"))


def hand_over_call(draft: Draft, command: c.HandOverCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _talks_with(call, command.agent_id):
        return _refuse(draft, call, command.agent_id)
    if not _is_asked(draft, call):
        return about("stale:connected", call)
    call = draft.refresh_never(call)
    if draft.state.offers[call.consult_id].agent_id in parse_never(call.never):
        return about("never", call)
    agent = draft.state.agents[command.agent_id]
    call = _hand_over(draft, call, command.connect_ms, is_there=True)
    draft.start_wrap_up(agent, command.wrap_up_ms)
    return about("ok", call)


def _hand_over(draft: Draft, call: Call, connect_ms: int, *, is_there: bool) -> Call:
    """Caller and colleague come out of the first agent's room and meet in the colleague's."""
    draft.end_agent_leg(call, is_there=is_there)
    offer = draft.state.offers[call.consult_id]
    changed = draft.change_call(
        call,
        CallEvent.HAND_OVER,
        offer_id=offer.offer_id,
        agent_id=offer.agent_id,
        consult_id="",
        held_ms=None,
        connected_ms=None,
        waits_ms=draft.now_ms,
    )
    draft.state.live[call.call_id] = draft.now_ms
    draft.state.deadlines[f"connect:{offer.offer_id}"] = draft.now_ms + connect_ms
    ids: dict[str, Any] = {"call_id": call.call_id, "agent_id": offer.agent_id, "offer_id": offer.offer_id}
    draft.line(LineType.CALL_HANDED_OVER, **ids, **{"from": call.agent_id})
    return changed


def _is_asked(draft: Draft, call: Call) -> bool:
    """A colleague is there."""
    return bool(call.consult_id) and draft.state.offers[call.consult_id].state is OfferState.ACCEPTED


def _talks_with(call: Call, agent_id: str) -> bool:
    return call.state is CallState.CONNECTED and call.agent_id == agent_id


def _refuse(draft: Draft, call: Call | None, agent_id: str) -> Reply:
    """Who has just handed him over hears `again`; anybody else how the call stands."""
    agent = draft.state.agents.get(agent_id)
    is_done = call is not None and call.state is not CallState.ENDED and agent is not None
    if is_done and (agent.state, agent.call_id) == (AgentState.WRAP_UP, call.call_id):  # type: ignore[union-attr]
        return about("again", call)
    return refuse(call)
