"""What the switchboard's replies say, as typed facts for the rooms and pages above it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from queues.domain.agents import AgentId, AgentState
from queues.domain.calls import CALL_FACTS, CallId, CallState
from queues.domain.effects import Effect
from queues.domain.offers import OFFER_FACTS, OFFERED_CALL_FACTS, OfferId, OfferState
from queues.domain.plan import Plan


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
    diverted_to: str  # "" | voicemail | callback | goodbye
    message_left: bool


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
    ends_ms: int | None
    why: Mapping[str, Any]


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
    queued_ms: int | None
    answered_ms: int | None
    ended_ms: int | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WallAgent:
    agent_id: AgentId
    name: str
    state: AgentState
    reason: str
    since_ms: int
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WallState:
    now_ms: int
    waiting: tuple[WaitingFacts, ...]  # by queue, then tier; offered and connecting calls count as waiting
    agents: tuple[WallAgent, ...]  # signed in, by state and since

    def agents_in(self, state: AgentState) -> tuple[WallAgent, ...]:
        return tuple(agent for agent in self.agents if agent.state is state)
