"""The queues as they stand now: who waits where with which key, who may answer, what is closed by hand."""

import json
from collections import Counter
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
    """A call in its lane. `tier` is the customer's own, `lane.tier` that by which he is served.

    `is_to_call_back`: he has hung up and has our promise; his line is free.
    """

    call_id: str
    arrival: str
    queued_ms: int
    lane_id: str
    lane: Lane
    customer_name: str
    tier: str
    matter: str
    ticket_no: str
    is_to_call_back: bool


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
    """`waiting` has the first HEADS_SHOWN of each lane by their keys, whoever came first where they are equal.

    Safety, ceilings and overflow are not in a key: they are the plan's, and the moment's. By queue, `in_lanes` counts
    all who have a place in its lanes, `counts` those of them who are on the line, and `callbacks` whoever is to be
    called back, in a lane or not.
    """

    now_ms: int
    waiting: tuple[WaitingCall, ...]
    in_lanes: Mapping[str, int]
    counts: Mapping[str, int]
    callbacks: Mapping[str, int]
    agents: tuple[QueueAgent, ...]
    closed: Mapping[str, Closing]


def read_board(told: Mapping[str, Any], now_ms: int) -> QueueBoard:
    """From the script's reply; an empty Lua table may be an object."""
    waiting: list[WaitingCall] = []
    in_lanes, counts = Counter[str](), Counter[str]()
    for lane_id, rules, count, promised, calls in told["lanes"]:
        lane = Lane.from_json(rules)
        in_lanes[lane.queue] += int(count)
        counts[lane.queue] += int(count) - int(promised)
        for call_id, arrival, queued_ms, is_promised, name, tier, matter, ticket_no in calls:
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
                    is_to_call_back=bool(is_promised),
                )
            )
    agents = (_agent(*fields) for fields in told["agents"])
    return QueueBoard(
        now_ms=now_ms,
        waiting=tuple(
            sorted(waiting, key=lambda each: (each.queued_ms - each.lane.head_start_ms, each.arrival))
        ),
        in_lanes=in_lanes,
        counts=counts,
        callbacks=Counter(queue for queue, _tier in told["called"]),
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
