"""What the switchboard's replies say, as typed facts for the rooms and pages above it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, NamedTuple

from queues.domain.agents import AgentId, AgentState
from queues.domain.announcing import Told, read_told
from queues.domain.calls import CALL_FACTS, LOOKED_UP, CallId, CallState
from queues.domain.effects import Effect
from queues.domain.estimates import Seat, Standing, WaitingLane
from queues.domain.lanes import ARRIVAL_DIGITS, Lane
from queues.domain.named import Known, Named, parse_known, parse_named, parse_never
from queues.domain.offers import OFFER_FACTS, OFFERED_CALL_FACTS, OfferId, OfferState
from queues.domain.plan import Plan
from queues.domain.skills import skills_of, tiers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One that runs in the caller's area."""

    id: str
    kind: str
    text: Mapping[str, str]  # by language
    ticket_no: str  # "" = none to join


class CaseReply(NamedTuple):
    """How a case stands; the rest is told with `ok` alone."""

    word: str
    state: str = ""
    reply: str = ""
    ticket_no: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    call_id: CallId
    state: CallState
    outcome: str  # "" until the call has ended
    line: str
    caller_ref: str
    customer_id: str
    customer_name: str
    is_known: bool
    tier: str
    locale: str
    node: str
    step: int
    record: str  # wanted | refused
    queue: str
    matter: str
    ticket_no: str
    queued_ms: int | None
    answered_ms: int | None
    offer_id: OfferId
    agent_id: AgentId
    position: int  # never gets worse; 0 = not waiting
    diverted_to: str  # "" | voicemail | callback | goodbye | transfer
    message_left: bool
    site_version: str
    area: str
    manager: str  # the agent who looks after him now, in person or as a cover
    manager_name: str
    is_care: bool
    contact: str  # the person whose number it is
    shared: int  # how many further files have this number
    is_internal: bool
    notices: tuple[Notice, ...]
    is_anonymous: bool
    wrong_codes: int
    is_keyed: bool  # his file was opened by an account number he keyed: it may be another's
    known: tuple[Known, ...]  # who knows the caller
    never: frozenset[str]  # the agents he is never brought together with
    room: str  # where he talks, or comes from; "" = nowhere
    talks: int  # how many agents he has talked with
    is_held: bool
    told: Told | None  # what he was told last of place and time
    callback: str  # "" | asked | open | kept | failed | joined
    leg_id: str  # the leg he is on, when it is not the one he came with: we called him back
    entered_ms: int | None  # when this call entered its first queue
    is_led: bool  # his queue has led him elsewhere once
    named: tuple[Named, ...]  # whom he is offered to first

    @property
    def is_off_line(self) -> bool:
        """He is to be called back, and has no line to us this moment."""
        return bool(self.callback) and not self.leg_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFacts:
    offer_id: OfferId
    call_id: CallId
    agent_id: AgentId
    state: OfferState
    leg_id: str
    customer_name: str
    tier: str
    locale: str
    queue: str
    matter: str
    ticket_no: str
    waited_ms: int
    consults_in: str  # the room in which he is asked about another's call; "" = he takes the call himself
    callback: str  # he asked to be called back: he is rung when this is accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReply:
    """What the switchboard says to a command about a call. No facts: it knows no such call."""

    word: str
    call: CallFacts | None

    @property
    def is_ok(self) -> bool:
        return self.word == "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferReply:
    word: str
    offer: OfferFacts | None

    @property
    def is_ok(self) -> bool:
        return self.word == "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReply:
    word: str
    offer_id: OfferId | None
    effect: Effect | None

    @property
    def is_ok(self) -> bool:
        return self.word == "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerFacts:
    """What an agent is told of the caller beside his name and tier."""

    area: str
    contact: str
    shared: int
    is_care: bool
    is_internal: bool
    is_anonymous: bool
    is_keyed: bool  # the file was opened by an account number he keyed
    manager: str
    manager_name: str
    given: Mapping[str, str]  # what he keyed, under the site's own names


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOffer:
    """The offer on an agent's desk, with the data that tells why him and why now."""

    offer_id: OfferId
    call_id: CallId
    state: OfferState
    customer_id: str
    customer_name: str
    tier: str
    queue: str
    matter: str
    ticket_no: str
    queued_ms: int
    waited_ms: int
    callback: str
    ends_ms: int | None
    why: Mapping[str, Any]
    asked_by: str  # the colleague who asks about his own call; "" = the call itself is offered
    caller: CallerFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCall:
    """The call an agent is on, or has just ended and wraps up."""

    call_id: CallId
    state: CallState
    customer_id: str
    customer_name: str
    tier: str
    queue: str
    matter: str
    ticket_no: str
    record: str
    callback: str
    queued_ms: int | None
    talks_since_ms: int | None  # with the present agent
    held_ms: int | None  # since when he is on hold
    asked_agent: str  # the colleague who is being asked about him
    asked_state: str  # how that offer stands
    ended_ms: int | None
    caller: CallerFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    agent_id: AgentId
    name: str
    state: AgentState
    reason: str
    next: str  # what happens after this work: "" | ready | away:<reason> | signed_out
    since_ms: int
    now_ms: int
    offer: DeskOffer | None
    call: DeskCall | None
    wrap_up_until_ms: int | None
    is_extendable: bool
    waiting: Mapping[str, int]  # queue -> calls waiting, of the queues whose needs he meets


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFacts:
    queue: str
    tier: str
    waiting: int
    longest_queued_ms: int | None
    callbacks: int = 0  # beside those on the line: who is to be called back


