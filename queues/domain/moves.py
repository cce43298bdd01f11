"""The steps that several commands share, over one draft of the state.

Each function here has a twin of the same name in `store/lua/include`. A record moves only along its table:
a move the table does not name is an error of this code, never an answer to the outside.
"""

import json
from bisect import insort
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from queues.domain import agents, calls, offers
from queues.domain.agents import Agent, AgentEvent, AgentState
from queues.domain.calls import Call, CallEvent, CallState
from queues.domain.effects import Effect, EffectId, EffectKind
from queues.domain.journal import Line, LineType, id_after
from queues.domain.lanes import Lane, Skip, member_of, with_skip
from queues.domain.named import never_of
from queues.domain.offers import Offer, OfferEvent, OfferId
from queues.domain.skills import skills_of
from queues.domain.state import State, call_facts

Reply = tuple[str, ...]
_S = TypeVar("_S")


class IllegalMoveError(Exception):
    """No table names this move."""


@dataclass(slots=True)
class Draft:
    state: State
    now_ms: int
    lines: list[Line] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)  # ids of lines taken out of the journal

    def line(
        self, type_: LineType | str, *, call_id: str = "", agent_id: str = "", offer_id: str = "", **data: Any
    ) -> str:
        state = self.state
        state.last_ms, state.last_seq = id_after(self.now_ms, state.last_ms, state.last_seq)
        line = Line(
            id=f"{state.last_ms}-{state.last_seq}",
            type=str(type_),
            at_ms=self.now_ms,
            call_id=call_id,
            agent_id=agent_id,
            offer_id=offer_id,
            data=data,
        )
        self.lines.append(line)
        return line.id

    def is_early(self, deadline: str) -> bool:
        return self.state.deadlines.get(deadline, 0) > self.now_ms

    # Records

    def change_call(self, call: Call, event: CallEvent | None = None, **changes: Any) -> Call:
        if event is not None:
            changes["state"] = _allowed(calls.next_state(call.state, event), call.state, event)
        self.state.calls[call.call_id] = changed = replace(call, **changes)
        return changed

    def change_agent(self, agent: Agent, event: AgentEvent | None = None, **changes: Any) -> Agent:
        if event is not None:
            changes["state"] = _allowed(agents.next_state(agent.state, event), agent.state, event)
            changes["since_ms"] = self.now_ms
        self.state.agents[agent.agent_id] = changed = replace(agent, **changes)
        return changed

    def change_offer(self, offer: Offer, event: OfferEvent | None = None, **changes: Any) -> Offer:
        if event is not None:
            changes["state"] = _allowed(offers.next_state(offer.state, event), offer.state, event)
        if leg_id := changes.get("leg_id"):
            self.state.legs[leg_id] = offer.offer_id
        self.state.offers[offer.offer_id] = changed = replace(offer, **changes)
        return changed

    def give_sign_of_life(self, call: Call) -> None:
        """If anybody is on the line: a promise to call back is not watched."""
        if call.call_id in self.state.live:
            self.state.live[call.call_id] = self.now_ms

    def refresh_never(self, call: Call) -> Call:
        """Whom he is never brought together with, by his file as it is now. Without a file it stays as it was."""
        found = self.state.customers.get(call.customer_id, "") if call.customer_id else ""
        return self.change_call(call, never=never_of(json_of(found))) if found else call

    # Lanes

    def enter_lane(self, call: Call) -> None:
        entries = list(self.state.lanes.get(call.lane_id, ()))
        insort(entries, (call.queued_ms or 0, member_of(call.arrival, call.call_id)))
        self.state.lanes[call.lane_id] = tuple(entries)
        self.state.lane_rules[call.lane_id] = call.lane
        self.state.turn += 1

    def leave_lane(self, call: Call) -> None:
        entry = (call.queued_ms, member_of(call.arrival, call.call_id))
        entries = tuple(each for each in self.state.lanes.get(call.lane_id, ()) if each != entry)
        if entries:
            self.state.lanes[call.lane_id] = entries
        else:
            self.state.lanes.pop(call.lane_id, None)
            self.state.lane_rules.pop(call.lane_id, None)

    # Effects

    def due(
        self,
        kind: EffectKind,
        key: str,
        *,
        due_ms: int | None = None,
        attempt: int = 0,
        **about: str,
    ) -> Effect:
        """One effect of this id: what is due already stays as it is."""
        effect_id = EffectId(f"{kind}:{key}")
        if effect_id in self.state.effects:
            return self.state.effects[effect_id]
        effect = Effect(effect_id=effect_id, kind=kind, attempt=attempt, **about)
        self.state.effects[effect_id] = effect
        self.state.due[effect_id] = self.now_ms if due_ms is None else due_ms
        self.effects.append(effect)
        return effect

    def drop_effect(self, effect_id: str) -> bool:
        self.state.due.pop(effect_id, None)
        return self.state.effects.pop(effect_id, None) is not None

    def hang_up(self, leg_id: str, offer: Offer | None = None) -> None:
        """A leg nobody needs any more."""
        if not leg_id:
            return
        about: dict[str, Any] = {"leg_id": leg_id}
        if offer:
            about |= {"call_id": offer.call_id, "offer_id": offer.offer_id, "agent_id": offer.agent_id}
        self.due(EffectKind.HANG_UP, leg_id, **about)

    # Offers and what follows from their end

    def end_offer(self, offer: Offer, event: OfferEvent, type_: LineType, **data: Any) -> Call:
        """The offer ends unaccepted; gives the call, held for nobody now but not moved yet."""
        self.change_offer(offer, event, ended_ms=self.now_ms)
        self.state.deadlines.pop(f"offer:{offer.offer_id}", None)
        self.drop_effect(f"{EffectKind.RING}:{offer.offer_id}")
        self.hang_up(offer.leg_id, offer)
        self.line(type_, call_id=offer.call_id, agent_id=offer.agent_id, offer_id=offer.offer_id, **data)
        call = self.state.calls[offer.call_id]
        if offer.asked_by:  # the call stays with who asked
            return self.change_call(call, consult_id="")
        return self.change_call(call, offer_id=OfferId(""), agent_id="")

    def withdraw_offer(self, offer: Offer, why: str) -> Call:
        return self.end_offer(offer, OfferEvent.WITHDRAW, LineType.OFFER_WITHDRAWN, why=why)

    def requeue(self, call: Call, why: str, skip: Skip | None = None) -> None:
        """Back to the place the call had; a call about which a colleague was only asked stays where it is."""
        if call.state is CallState.CONNECTED:
            return
        skips = with_skip(call.skips, skip, self.now_ms) if skip else call.skips
        call = self.change_call(call, CallEvent.REQUEUE, offer_id="", agent_id="", room="", skips=skips)
        if call.is_off_line:
            # its queue may be closed by now, or the hours over: looked at before anybody has it
            self.let_go_of_customer(call)
            self.state.deadlines[f"callback:{call.call_id}"] = self.now_ms
        call = self.refresh_never(call)
        self.enter_lane(call)
        told: dict[str, Any] = {"queued_ms": call.queued_ms, "why": why, "skips": skips, "never": call.never}
        self.line(LineType.CALL_REQUEUED, call_id=call.call_id, **told)

    def end_agent_leg(self, call: Call, *, is_there: bool) -> None:
        """Of a call that is connecting or connected."""
        offer = self.state.offers[call.offer_id]
        self.state.deadlines.pop(f"connect:{offer.offer_id}", None)
        self.drop_effect(f"{EffectKind.PULL}:{offer.offer_id}")
        if is_there:
            self.hang_up(offer.leg_id, offer)

    def let_go_of_customer(self, call: Call) -> None:
        """He is being called back no more by this call."""
        if call.callback and self.state.dialling.get(call.caller_ref) == call.call_id:
            del self.state.dialling[call.caller_ref]

    def drop_consult(self, call: Call, why: str) -> Call:
        """Nobody is asked about this call any more; who was is free, and not to blame."""
        if not call.consult_id:
            return call
        offer = self.state.offers[call.consult_id]
        if offer.state in offers.OPEN:
            call = self.withdraw_offer(offer, why)
        else:
            self.hang_up(offer.leg_id, offer)
            ids = {"call_id": call.call_id, "agent_id": offer.agent_id, "offer_id": offer.offer_id}
            self.line(LineType.CONSULT_ENDED, **ids, why=why)
            call = self.change_call(call, consult_id="")
        self.release(self.state.agents[offer.agent_id])
        return call

    # Agents

    def start_wrap_up(self, agent: Agent, wrap_up_ms: int) -> None:
        until_ms = self.now_ms + wrap_up_ms
        self.change_agent(agent, AgentEvent.WRAP_UP, wrap_up_until_ms=until_ms, offer_id="")
        self.state.deadlines[f"wrap_up:{agent.agent_id}"] = until_ms
        self.line(
            LineType.AGENT_WRAP_UP_STARTED, call_id=agent.call_id, agent_id=agent.agent_id, until_ms=until_ms
        )

    def release(self, agent: Agent, *, idle_ms: int | None = None, rest: str = "") -> None:
        """His work is over: he rests for that reason, else what he wished happens, else he is ready."""
        wished = agent.next
        if rest and wished != AgentState.SIGNED_OUT:
            wished = f"{AgentState.AWAY}:{rest}"
        idle = agent.idle_ms if idle_ms is None else idle_ms
        free = replace(
            agent, next="", call_id="", offer_id="", wrap_up_until_ms=None, is_extended=False, idle_ms=idle
        )
        self.state.deadlines.pop(f"wrap_up:{agent.agent_id}", None)
        presence, _, reason = wished.partition(":")
        self.set_presence(free, presence or AgentState.READY, reason)

    def set_presence(self, agent: Agent, presence: str, reason: str) -> None:
        if presence == AgentState.READY:
            self._make_ready(agent)
        elif presence == AgentState.AWAY:
            self.state.ready.pop(agent.agent_id, None)
            self.change_agent(agent, AgentEvent.REST, reason=reason)
        else:
            self.state.ready.pop(agent.agent_id, None)
            self.state.beats.pop(agent.agent_id, None)
            self.change_agent(agent, AgentEvent.LEAVE, reason="")
        self.tell_presence(agent.agent_id)

    def _make_ready(self, agent: Agent) -> None:
        agent = self.change_agent(agent, AgentEvent.RELEASE, reason="")
        self.state.ready[agent.agent_id] = agent.idle_ms
        self.state.turn += 1

    def take_turn(self, offer: Offer) -> None:
        """He has had his turn in the rotation. Whoever was before him, is able and was away by his own wish has lost
        his; whoever was at work keeps it."""
        if not offer.is_turn:
            return
        had = self.state.agents[offer.agent_id].turn
        self._next_turn(offer, offer.agent_id, LineType.AGENT_TURN_TAKEN)
        needs = set(Lane.from_json(self.state.calls[offer.call_id].lane).needs)
        away = (agent for agent in self.state.agents.values() if agent.state is AgentState.AWAY)
        passed = [
            (each.turn, each.agent_id) for each in away if each.turn < had and needs <= skills_of(each.skills)
        ]
        for _, agent_id in sorted(passed):
            self._next_turn(offer, agent_id, LineType.AGENT_TURN_LOST)

    def _next_turn(self, offer: Offer, agent_id: str, type_: LineType) -> None:
        self.state.turns += 1
        self.change_agent(self.state.agents[agent_id], turn=self.state.turns)
        self.line(type_, call_id=offer.call_id, agent_id=agent_id, turn=self.state.turns)

    def tell_presence(self, agent_id: str) -> None:
        agent = self.state.agents[agent_id]
        self.line(
            LineType.AGENT_PRESENCE_CHANGED,
            agent_id=agent_id,
            presence=str(agent.state),
            reason=agent.reason,
            next=agent.next,
            skills=agent.skills,
            idle_ms=agent.idle_ms,
        )


def _allowed(after: _S | None, before: object, event: object) -> _S:
    if after is None:
        raise IllegalMoveError(f"{event} from {before}")
    return after


def about(word: str, call: Call | None) -> Reply:
    return (word, *call_facts(call)) if call else (word,)


def refuse(call: Call | None, *, again: tuple[CallState, ...] = ()) -> Reply:
    """What a command hears whose moment has gone by, or not come."""
    if call is None or call.state is CallState.ENDED:
        return about("gone", call)
    return about("again" if call.state in again else f"stale:{call.state}", call)


def json_of(value: str) -> Any:
    """A JSON argument as the value it stands for."""
    return json.loads(value) if value else {}
