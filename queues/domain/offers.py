"""Offers: one call held for one agent until a deadline.

An offer is *claimed* in the step that takes the call out of its lane and the agent out of the ready ones.
His phone is *ringing*, then *answered* (the leg is up and he hears who is calling), then *accepted*. Or it
ends unaccepted: *declined* by him, *expired* (it rang, or whispered, in vain: RONA), *unrung* (the phone
never rang: not his fault), *withdrawn* (the caller is gone, or the agent is). It ends once. Callbacks may be
lost or overtake each other, so each step also follows from the steps before the one expected.

`MOVES` is the whole truth: state -> event -> next state. What the table does not name changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

OfferId = NewType("OfferId", str)


class OfferState(StrEnum):
    CLAIMED = "claimed"
    RINGING = "ringing"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    UNRUNG = "unrung"
    WITHDRAWN = "withdrawn"


class OfferEvent(StrEnum):
    RING = "ring"
    ANSWER = "answer"
    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRE = "expire"
    UNRING = "unring"
    WITHDRAW = "withdraw"


_S, _E = OfferState, OfferEvent

MOVES: Final[Mapping[OfferState, Mapping[OfferEvent, OfferState]]] = {
    _S.CLAIMED: {
        _E.RING: _S.RINGING, _E.ANSWER: _S.ANSWERED, _E.ACCEPT: _S.ACCEPTED, _E.DECLINE: _S.DECLINED,
        _E.EXPIRE: _S.EXPIRED, _E.UNRING: _S.UNRUNG, _E.WITHDRAW: _S.WITHDRAWN,
    },
    _S.RINGING: {
        _E.ANSWER: _S.ANSWERED, _E.ACCEPT: _S.ACCEPTED, _E.DECLINE: _S.DECLINED,
        _E.EXPIRE: _S.EXPIRED, _E.UNRING: _S.UNRUNG, _E.WITHDRAW: _S.WITHDRAWN,
    },
    _S.ANSWERED: {
        _E.ACCEPT: _S.ACCEPTED, _E.DECLINE: _S.DECLINED, _E.EXPIRE: _S.EXPIRED, _E.WITHDRAW: _S.WITHDRAWN,
    },
    _S.ACCEPTED: {}, _S.DECLINED: {}, _S.EXPIRED: {}, _S.UNRUNG: {}, _S.WITHDRAWN: {},
}  # fmt: skip

OPEN: Final = frozenset({OfferState.CLAIMED, OfferState.RINGING, OfferState.ANSWERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Every field is also a field of the hash `<site>:offer:<offer_id>`, under the same name."""

    offer_id: OfferId
    call_id: str
    agent_id: str
    state: OfferState
    claimed_ms: int
    leg_id: str = ""
    customer_leg_id: str = ""  # of a callback: the leg that rings its customer
    ringing_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    is_turn: bool = False  # taken in rotation: it is his turn
    why: str = ""  # JSON: candidates, keys and reasons
    asked_by: str = ""  # the agent who asks him about his own call; "" = the call itself is offered


# What the agent is told of the offer: its own fields, then the call's.
OFFER_FACTS: Final = ("offer_id", "call_id", "agent_id", "state", "leg_id", "asked_by")
OFFERED_CALL_FACTS: Final = (
    "customer_name",
    "tier",
    "locale",
    "queue",
    "matter",
    "ticket_no",
    "queued_ms",
    "room",
    "consult_id",
    "callback",
)


def next_state(state: OfferState, event: OfferEvent) -> OfferState | None:
    return MOVES[state].get(event)


def offer_id_of(call_id: str, n: int) -> OfferId:
    """The n-th offer of a call."""
    return OfferId(f"{call_id}-{n}")
