"""The queues as they stand now: who waits where with which key, who may answer, what is closed by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from queues.domain.agents import AgentState
from queues.domain.lanes import Lane
from queues.domain.live_rules import parse_lent
from queues.domain.skills import skills_of, tiers_of

HEADS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCall:
    """A call in its lane. `tier` is the customer's own, `lane.tier` that by which he is served."""

    call_id: str
    arrival: str
    queued_ms: int
    lane_id: str
    lane: Lane
    customer_name: str
    tier: str
    matter: str
    ticket_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAgent:
    agent_id: str
    name: str
    state: AgentState
    skills: frozenset[str]
    tiers: frozenset[str]  # that his seat is dedicated to; none: to nobody
    lent: tuple[str, ...]  # the queues he is lent to
    idle_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A queue is closed by hand."""

    by: str
    at_ms: int
    leads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBoard:
    """`counts` has all who wait, by queue; `waiting` the first HEADS_SHOWN of each lane."""

    now_ms: int
    waiting: tuple[WaitingCall, ...]
    counts: Mapping[str, int]
    agents: tuple[QueueAgent, ...]
    closed: Mapping[str, Closing]


def read_board(told: Mapping[str, Any], now_ms: int) -> QueueBoard:
    """From the script's reply; an empty Lua table may be an object."""
    waiting: list[WaitingCall] = []
    counts: dict[str, int] = {}
    for lane_id, rules, count, calls in told["lanes"]:
        lane = Lane.from_json(rules)
        counts[lane.queue] = counts.get(lane.queue, 0) + int(count)
        for call_id, arrival, queued_ms, name, tier, matter, ticket_no, _ in calls:
            waiting.append(
                WaitingCall(
                    call_id=call_id,
                    arrival=arrival,
                    queued_ms=int(queued_ms),
                    lane_id=lane_id,
                    lane=lane,
                    customer_name=name,
                    tier=tier,
                    matter=matter,
                    ticket_no=ticket_no,
                )
            )
    agents = (_agent(*fields) for fields in told["agents"])
    return QueueBoard(
        now_ms=now_ms,
        waiting=tuple(waiting),
        counts=counts,
        agents=tuple(sorted(agents, key=lambda each: (each.name, each.agent_id))),
        closed={queue: read_closing(text) for queue, text in told["closed"]},
    )


def read_closing(text: str) -> Closing:
    fields = json.loads(text)
    return Closing(by=fields["by"], at_ms=int(fields["at_ms"]), leads=bool(fields["leads"]))


def _agent(agent_id: str, name: str, state: str, skills: str, lent: str, idle_ms: str) -> QueueAgent:
    return QueueAgent(
        agent_id=agent_id,
        name=name,
        state=AgentState(state),
        skills=skills_of(skills),
        tiers=tiers_of(skills),
        lent=tuple(parse_lent(lent)),
        idle_ms=int(idle_ms or 0),
    )
