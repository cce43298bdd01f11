"""Routing: which waiting call goes to which ready agent, and why.

Exact, and in time of the number of lanes: only the heads of lanes are compared. Safety goes first, then heads
past their tier's ceiling, then the lowest key, ties by arrival; each takes the longest idle agent who has
what it needs. All widening runs from `queued_ms`, so a head is at least as wide as those behind it, and a
lane whose head finds nobody is done. Only whom a call must not go to yet (he missed, declined, never
rang) lets the next behind it try, at most HEADS_MAX deep. Who missed a call may have it again at once if no
other agent is ready for it.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from queues.domain.lanes import MISSED, Class, Lane, Rank, Skip, call_id_of, parse_skips, rank
from queues.domain.plan import Plan
from queues.domain.state import State

HEADS_MAX: Final = 8
AGENTS_MAX: Final = 32
CANDIDATES_TOLD: Final = 8


@dataclass(frozen=True, slots=True)
class Waiting:
    call_id: str
    arrival: str
    queued_ms: int
    skips: tuple[Skip, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneHeads:
    lane: Lane
    waiting: tuple[Waiting, ...]  # from the head


@dataclass(frozen=True, slots=True)
class Pool:
    """Ready agents of equal skills, the longest idle first."""

    skills: frozenset[str]
    agents: tuple[tuple[int, str], ...]  # idle_ms, agent_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    turn: int
    seen: str = "0-0"  # the newest id of the journal: what the decision knew
    lanes: tuple[LaneHeads, ...] = ()
    pools: tuple[Pool, ...] = ()
    late: tuple[str, ...] = ()  # deadlines that have passed
    lost: tuple[str, ...] = ()  # agents not heard of
    deadline_ms: int | None = None  # the earliest
    due_ms: int | None = None  # of the earliest effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    call_id: str
    agent_id: str
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Width:
    """How far a head has widened: whose skills will do, and whether it stands in front."""

    needs: tuple[frozenset[str], ...]
    queues: tuple[str, ...]
    is_front: bool


@dataclass(slots=True)
class _Seat:
    """A pool while it is being emptied."""

    skills: frozenset[str]
    agents: list[tuple[int, str]]


@dataclass(order=True, slots=True)
class _Head:
    rank: Rank
    depth: int = field(compare=False)
    heads: LaneHeads = field(compare=False)
    width: Width = field(compare=False)

    @property
    def call(self) -> Waiting:
        return self.heads.waiting[self.depth]


def decide(plan: Plan, snapshot: Snapshot, now_ms: int) -> tuple[Match, ...]:
    """The matches of this instant, in the order they are to be claimed."""
    seats = [_Seat(pool.skills, list(pool.agents)) for pool in snapshot.pools]
    line = [head for heads in snapshot.lanes if (head := _head(plan, heads, 0, now_ms))]
    heapq.heapify(line)
    matches = []
    while line and any(seat.agents for seat in seats):
        head = heapq.heappop(line)
        choice = _choose(head, seats, now_ms)
        if choice.agent is not None:
            told = {**_reasons(head, choice, now_ms), **_candidates(head, line)}
            basis = {"version": plan.version, "turn": snapshot.turn, "seen": snapshot.seen, "now_ms": now_ms}
            matches.append(Match(call_id=head.call.call_id, agent_id=choice.agent[1], why={**basis, **told}))
        elif not choice.passed_over:
            continue
        if behind := _head(plan, head.heads, head.depth + 1, now_ms):
            heapq.heappush(line, behind)
    return tuple(matches)


def widen(plan: Plan, lane: Lane, waited_ms: int) -> Width:
    """What a call of this lane may be offered to after waiting so long.

    A queue that the plan in force has no more, because the site's words changed while calls waited in it, goes on
    without overflow; a tier it has no more goes on without a ceiling. Who can take the call says the lane itself.
    """
    queue = plan.queues.get(lane.queue)
    own = frozenset(lane.needs)
    steps = [step for step in queue.overflow if step.after_ms <= waited_ms] if queue else []
    beyond = own - frozenset(queue.needs) if queue else own  # the caller's own, such as a language
    reached = [step.to_queue for step in steps if step.to_queue in plan.queues]
    needs = (own, *(beyond | frozenset(plan.queues[name].needs) for name in reached))
    return Width(needs, (lane.queue, *reached), any(step.front for step in steps))


def _head(plan: Plan, heads: LaneHeads, depth: int, now_ms: int) -> _Head | None:
    if depth >= len(heads.waiting):
        return None
    call, lane = heads.waiting[depth], heads.lane
    width = widen(plan, lane, now_ms - call.queued_ms)
    tier, cap_ms = plan.tiers.get(lane.tier), plan.head_start_cap_ms
    place = rank(
        queued_ms=call.queued_ms,
        arrival=call.arrival,
        head_start_ms=cap_ms if width.is_front else min(lane.head_start_ms, cap_ms),
        is_safety=lane.is_safety,
        ceiling_ms=tier.ceiling_ms if tier else None,
        now_ms=now_ms,
    )
    return _Head(place, depth, heads, width)


@dataclass(slots=True)
class _Choice:
    agent: tuple[int, str] | None
    eligible: int
    passed_over: tuple[Skip, ...]


def _choose(head: _Head, seats: list[_Seat], now_ms: int) -> _Choice:
    """The longest idle who may take it, taken out of his seat."""
    skips = {skip.agent_id: skip for skip in head.call.skips if skip.until_ms > now_ms}
    fit = [seat for seat in seats if seat.agents and any(need <= seat.skills for need in head.width.needs)]
    passed = tuple(skips[agent_id] for seat in fit for _, agent_id in seat.agents if agent_id in skips)
    free = [(agent, seat) for seat in fit if (agent := _first(seat.agents, skips)) is not None]
    if not free:
        missed = {skip.agent_id for skip in passed if skip.why == MISSED}
        free = [(agent, seat) for seat in fit for agent in seat.agents if agent[1] in missed]
    eligible = sum(len(seat.agents) for seat in fit)
    if not free:
        return _Choice(None, eligible, passed)
    agent, seat = min(free, key=lambda each: each[0])
    seat.agents.remove(agent)
    return _Choice(agent, eligible, tuple(skip for skip in passed if skip.agent_id != agent[1]))


def _first(agents: Iterable[tuple[int, str]], skips: Mapping[str, Skip]) -> tuple[int, str] | None:
    return next((agent for agent in agents if agent[1] not in skips), None)


_RULES: Final = {Class.SAFETY: "safety", Class.PAST_CEILING: "ceiling", Class.ORDINARY: "key"}


def _candidates(first: _Head, line: list[_Head]) -> dict[str, Any]:
    """The heads that were compared, in their order; the first is the one decided on."""
    told = [
        {
            "call_id": head.call.call_id,
            "lane": head.heads.lane.lane_id,
            "rule": _RULES[head.rank.rank_class],
            "key": head.rank.key,
        }
        for head in (first, *heapq.nsmallest(CANDIDATES_TOLD - 1, line))
    ]
    return {"candidates": told, "lanes": 1 + len(line)}


def _reasons(head: _Head, choice: _Choice, now_ms: int) -> dict[str, Any]:
    idle_ms, agent_id = choice.agent or (0, "")
    return {
        "rule": _RULES[head.rank.rank_class],
        "key": head.rank.key,
        "waited_ms": now_ms - head.call.queued_ms,
        "head_start_ms": head.heads.lane.head_start_ms,
        "is_front": head.width.is_front,
        "queues": list(head.width.queues),
        "agent": {"agent_id": agent_id, "idle_for_ms": now_ms - idle_ms, "eligible": choice.eligible},
        "passed_over": [{"agent_id": skip.agent_id, "why": skip.why} for skip in choice.passed_over],
    }


def waiting_from(member: str, queued_ms: int, skips: str) -> Waiting:
    call_id = call_id_of(member)
    return Waiting(call_id, member[: -len(call_id) - 1], queued_ms, parse_skips(skips))


def snapshot_of(
    state: State,
    now_ms: int,
    *,
    silent_ms: int,
    heads_max: int = HEADS_MAX,
    agents_max: int = AGENTS_MAX,
    late_max: int = 64,
) -> Snapshot:
    """What `read_snapshot` reads from the live store."""
    ready: dict[str, list[tuple[int, str]]] = {}
    for agent_id, idle_ms in state.ready.items():
        ready.setdefault(state.agents[agent_id].skills, []).append((idle_ms, agent_id))
    pools = tuple(Pool(skills_of(text), tuple(sorted(ready[text])[:agents_max])) for text in sorted(ready))
    lanes = tuple(_heads_of(state, lane_id, heads_max) for lane_id in sorted(state.lanes)) if pools else ()
    late = sorted((due_ms, name) for name, due_ms in state.deadlines.items() if due_ms <= now_ms)
    since_ms = now_ms - silent_ms
    silent = sorted((heard_ms, name) for name, heard_ms in state.beats.items() if heard_ms <= since_ms)
    is_anyone_heard = len(silent) < len(state.beats)
    return Snapshot(
        turn=state.turn,
        seen=f"{state.last_ms}-{state.last_seq}",
        lanes=lanes,
        pools=pools,
        late=tuple(name for _, name in late[:late_max]),
        lost=tuple(name for _, name in silent[:late_max]) if is_anyone_heard else (),
        deadline_ms=min(state.deadlines.values(), default=None),
        due_ms=min(state.due.values(), default=None),
    )


def _heads_of(state: State, lane_id: str, heads_max: int) -> LaneHeads:
    entries = state.lanes[lane_id][:heads_max]
    calls = [state.calls[call_id_of(member)] for _, member in entries]
    waiting = (
        waiting_from(member, at, call.skips) for (at, member), call in zip(entries, calls, strict=True)
    )
    return LaneHeads(Lane.from_json(state.lane_rules[lane_id]), tuple(waiting))


def skills_of(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()
