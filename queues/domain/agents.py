"""Agents: who answers, and what he is free for.

Presence is what an agent says of himself: *ready*, *away* (with a reason) or *signed out*. Work is what the
switchboard does with him: *offered* (held for one call), *connecting*, *connected*, *wrap_up*. He has one
call at a time. What he wishes while at work is remembered in `next` and happens when the work is over;
without a wish he is ready again. Being lost (no heartbeat) or missing offers puts him away.

`MOVES` is the whole truth: state -> event -> next state. What the table does not name changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

AgentId = NewType("AgentId", str)


class AgentState(StrEnum):
    SIGNED_OUT = "signed_out"
    AWAY = "away"
    READY = "ready"
    OFFERED = "offered"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WRAP_UP = "wrap_up"


class AgentEvent(StrEnum):
    SIGN_IN = "sign_in"
    RELEASE = "release"  # to ready: his own wish, or the work is over
    REST = "rest"  # to away
    LEAVE = "leave"  # to signed out
    OFFER = "offer"
    ACCEPT = "accept"
    CONNECT = "connect"
    WRAP_UP = "wrap_up"


_S, _E = AgentState, AgentEvent
_FREE: Final = {_E.RELEASE: _S.READY, _E.REST: _S.AWAY, _E.LEAVE: _S.SIGNED_OUT}

MOVES: Final[Mapping[AgentState, Mapping[AgentEvent, AgentState]]] = {
    _S.SIGNED_OUT: {_E.SIGN_IN: _S.AWAY},
    _S.AWAY: _FREE,
    _S.READY: {_E.OFFER: _S.OFFERED, _E.REST: _S.AWAY, _E.LEAVE: _S.SIGNED_OUT},
    _S.OFFERED: {_E.ACCEPT: _S.CONNECTING, **_FREE},
    _S.CONNECTING: {_E.CONNECT: _S.CONNECTED, **_FREE},
    _S.CONNECTED: {_E.WRAP_UP: _S.WRAP_UP},
    _S.WRAP_UP: _FREE,
}

AT_WORK: Final = frozenset({_S.OFFERED, _S.CONNECTING, _S.CONNECTED, _S.WRAP_UP})
PRESENCES: Final = (AgentState.READY, AgentState.AWAY, AgentState.SIGNED_OUT)

# Reasons the house gives; every other reason is the agent's own word.
SIGNED_IN, LOST, MISSED = "signed_in", "lost", "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Every field is also a field of the hash `<site>:agent:<agent_id>`, under the same name."""

    agent_id: AgentId
    name: str
    skills: str  # sorted, joined by ","; agents with equal skills are one pool
    endpoint: str
    state: AgentState
    since_ms: int
    reason: str = ""
    next: str = ""  # "" | ready | away:<reason> | signed_out
    idle_ms: int = 0  # when his last work ended: the longest idle comes first
    call_id: str = ""
    offer_id: str = ""
    missed: int = 0  # offers missed in a row
    wrap_up_until_ms: int | None = None
    is_extended: bool = False
    turn: int = 0  # in a rotation: when he had his last one, counted
    own: str = ""  # the skills he signed in with
    lent: str = ""  # the queues he is lent to, each with its skills: see live_rules


def next_state(state: AgentState, event: AgentEvent) -> AgentState | None:
    return MOVES[state].get(event)


def wish(presence: str, reason: str) -> str:
    """The text of `next` for a presence asked for while at work."""
    return f"{AgentState.AWAY}:{reason}" if presence == AgentState.AWAY else presence