@dataclass(frozen=True, slots=True, kw_only=True)
class WallAgent:
    agent_id: AgentId
    name: str
    state: AgentState
    reason: str
    since_ms: int
    call_id: str
    missed: int = 0  # calls in a row
    is_heard: bool = True  # not silent for so long that he was taken for lost
    held_ms: int | None = None  # since when his caller is on hold
    held_queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallState:
    now_ms: int
    waiting: tuple[WaitingFacts, ...]  # by queue, then tier; offered and connecting calls count as waiting
    agents: tuple[WallAgent, ...]  # signed in, by state and since

    def agents_in(self, state: AgentState) -> tuple[WallAgent, ...]:
        return tuple(agent for agent in self.agents if agent.state is state)


def read_call_facts(texts: Sequence[str]) -> CallFacts:
    told = dict(zip(CALL_FACTS, texts, strict=True))
    return CallFacts(
        call_id=CallId(told["call_id"]),
        state=CallState(told["state"]),
        outcome=told["outcome"],
        line=told["line"],
        caller_ref=told["caller_ref"],
        customer_id=told["customer_id"],
        customer_name=told["customer_name"],
        is_known=told["is_known"] == "1",
        tier=told["tier"],
        locale=told["locale"],
        node=told["node"],
        step=int(told["step"]),
        record=told["record"],
        queue=told["queue"],
        matter=told["matter"],
        ticket_no=told["ticket_no"],
        queued_ms=_instant(told["queued_ms"]),
        answered_ms=_instant(told["answered_ms"]),
        offer_id=OfferId(told["offer_id"]),
        agent_id=AgentId(told["agent_id"]),
        position=int(told["position"]),
        diverted_to=told["diverted_to"],
        message_left=told["is_message_left"] == "1",
        site_version=told["site_version"],
        area=told["area"],
        manager=told["manager"],
        manager_name=told["manager_name"],
        is_care=told["is_care"] == "1",
        contact=told["contact"],
        shared=int(told["shared"] or 0),
        is_internal=told["is_internal"] == "1",
        notices=read_notices(told["notices"]),
        is_anonymous=told["is_anonymous"] == "1",
        wrong_codes=int(told["wrong_codes"] or 0),
        is_keyed=told["is_keyed"] == "1",
        known=parse_known(told["known"]),
        never=parse_never(told["never"]),
        room=told["room"],
        talks=int(told["talks"] or 0),
        is_held=bool(told["held_ms"]),
        told=read_told(told["told"]),
        callback=told["callback"],
        leg_id=told["leg_id"],
        entered_ms=_instant(told["entered_ms"]),
        is_led=bool(told["led"]),
        named=parse_named(told["named"]),
    )


def read_notices(text: str) -> tuple[Notice, ...]:
    return tuple(
        Notice(
            id=told["id"],
            kind=told.get("kind") or "",
            text=told["text"],
            ticket_no=told.get("ticket_no") or "",
        )
        for told in (json.loads(text) if text else ())
    )


