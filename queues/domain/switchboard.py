"""The switchboard's rules: step(state, command) -> the next state, a reply, journal lines, due effects.

One small function a command, in one table. Pure: no store, no clock, no chance. The scripts in `store/lua`
do the same to the live store, and one suite drives both and compares everything. A reply is the script's
reply: a word, then texts. A command that finds another state than it needs changes nothing and says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from queues.domain import agents, calls
from queues.domain import commands as c
from queues.domain.agents import AT_WORK, Agent, AgentEvent, AgentId, AgentState
from queues.domain.calls import Call, CallEvent, CallId, CallState
from queues.domain.effects import Effect, EffectKind
from queues.domain.journal import Line, LineType
from queues.domain.lanes import DECLINED, MISSED, UNRUNG, Lane, Skip
from queues.domain.moves import Draft, json_of
from queues.domain.offers import OPEN, Offer, OfferEvent, OfferState, offer_id_of
from queues.domain.state import State, call_facts, offer_facts

Reply = tuple[str, ...]


class Step(NamedTuple):
    state: State
    reply: Reply
    lines: tuple[Line, ...]
    effects: tuple[Effect, ...]


def step(state: State, command: c.Command) -> Step:
    """The given state is left as it is."""
    return advance(state.copy(), command)


def advance(state: State, command: c.Command) -> Step:
    """The same, in the given state itself: for long runs that need no past."""
    draft = Draft(state, command.now_ms)
    reply = RULES[type(command)](draft, command)
    return Step(state, reply, tuple(draft.lines), tuple(draft.effects))


# Calls


def _about(word: str, call: Call | None) -> Reply:
    return (word, *call_facts(call)) if call else (word,)


def _refuse(call: Call | None, *, again: tuple[CallState, ...] = ()) -> Reply:
    """What a command hears whose moment has gone by, or not come."""
    if call is None or call.state is CallState.ENDED:
        return _about("gone", call)
    return _about("again" if call.state in again else f"stale:{call.state}", call)


def arrive(draft: Draft, command: c.Arrive) -> Reply:
    state = draft.state
    if known := state.calls.get(command.call_id):
        return _about("again", known)
    state.arrivals += 1
    customer_id = state.numbers.get(command.number_key, "")
    customer = json_of(state.customers.get(customer_id, ""))
    call = Call(
        call_id=CallId(command.call_id),
        state=CallState.MENU,
        arrival=state.arrivals,
        arrived_ms=command.now_ms,
        line=command.line,
        caller_ref=command.caller_ref,
        number=command.number,
        customer_id=customer_id if customer else "",
        customer_name=customer.get("name") or "",
        tier=customer.get("tier") or command.default_tier,
        locale=customer.get("locale") or command.default_locale,
        is_known=bool(customer),
    )
    state.calls[call.call_id] = call
    state.live[call.call_id] = command.now_ms
    draft.line(
        LineType.CALL_ARRIVED,
        call_id=call.call_id,
        line=call.line,
        caller_ref=call.caller_ref,
        customer_id=call.customer_id,
        tier=call.tier,
        locale=call.locale,
        known=int(call.is_known),
    )
    return _about("ok", call)


def step_menu(draft: Draft, command: c.StepMenu) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return _refuse(call)
    if command.step <= call.step:
        return _about("again", call)
    call = draft.change_call(
        call,
        node=command.node,
        step=command.step,
        locale=command.locale or call.locale,
        record=command.record or call.record,
    )
    draft.state.live[call.call_id] = command.now_ms
    told: dict[str, Any] = {"node": call.node, "step": call.step, "locale": call.locale}
    draft.line(LineType.CALL_MENU_STEPPED, call_id=call.call_id, record=call.record, **told)
    return _about("ok", call)


def enqueue_call(draft: Draft, command: c.EnqueueCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is not CallState.MENU:
        return _refuse(call, again=tuple(CallState))
    call = draft.change_call(
        call,
        CallEvent.ENQUEUE if command.is_open else CallEvent.CLOSE_OUT,
        queue=command.queue,
        matter=command.matter,
        tier=command.tier or call.tier,
        locale=command.locale or call.locale,
        ticket_no=_issue_ticket(draft, command),
        ticket_type=command.ticket_type,
        ticket_on=command.ticket_on,
        work_queue=command.work_queue,
        is_open=command.is_open,
        lane_id=command.lane_id,
        lane=command.lane,
        queued_ms=command.now_ms,
    )
    draft.state.live[call.call_id] = command.now_ms
    if command.is_open:
        draft.enter_lane(call)
    _tell_queued(draft, call, command.head_start_ms)
    return _about("ok" if command.is_open else "closed", call)


def _issue_ticket(draft: Draft, command: c.EnqueueCall) -> str:
    if not command.ticket_type:
        return ""
    draft.state.tickets += 1
    return f"T{draft.state.tickets:06d}"


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
        closed=int(not call.is_open),
        head_start_ms=head_start_ms,
        queued_ms=call.queued_ms,
        locale=call.locale,
    )


def touch_call(draft: Draft, command: c.TouchCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is CallState.ENDED:
        return _refuse(call)
    draft.state.live[call.call_id] = command.now_ms
    if call.state in calls.WAITING:
        place = place_of(draft.state, call)
        call = draft.change_call(call, position=min(place, call.position or place))
    return _about("ok", call)


def place_of(state: State, call: Call) -> int:
    """1 + how many wait in front of it in its queue, heads past their ceiling left aside."""
    mine = Lane.from_json(call.lane)
    key = (call.queued_ms or 0) - mine.head_start_ms
    ahead = 0
    for lane_id, entries in state.lanes.items():
        lane = Lane.from_json(state.lane_rules[lane_id])
        if lane.queue != mine.queue or (mine.is_safety and not lane.is_safety):
            continue
        if lane.is_safety and not mine.is_safety:
            ahead += len(entries)
        else:
            ahead += sum(queued_ms - lane.head_start_ms < key for queued_ms, _ in entries)
    return ahead + 1


def divert_call(draft: Draft, command: c.DivertCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or calls.next_state(call.state, CallEvent.DIVERT) is None:
        return _refuse(call, again=(CallState.MESSAGING,))
    _stop_waiting(draft, call, "diverted")
    call = draft.change_call(draft.state.calls[call.call_id], CallEvent.DIVERT, diverted_to=command.to)
    draft.state.live[call.call_id] = command.now_ms
    draft.line(LineType.CALL_DIVERTED, call_id=call.call_id, to=command.to)
    return _about("ok", call)


def _stop_waiting(draft: Draft, call: Call, why: str) -> None:
    """Out of the lane, or away from the agent, who is not to blame: his idle time runs on."""
    if call.state is CallState.QUEUED:
        draft.leave_lane(call)
    elif call.state is CallState.OFFERED:
        draft.withdraw_offer(draft.state.offers[call.offer_id], why)
        draft.release(draft.state.agents[call.agent_id])
    elif call.state is CallState.CONNECTING:
        draft.change_call(call, offer_id="", agent_id="")
        draft.release(draft.state.agents[call.agent_id])


def leave_message(draft: Draft, command: c.LeaveMessage) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or not _was_messaging(call):
        return _refuse(call)
    if call.is_message_left:
        return _about("again", call)
    outcome = calls.Outcome.VOICEMAIL if call.state is CallState.ENDED else ""
    call = draft.change_call(call, is_message_left=True, outcome=str(outcome))
    draft.line(LineType.CALL_MESSAGE_LEFT, call_id=call.call_id, outcome=str(outcome))
    return _about("ok", call)


def _was_messaging(call: Call) -> bool:
    """In messaging now, or when it ended: the provider tells of the message after the hang-up, too."""
    ended_there = call.state is CallState.ENDED and (bool(call.diverted_to) or not call.is_open)
    return call.state is CallState.MESSAGING or ended_there


def end_call(draft: Draft, command: c.EndCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.state is CallState.ENDED:
        return _about("again" if call else "gone", call)
    outcome = calls.outcome_of(call)
    if call.state in (CallState.CONNECTING, CallState.CONNECTED):
        _end_agent_leg(draft, call, is_there=command.by != "agent")
    _stop_waiting(draft, call, "ended")
    ended = draft.change_call(
        draft.state.calls[call.call_id],
        CallEvent.END,
        outcome=str(outcome),
        ended_ms=command.now_ms,
        ended_by=command.by,
    )
    draft.state.live.pop(call.call_id, None)
    draft.state.deadlines[f"forget:{call.call_id}"] = command.now_ms + command.forget_ms
    told: dict[str, Any] = {"outcome": ended.outcome, "by": command.by, "ended_ms": command.now_ms}
    draft.line(LineType.CALL_ENDED, call_id=ended.call_id, agent_id=ended.agent_id, **told)
    if call.state is CallState.CONNECTED:
        _start_wrap_up(draft, ended, command.wrap_up_ms)
    return _about("ok", ended)


def _end_agent_leg(draft: Draft, call: Call, *, is_there: bool) -> None:
    offer = draft.state.offers[call.offer_id]
    draft.state.deadlines.pop(f"connect:{offer.offer_id}", None)
    draft.drop_effect(f"{EffectKind.PULL}:{offer.offer_id}")
    if is_there:
        draft.hang_up(offer.leg_id, offer)


def _start_wrap_up(draft: Draft, call: Call, wrap_up_ms: int) -> None:
    until_ms = draft.now_ms + wrap_up_ms
    agent = draft.state.agents[call.agent_id]
    draft.change_agent(agent, AgentEvent.WRAP_UP, wrap_up_until_ms=until_ms, offer_id="")
    draft.state.deadlines[f"wrap_up:{agent.agent_id}"] = until_ms
    draft.line(
        LineType.AGENT_WRAP_UP_STARTED, call_id=call.call_id, agent_id=agent.agent_id, until_ms=until_ms
    )


def forget_call(draft: Draft, command: c.ForgetCall) -> Reply:
    state = draft.state
    call = state.calls.get(command.call_id)
    state.deadlines.pop(f"forget:{command.call_id}", None)
    if call is None:
        return ("again",)
    if call.state is not CallState.ENDED:
        return (f"stale:{call.state}",)
    for n in range(1, call.offers + 1):
        state.offers.pop(offer_id_of(call.call_id, n), None)
    del state.calls[call.call_id]
    return ("ok",)


# Offers


def _told(draft: Draft, word: str, offer_id: str) -> Reply:
    offer = draft.state.offers.get(offer_id)
    return (word, *offer_facts(offer, draft.state.calls.get(offer.call_id))) if offer else (word,)


def _is_other_leg(offer: Offer, leg_id: str) -> bool:
    return bool(leg_id and offer.leg_id and leg_id != offer.leg_id)


def claim_offer(draft: Draft, command: c.ClaimOffer) -> Reply:
    call, agent = draft.state.calls.get(command.call_id), draft.state.agents.get(command.agent_id)
    if call is None or call.state is not CallState.QUEUED:
        return (f"stale:{call.state if call else CallState.ENDED}",)
    if agent is None or agent.state is not AgentState.READY:
        return (f"stale:{agent.state if agent else AgentState.SIGNED_OUT}",)
    if command.turn != draft.state.turn:
        return ("stale:turn",)
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
    if is_over or _is_other_leg(offer, command.leg_id):
        draft.hang_up(command.leg_id, offer)
        return _told(draft, "gone", command.offer_id)
    if offer.leg_id:
        return _told(draft, "again", command.offer_id)
    draft.change_offer(offer, leg_id=command.leg_id)
    return _told(draft, "ok", command.offer_id)


def ringing(draft: Draft, command: c.Ringing) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is None or _is_other_leg(offer, command.leg_id):
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
    if offer is None or _is_other_leg(offer, command.leg_id):
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
    if offer is None or _is_other_leg(offer, command.leg_id):
        return _told(draft, "gone", command.offer_id)
    call = draft.state.calls.get(offer.call_id)
    if offer.state not in OPEN or call is None:
        return _told(draft, "again" if _is_his(offer, call) else "gone", command.offer_id)
    draft.change_offer(
        offer, OfferEvent.ACCEPT, leg_id=offer.leg_id or command.leg_id, ended_ms=command.now_ms
    )
    draft.change_call(call, CallEvent.ACCEPT)
    draft.change_agent(draft.state.agents[offer.agent_id], AgentEvent.ACCEPT, missed=0)
    draft.state.deadlines.pop(f"offer:{offer.offer_id}", None)
    draft.state.deadlines[f"connect:{offer.offer_id}"] = command.now_ms + command.connect_ms
    draft.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
    about: dict[str, Any] = {"call_id": offer.call_id, "agent_id": offer.agent_id, "offer_id": offer.offer_id}
    draft.due(EffectKind.PULL, offer.offer_id, **about)
    draft.line(LineType.OFFER_ACCEPTED, **about)
    draft.line(LineType.CALL_CONNECTING, **about)
    return _told(draft, "ok", command.offer_id)


def _is_his(offer: Offer, call: Call | None) -> bool:
    """Accepted, and the call is still with him."""
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
    if offer is None or offer.state not in OPEN:
        return _refuse_end(draft, offer, command.offer_id, OfferState.DECLINED)
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
    if command.by == "deadline" and _is_early(draft, f"offer:{command.offer_id}"):
        return _told(draft, "early", command.offer_id)
    if offer is None or offer.state not in _EXPIRES[command.by]:
        return _refuse_end(draft, offer, command.offer_id, OfferState.EXPIRED)
    call = draft.end_offer(offer, OfferEvent.EXPIRE, LineType.OFFER_EXPIRED, by=command.by)
    draft.requeue(call, MISSED, Skip(command.now_ms + command.skip_ms, MISSED, offer.agent_id))
    agent = draft.state.agents[offer.agent_id]
    missed = agent.missed + 1
    is_away = missed >= command.missed_max
    agent = draft.change_agent(agent, missed=0 if is_away else missed)
    draft.release(agent, idle_ms=command.now_ms, rest=agents.MISSED if is_away else "")
    return _told(draft, "ok", command.offer_id)


def _is_early(draft: Draft, deadline: str) -> bool:
    return draft.state.deadlines.get(deadline, 0) > draft.now_ms


def unring_offer(draft: Draft, command: c.UnringOffer) -> Reply:
    offer = draft.state.offers.get(command.offer_id)
    if offer is None or offer.state not in (OfferState.CLAIMED, OfferState.RINGING):
        return _refuse_end(draft, offer, command.offer_id, OfferState.UNRUNG)
    call = draft.end_offer(offer, OfferEvent.UNRING, LineType.OFFER_UNRUNG)
    draft.requeue(call, UNRUNG, Skip(command.now_ms + command.skip_ms, UNRUNG, offer.agent_id))
    draft.release(draft.state.agents[offer.agent_id], idle_ms=command.now_ms)
    return _told(draft, "ok", command.offer_id)


def connect_call(draft: Draft, command: c.ConnectCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if call is None or call.offer_id != command.offer_id or call.state is CallState.ENDED:
        return _about("gone", call)
    if call.state is not CallState.CONNECTING:
        return _about("again" if call.state is CallState.CONNECTED else "gone", call)
    offer_id = command.offer_id
    call = draft.change_call(call, CallEvent.CONNECT, answered_ms=command.now_ms)
    draft.change_agent(draft.state.agents[call.agent_id], AgentEvent.CONNECT)
    draft.state.live[call.call_id] = command.now_ms
    draft.state.deadlines.pop(f"connect:{offer_id}", None)
    draft.drop_effect(f"{EffectKind.PULL}:{offer_id}")
    about: dict[str, Any] = {"call_id": call.call_id, "agent_id": call.agent_id, "offer_id": offer_id}
    if call.record == "wanted":
        draft.due(EffectKind.RECORD, call.call_id, **about)
    wait_ms = command.now_ms - (call.queued_ms or 0)
    told: dict[str, Any] = {"answered_ms": command.now_ms, "wait_ms": wait_ms, "recording": call.record}
    draft.line(LineType.CALL_CONNECTED, **about, **told)
    return _about("ok", call)


def requeue_call(draft: Draft, command: c.RequeueCall) -> Reply:
    call = draft.state.calls.get(command.call_id)
    if command.by == "deadline" and _is_early(draft, f"connect:{command.offer_id}"):
        return _about("early", call)
    if call is None or call.state is not CallState.CONNECTING or call.offer_id != command.offer_id:
        return _refuse(call)
    agent = draft.state.agents[call.agent_id]
    _end_agent_leg(draft, call, is_there=command.by != "agent")
    skip = Skip(command.now_ms + command.skip_ms, "connecting", agent.agent_id)
    draft.requeue(call, "connecting", skip)
    draft.release(agent, idle_ms=command.now_ms)
    return _about("ok", draft.state.calls[call.call_id])


# Agents


def sign_in(draft: Draft, command: c.SignIn) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    draft.state.beats[command.agent_id] = command.now_ms
    about: dict[str, Any] = {"name": command.name, "skills": command.skills, "endpoint": command.endpoint}
    if agent and agent.state is not AgentState.SIGNED_OUT:
        still = "" if agent.next == AgentState.SIGNED_OUT else agent.next
        draft.change_agent(agent, next=still, **about)
        draft.state.turn += int(agent.state is AgentState.READY and agent.skills != command.skills)
        return ("again",)
    new = Agent(
        agent_id=AgentId(command.agent_id),
        state=AgentState.SIGNED_OUT,
        since_ms=command.now_ms,
        idle_ms=command.now_ms,
        **about,
    )
    draft.change_agent(new, AgentEvent.SIGN_IN, reason=agents.SIGNED_IN)
    draft.line(LineType.AGENT_SIGNED_IN, agent_id=command.agent_id, skills=command.skills)
    draft.tell_presence(command.agent_id)
    return ("ok",)


def set_presence(draft: Draft, command: c.SetPresence) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    if agent.state in AT_WORK:
        return _remember(draft, agent, agents.wish(command.presence, command.reason))
    reason = command.reason if command.presence == AgentState.AWAY else ""
    if (agent.state, agent.reason) == (command.presence, reason):
        return ("again",)
    idle_ms = command.now_ms if agent.state is AgentState.AWAY else agent.idle_ms
    draft.set_presence(replace(agent, idle_ms=idle_ms, missed=0), command.presence, reason)
    return ("ok",)


def _remember(draft: Draft, agent: Agent, wished: str) -> Reply:
    wished = "" if wished == AgentState.READY else wished
    if agent.next == wished:
        return ("again",)
    draft.change_agent(agent, next=wished)
    draft.tell_presence(agent.agent_id)
    return ("later",)


def beat(draft: Draft, command: c.Beat) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    draft.state.beats[command.agent_id] = command.now_ms
    return ("ok",)


def lose_agent(draft: Draft, command: c.LoseAgent) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is AgentState.SIGNED_OUT:
        return ("gone",)
    silent_since = command.now_ms - command.silent_ms
    heard_ms = draft.state.beats.get(command.agent_id)
    if heard_ms is None or heard_ms > silent_since or max(draft.state.beats.values()) <= silent_since:
        return ("again",)
    del draft.state.beats[command.agent_id]
    if agent.state is AgentState.OFFERED:
        call = draft.withdraw_offer(draft.state.offers[agent.offer_id], agents.LOST)
        draft.requeue(call, agents.LOST)
        draft.release(agent, rest=agents.LOST)
    elif agent.state not in AT_WORK:
        draft.set_presence(agent, AgentState.AWAY, agents.LOST)
    elif agent.next != AgentState.SIGNED_OUT:
        draft.change_agent(agent, next=f"{AgentState.AWAY}:{agents.LOST}")
        draft.tell_presence(agent.agent_id)
    return ("ok",)


def extend_wrap_up(draft: Draft, command: c.ExtendWrapUp) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is not AgentState.WRAP_UP:
        return (f"stale:{agent.state}",) if agent else ("gone",)
    if agent.is_extended:
        return ("again",)
    until_ms = (agent.wrap_up_until_ms or 0) + command.by_ms
    draft.change_agent(agent, wrap_up_until_ms=until_ms, is_extended=True)
    draft.state.deadlines[f"wrap_up:{agent.agent_id}"] = until_ms
    draft.line(
        LineType.AGENT_WRAP_UP_EXTENDED, call_id=agent.call_id, agent_id=agent.agent_id, until_ms=until_ms
    )
    return ("ok",)


def close_wrap_up(draft: Draft, command: c.CloseWrapUp) -> Reply:
    agent = draft.state.agents.get(command.agent_id)
    if agent is None or agent.state is not AgentState.WRAP_UP:
        return (f"stale:{agent.state}",) if agent else ("gone",)
    if command.by == "deadline" and _is_early(draft, f"wrap_up:{agent.agent_id}"):
        return ("early",)
    draft.line(
        LineType.AGENT_WRAP_UP_CLOSED,
        call_id=agent.call_id,
        agent_id=agent.agent_id,
        disposition=command.disposition,
        by=command.by,
        wrap_up_ms=command.now_ms - agent.since_ms,
    )
    draft.release(agent, idle_ms=command.now_ms)
    return ("ok",)


# Effects, the journal, the start


def drop_deadline(draft: Draft, command: c.DropDeadline) -> Reply:
    if command.name not in draft.state.deadlines:
        return ("again",)
    if _is_early(draft, command.name):
        return ("early",)
    del draft.state.deadlines[command.name]
    return ("ok",)


def claim_effects(draft: Draft, command: c.ClaimEffects) -> Reply:
    state = draft.state
    due = sorted((due_ms, effect_id) for effect_id, due_ms in state.due.items() if due_ms <= command.now_ms)
    reply = ["ok"]
    for _, effect_id in due[: command.effects_max]:
        effect = replace(state.effects[effect_id], attempt=state.effects[effect_id].attempt + 1)
        state.effects[effect_id] = effect
        state.due[effect_id] = command.now_ms + command.lease_ms
        reply += [effect_id, effect.to_json()]
    return tuple(reply)


def recall_effects(draft: Draft, command: c.RecallEffects) -> Reply:
    due = draft.state.due
    due.update({effect_id: command.now_ms for effect_id, at in due.items() if at > command.now_ms})
    return ("ok",)


def finish_effect(draft: Draft, command: c.FinishEffect) -> Reply:
    return ("ok" if draft.drop_effect(command.effect_id) else "again",)


def retry_effect(draft: Draft, command: c.RetryEffect) -> Reply:
    if command.effect_id not in draft.state.effects:
        return ("gone",)
    draft.state.due[command.effect_id] = command.due_ms
    return ("ok",)


def fail_effect(draft: Draft, command: c.FailEffect) -> Reply:
    effect = draft.state.effects.get(command.effect_id)
    if effect is None:
        return ("again",)
    draft.drop_effect(command.effect_id)
    about = {"call_id": effect.call_id, "agent_id": effect.agent_id, "offer_id": effect.offer_id}
    told: dict[str, Any] = {"kind": str(effect.kind), "attempts": effect.attempt}
    draft.line(LineType.EFFECT_FAILED, **about, **told)
    return ("ok",)


def append_line(draft: Draft, command: c.AppendLine) -> Reply:
    return ("ok", draft.line(command.type, call_id=command.call_id, **json_of(command.data)))


def raise_counters(draft: Draft, command: c.RaiseCounters) -> Reply:
    state = draft.state
    seen = (command.last_ms, command.last_seq)
    state.last_ms, state.last_seq = max((state.last_ms, state.last_seq), seen)
    state.arrivals = max(state.arrivals, command.arrivals)
    state.tickets = max(state.tickets, command.tickets)
    state.turn += 1
    return ("ok",)


RULES: Final[Mapping[type[c.Command], Callable[[Draft, Any], Reply]]] = {
    c.Arrive: arrive,
    c.StepMenu: step_menu,
    c.EnqueueCall: enqueue_call,
    c.TouchCall: touch_call,
    c.DivertCall: divert_call,
    c.LeaveMessage: leave_message,
    c.EndCall: end_call,
    c.ForgetCall: forget_call,
    c.ClaimOffer: claim_offer,
    c.RingOffer: ring_offer,
    c.Ringing: ringing,
    c.AnswerOffer: answer_offer,
    c.AcceptOffer: accept_offer,
    c.DeclineOffer: decline_offer,
    c.ExpireOffer: expire_offer,
    c.UnringOffer: unring_offer,
    c.ConnectCall: connect_call,
    c.RequeueCall: requeue_call,
    c.SignIn: sign_in,
    c.SetPresence: set_presence,
    c.Beat: beat,
    c.LoseAgent: lose_agent,
    c.ExtendWrapUp: extend_wrap_up,
    c.CloseWrapUp: close_wrap_up,
    c.DropDeadline: drop_deadline,
    c.ClaimEffects: claim_effects,
    c.RecallEffects: recall_effects,
    c.FinishEffect: finish_effect,
    c.RetryEffect: retry_effect,
    c.FailEffect: fail_effect,
    c.AppendLine: append_line,
    c.RaiseCounters: raise_counters,
}
