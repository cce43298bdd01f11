"""Routing: which waiting call goes to which ready agent, and why.

Exact, and in time of the number of lanes: heads of lanes are compared, not callers. Safety goes first, then heads
past their tier's ceiling, then the lowest key, ties by arrival; each takes the longest idle agent who has
what it needs. All widening runs from `queued_ms`, so a head is at least as wide as those behind it, and a
lane whose head finds nobody with the skills is done. What a call may not have for reasons of its own lets the next
behind it try: an agent who missed or declined it, or never rang; one it never goes to; and as long as the others
hold back for people it names (see `named`), everybody else. Who missed a call may have it again at once if no
other agent is ready for it.

A snapshot shows the beginning of each lane and of each pool. Where the next decision could depend on what it does
not show, the round ends (`is_cut`) and the dispatcher looks again, further when nothing was decided: what is decided
is what a look at every call and every agent would decide.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from queues.domain.agents import AT_WORK, AgentState
from queues.domain.lanes import MISSED, Class, Lane, Rank, Skip, call_id_of, parse_skips, rank
from queues.domain.named import Named, parse_named, parse_never
from queues.domain.plan import Plan
from queues.domain.skills import skills_of
from queues.domain.state import State

HEADS_MAX: Final = 8
AGENTS_MAX: Final = 32
FURTHER: Final = 8  # so many times as far, where a look decided nothing and did not show everything
CANDIDATES_TOLD: Final = 8
NEVER: Final = "never"

IdleAgent = tuple[int, str]  # idle_ms, agent_id


@dataclass(frozen=True, slots=True)
class Waiting:
    call_id: str
    arrival: str
    queued_ms: int
    skips: tuple[Skip, ...] = ()
    never: frozenset[str] = frozenset()
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneHeads:
    lane: Lane
    waiting: tuple[Waiting, ...]  # from the head
    is_cut: bool = False  # more wait behind them


@dataclass(frozen=True, slots=True)
class Pool:
    """Ready agents of equal skills, the longest idle first."""

    skills: frozenset[str]
    agents: tuple[IdleAgent, ...]
    is_cut: bool = False  # there are more, idle for less long


@dataclass(frozen=True, slots=True)
class Person:
    """An agent whom a waiting call names."""

    state: str
    skills: frozenset[str]
    idle_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    turn: int
    seen: str = "0-0"  # the newest id of the journal: what the decision knew
    lanes: tuple[LaneHeads, ...] = ()
    pools: tuple[Pool, ...] = ()
    # Of those whom the calls shown name, the ones who are signed in, by agent_id.
    people: Mapping[str, Person] = field(default_factory=dict)
    late: tuple[str, ...] = ()  # deadlines that have passed
    lost: tuple[str, ...] = ()  # agents not heard of
    deadline_ms: int | None = None  # the earliest
    due_ms: int | None = None  # of the earliest effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    call_id: str
    agent_id: str
    why: Mapping[str, Any]


class Round(NamedTuple):
    """What one look decides."""

    matches: tuple[Match, ...]
    is_cut: bool = False  # what the snapshot does not show could decide who is next


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
    agents: list[IdleAgent]
    is_cut: bool

    @property
    def is_open(self) -> bool:
        """Somebody of it is ready, or may be."""
        return bool(self.agents) or self.is_cut


@dataclass(order=True, slots=True)
class _Head:
    rank: Rank
    depth: int = field(compare=False)
    heads: LaneHeads = field(compare=False)
    width: Width = field(compare=False)

    @property
    def is_end(self) -> bool:
        """Stands for whoever waits behind those that were read: it ranks no later than the first of them."""
        return self.depth >= len(self.heads.waiting)

    @property
    def call(self) -> Waiting:
        return self.heads.waiting[min(self.depth, len(self.heads.waiting) - 1)]


def decide(plan: Plan, snapshot: Snapshot, now_ms: int) -> tuple[Match, ...]:
    """The matches of this instant, in the order they are to be claimed."""
    return decide_round(plan, snapshot, now_ms).matches


def decide_round(plan: Plan, snapshot: Snapshot, now_ms: int) -> Round:
    """The matches of this look; where it is cut, another may give more."""
    room = _Room(snapshot, now_ms)
    line = [head for heads in snapshot.lanes if (head := _head(plan, heads, 0, now_ms))]
    heapq.heapify(line)
    matches: list[Match] = []
    while line and room.is_anyone_ready:
        head = heapq.heappop(line)
        fit = room.fit(head.width)
        if head.is_end:
            if fit:
                return Round(tuple(matches), is_cut=True)
            continue
        choice = _choose(head, fit, room)
        if choice.is_unknown:
            return Round(tuple(matches), is_cut=True)
        if choice.agent is not None:
            room.take(choice.agent)
            told = {**_reasons(head, choice, now_ms), **_candidates(head, line)}
            basis = {"version": plan.version, "turn": snapshot.turn, "seen": snapshot.seen, "now_ms": now_ms}
            matches.append(Match(call_id=head.call.call_id, agent_id=choice.agent[1], why={**basis, **told}))
        elif not choice.is_own:
            continue
        if behind := _head(plan, head.heads, head.depth + 1, now_ms):
            heapq.heappush(line, behind)
    return Round(tuple(matches))


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
    """The call so deep in the lane; after the last one that was read, the end that stands for the others."""
    is_end = depth == len(heads.waiting)
    if depth > len(heads.waiting) or (is_end and not (heads.is_cut and depth)):
        return None
    call, lane = heads.waiting[depth - is_end], heads.lane
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


class _Room:
    """Who is ready, while the round hands them out."""

    def __init__(self, snapshot: Snapshot, now_ms: int) -> None:
        self.now_ms = now_ms
        self.people = snapshot.people
        self._seats = [_Seat(pool.skills, list(pool.agents), pool.is_cut) for pool in snapshot.pools]
        self._fit: dict[tuple[frozenset[str], ...], list[_Seat]] = {}
        self._taken: set[str] = set()

    @property
    def is_anyone_ready(self) -> bool:
        return any(seat.is_open for seat in self._seats)

    def fit(self, width: Width) -> list[_Seat]:
        """Seats with the skills for it that somebody may sit in."""
        if width.needs not in self._fit:
            able = [seat for seat in self._seats if is_able(width, seat.skills)]
            self._fit[width.needs] = able
        return [seat for seat in self._fit[width.needs] if seat.is_open]

    def ready_person(self, agent_id: str) -> IdleAgent | None:
        person = self.people.get(agent_id)
        if person is None or person.state != AgentState.READY or agent_id in self._taken:
            return None
        return person.idle_ms, agent_id

    def take(self, agent: IdleAgent) -> None:
        self._taken.add(agent[1])
        for seat in self._seats:
            if agent in seat.agents:
                seat.agents.remove(agent)


def is_able(width: Width, skills: frozenset[str]) -> bool:
    return any(need <= skills for need in width.needs)


@dataclass(slots=True)
class _Choice:
    agent: IdleAgent | None = None
    eligible: int = 0
    passed_over: tuple[Skip, ...] = ()
    named: tuple[tuple[Named, str], ...] = ()  # whom the call names, and what each of them does
    is_by_name: bool = False
    is_own: bool = False  # somebody was ready and able: whoever is behind may have what this call may not
    is_unknown: bool = False  # an agent whom the snapshot does not show could be the one


def _choose(head: _Head, fit: Sequence[_Seat], room: _Room) -> _Choice:
    """Somebody it names, the first in rank; else, when nobody holds back for them, the longest idle who may take it."""
    call, now_ms = head.call, room.now_ms
    skips = {skip.agent_id: skip for skip in call.skips if skip.until_ms > now_ms}
    named = tuple((each, _doing(each, head, skips, room)) for each in call.named)
    choice = _Choice(named=named, is_own=bool(fit))
    for each, doing in named:
        if doing == AgentState.READY:
            choice.agent, choice.is_by_name, choice.eligible = room.ready_person(each.agent_id), True, 1
            return choice
    hold_ms = sum(each.wait_ms for each, doing in named if doing in _HELD_FOR)
    if hold_ms and now_ms - call.queued_ms < hold_ms:
        return choice
    return _longest_idle(choice, call, skips, fit)


# What somebody named is, when it is not his state: he has not the skills this call needs.
_UNABLE: Final = "unable"
_HELD_FOR: Final = frozenset({AgentState.READY, *AT_WORK})


def _doing(named: Named, head: _Head, skips: Mapping[str, Skip], room: _Room) -> str:
    """His state as far as this call goes; the others hold back for him while he is at work, or on his way."""
    person = room.people.get(named.agent_id)
    if person is None:
        return AgentState.SIGNED_OUT
    if named.agent_id in head.call.never:
        return NEVER
    if named.agent_id in skips:
        return skips[named.agent_id].why
    if not is_able(head.width, person.skills):
        return _UNABLE
    if person.state == AgentState.READY and room.ready_person(named.agent_id) is None:
        return AgentState.OFFERED
    return person.state


def _longest_idle(choice: _Choice, call: Waiting, skips: Mapping[str, Skip], fit: Sequence[_Seat]) -> _Choice:
    free = [agent for seat in fit if (agent := _first(seat, call, skips)) is not None]
    choice.is_unknown = any(seat.is_cut and _first(seat, call, skips) is None for seat in fit)
    passed = tuple(_passed(fit, call, skips))
    if not free:
        missed = {skip.agent_id for skip in passed if skip.why == MISSED}
        free = [agent for seat in fit for agent in seat.agents if agent[1] in missed]
    choice.eligible = sum(len(seat.agents) for seat in fit) - sum(skip.why == NEVER for skip in passed)
    choice.agent = min(free, default=None)
    chosen = choice.agent[1] if choice.agent else ""
    choice.passed_over = tuple(skip for skip in passed if skip.agent_id != chosen)
    return choice


def _passed(fit: Sequence[_Seat], call: Waiting, skips: Mapping[str, Skip]) -> Iterator[Skip]:
    """Who is ready and able, and may not have it, or not yet."""
    if not skips and not call.never:
        return
    for seat in fit:
        for _, agent_id in seat.agents:
            if agent_id in call.never:
                yield Skip(0, NEVER, agent_id)
            elif agent_id in skips:
                yield skips[agent_id]


def _first(seat: _Seat, call: Waiting, skips: Mapping[str, Skip]) -> IdleAgent | None:
    return next(
        (agent for agent in seat.agents if agent[1] not in skips and agent[1] not in call.never), None
    )


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
        if not head.is_end
    ]
    return {"candidates": told, "lanes": 1 + len(line)}


def _reasons(head: _Head, choice: _Choice, now_ms: int) -> dict[str, Any]:
    idle_ms, agent_id = choice.agent or (0, "")
    told = {
        "rule": _RULES[head.rank.rank_class],
        "key": head.rank.key,
        "waited_ms": now_ms - head.call.queued_ms,
        "head_start_ms": head.heads.lane.head_start_ms,
        "is_front": head.width.is_front,
        "queues": list(head.width.queues),
        "agent": {"agent_id": agent_id, "idle_for_ms": now_ms - idle_ms, "eligible": choice.eligible},
        "passed_over": [{"agent_id": skip.agent_id, "why": skip.why} for skip in choice.passed_over],
    }
    if choice.named:
        told["asked"] = [
            {"agent_id": each.agent_id, "why": each.why, "wait_ms": each.wait_ms, "is": str(doing)}
            for each, doing in choice.named
        ]
    if choice.is_by_name:
        (named,) = (each for each, _ in choice.named if each.agent_id == agent_id)
        told["named"] = {"agent_id": agent_id, "why": named.why}
    return told


def waiting_from(member: str, queued_ms: int, skips: str, never: str = "", named: str = "") -> Waiting:
    call_id = call_id_of(member)
    arrival = member[: -len(call_id) - 1]
    return Waiting(call_id, arrival, queued_ms, parse_skips(skips), parse_never(never), parse_named(named))


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
    ready: dict[str, list[IdleAgent]] = {}
    for agent_id, idle_ms in state.ready.items():
        ready.setdefault(state.agents[agent_id].skills, []).append((idle_ms, agent_id))
    pools = tuple(
        Pool(skills_of(text), tuple(sorted(ready[text])[:agents_max]), len(ready[text]) > agents_max)
        for text in sorted(ready)
    )
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
        people=_people_of(state, lanes),
        late=tuple(name for _, name in late[:late_max]),
        lost=tuple(name for _, name in silent[:late_max]) if is_anyone_heard else (),
        deadline_ms=min(state.deadlines.values(), default=None),
        due_ms=min(state.due.values(), default=None),
    )


def _heads_of(state: State, lane_id: str, heads_max: int) -> LaneHeads:
    entries = state.lanes[lane_id][:heads_max]
    calls = [state.calls[call_id_of(member)] for _, member in entries]
    waiting = (
        waiting_from(member, at, call.skips, call.never, call.named)
        for (at, member), call in zip(entries, calls, strict=True)
    )
    is_cut = len(state.lanes[lane_id]) > heads_max
    return LaneHeads(Lane.from_json(state.lane_rules[lane_id]), tuple(waiting), is_cut)


def _people_of(state: State, lanes: Sequence[LaneHeads]) -> dict[str, Person]:
    """Of those whom the calls read name, the ones who are signed in."""
    named = {each.agent_id for heads in lanes for call in heads.waiting for each in call.named}
    found = ((agent_id, state.agents.get(agent_id)) for agent_id in named)
    return {
        agent_id: Person(str(agent.state), skills_of(agent.skills), agent.idle_ms)
        for agent_id, agent in found
        if agent is not None and agent.state is not AgentState.SIGNED_OUT
    }