def read_offer_facts(texts: Sequence[str], now_ms: int) -> OfferFacts:
    told = dict(zip((*OFFER_FACTS, *OFFERED_CALL_FACTS), texts, strict=True))
    return OfferFacts(
        offer_id=OfferId(told["offer_id"]),
        call_id=CallId(told["call_id"]),
        agent_id=AgentId(told["agent_id"]),
        state=OfferState(told["state"]),
        leg_id=told["leg_id"],
        customer_name=told["customer_name"],
        tier=told["tier"],
        locale=told["locale"],
        queue=told["queue"],
        matter=told["matter"],
        ticket_no=told["ticket_no"],
        waited_ms=now_ms - int(told["queued_ms"]) if told["queued_ms"] else 0,
        consults_in=told["room"] if told["consult_id"] == told["offer_id"] else "",
        callback=told["callback"],
    )


def read_desk_state(told: Mapping[str, Any], plan: Plan, now_ms: int) -> DeskState:
    agent: Mapping[str, str] = told["agent"]
    state = AgentState(agent["state"])
    return DeskState(
        agent_id=AgentId(agent["agent_id"]),
        name=agent["name"],
        state=state,
        reason=agent.get("reason", ""),
        next=agent.get("next", ""),
        since_ms=int(agent["since_ms"]),
        now_ms=now_ms,
        offer=_desk_offer(told, now_ms) if state is AgentState.OFFERED else None,
        call=_desk_call(told["call"], told["consult"] or {})
        if state in _WITH_CALL and told["call"]
        else None,
        wrap_up_until_ms=_instant(agent.get("wrap_up_until_ms", "")),
        is_extendable=state is AgentState.WRAP_UP and agent.get("is_extended") != "1",
        waiting=_waiting_for(skills_of(agent["skills"]), told["lanes"], plan),
    )


_WITH_CALL = frozenset({AgentState.CONNECTING, AgentState.CONNECTED, AgentState.WRAP_UP})


def _desk_offer(told: Mapping[str, Any], now_ms: int) -> DeskOffer | None:
    offer, call = told["offer"], told["call"]
    if not offer or not call:
        return None
    queued_ms = int(call["queued_ms"])
    return DeskOffer(
        offer_id=OfferId(offer["offer_id"]),
        call_id=CallId(offer["call_id"]),
        state=OfferState(offer["state"]),
        customer_id=call["customer_id"],
        customer_name=call["customer_name"],
        tier=call["tier"],
        queue=call["queue"],
        matter=call["matter"],
        ticket_no=call["ticket_no"],
        queued_ms=queued_ms,
        waited_ms=now_ms - queued_ms,
        callback=call.get("callback", ""),
        ends_ms=_instant(told["ends_ms"]) if offer["state"] != OfferState.CLAIMED else None,
        why=json.loads(offer["why"]),
        asked_by=offer.get("asked_by", ""),
        caller=_caller(call),
    )


def _caller(call: Mapping[str, str]) -> CallerFacts:
    return CallerFacts(
        area=call.get("area", ""),
        contact=call.get("contact", ""),
        shared=int(call.get("shared") or 0),
        is_care=call.get("is_care") == "1",
        is_internal=call.get("is_internal") == "1",
        is_anonymous=call.get("is_anonymous") == "1",
        is_keyed=call.get("is_keyed") == "1",
        manager=call.get("manager", ""),
        manager_name=call.get("manager_name", ""),
        given=own_given(call.get("given", "")),
    )


def own_given(text: str) -> dict[str, str]:
    """What was keyed under the site's own names."""
    given = json.loads(text) if text else {}
    return {name: value for name, value in given.items() if name not in LOOKED_UP}


def _desk_call(call: Mapping[str, str], consult: Mapping[str, str]) -> DeskCall:
    return DeskCall(
        call_id=CallId(call["call_id"]),
        state=CallState(call["state"]),
        customer_id=call["customer_id"],
        customer_name=call["customer_name"],
        tier=call["tier"],
        queue=call["queue"],
        matter=call["matter"],
        ticket_no=call["ticket_no"],
        record=call["record"],
        callback=call.get("callback", ""),
        queued_ms=_instant(call.get("queued_ms", "")),
        talks_since_ms=_instant(call.get("connected_ms", "")),
        held_ms=_instant(call.get("held_ms", "")),
        asked_agent=consult.get("agent_id", ""),
        asked_state=consult.get("state", ""),
        ended_ms=_instant(call.get("ended_ms", "")),
        caller=_caller(call),
    )


def _waiting_for(skills: frozenset[str], lanes: Iterable[tuple[str, int]], plan: Plan) -> dict[str, int]:
    """Of the queues this agent serves, also those where nobody waits, and those the plan has no more."""
    waiting = {queue.id: 0 for queue in plan.queues.values() if skills >= set(queue.needs)}
    for rules, count in lanes:
        lane = Lane.from_json(rules)
        is_dropped = lane.queue not in plan.queues and skills >= set(lane.needs)
        if lane.queue in waiting or is_dropped:
            waiting[lane.queue] = waiting.get(lane.queue, 0) + int(count)
    return waiting


def read_wall_state(told: Mapping[str, Any], now_ms: int) -> WallState:
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for rules, count, queued_ms in told["lanes"]:
        lane = Lane.from_json(rules)
        groups.setdefault((lane.queue, lane.tier), []).append((int(count), int(queued_ms)))
    for queue, tier, queued_ms in told["held"]:
        if queued_ms:
            groups.setdefault((queue, tier), []).append((1, int(queued_ms)))
    called = Counter((queue, tier) for queue, tier in told["called"])
    waiting = tuple(
        WaitingFacts(
            queue=queue,
            tier=tier,
            waiting=sum(count for count, _ in groups.get((queue, tier), ())),
            longest_queued_ms=min((at for _, at in groups.get((queue, tier), ())), default=None),
            callbacks=called[queue, tier],
        )
        for queue, tier in sorted({*groups, *called})
    )
    agents = (_wall_agent(fields) for fields in told["agents"])
    in_order = sorted(agents, key=lambda each: (each.state, each.since_ms, each.agent_id))
    return WallState(now_ms=now_ms, waiting=waiting, agents=tuple(in_order))


def read_standing(told: Mapping[str, Any], now_ms: int) -> Standing:
    """Agents in an order of their own, so that the same situation gives the same replays."""
    seats = (_seat(fields, now_ms) for fields in sorted(told["agents"]))
    lanes = (_waiting_lane(*each) for each in sorted(told["lanes"], key=itemgetter(0)))
    return Standing(lanes=tuple(lanes), seats=tuple(seat for seat in seats if seat is not None))


def _waiting_lane(lane_id: str, rules: str, waiting: Sequence[str]) -> WaitingLane:
    queued = zip(waiting[1::2], waiting[::2], strict=True)
    calls = tuple((int(queued_ms), member[:ARRIVAL_DIGITS]) for queued_ms, member in queued)
    return WaitingLane(lane_id, Lane.from_json(rules), calls)


def _seat(fields: Sequence[str], now_ms: int) -> Seat | None:
    """None for who takes no call: he is away, or will be after this one."""
    _, skills, state, then, queue, answered_ms, until_ms = fields
    if state in (AgentState.AWAY, AgentState.SIGNED_OUT) or then not in ("", AgentState.READY):
        return None
    seat = Seat(skills_of(skills), queue, tiers=tiers_of(skills))
    if state == AgentState.READY:
        return replace(seat, free_in_ms=0)
    if state == AgentState.WRAP_UP:
        return replace(seat, free_in_ms=max(0, int(until_ms or now_ms) - now_ms))
    is_talking = state == AgentState.CONNECTED and answered_ms
    return replace(seat, talked_ms=max(1, now_ms - int(answered_ms)) if is_talking else 0)


def _wall_agent(fields: Sequence[str]) -> WallAgent:
    agent_id, name, state, reason, since_ms, call_id, missed, heard, *held = fields
    held_ms, held_queue = held or ("", "")
    return WallAgent(
        agent_id=AgentId(agent_id),
        name=name,
        state=AgentState(state),
        reason=reason,
        since_ms=int(since_ms),
        call_id=call_id,
        missed=int(missed or 0),
        is_heard=heard == "1",
        held_ms=_instant(held_ms),
        held_queue=held_queue,
    )


def _instant(text: str) -> int | None:
    return int(text) if text else None
