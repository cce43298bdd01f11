"""Routing: which waiting call goes to which ready agent, and why.

Exact, and in time of the number of lanes: heads of lanes are compared, not callers. Safety goes first, then heads
past their tier's ceiling, then the lowest key, ties by arrival; each takes the longest idle agent who has
what it needs. All widening runs from `queued_ms`, so a head is at least as wide as those behind it, and a
lane whose head finds nobody with the skills is done. What a call may not have for reasons of its own lets the next
behind it try: an agent who missed or declined it, or never rang; one it never goes to; and as long as the others
hold back for people it names (see `named`), everybody else. Who missed a call may have it again at once if no
other agent is ready for it.

A seat that is dedicated to tiers takes nobody else's calls, and goes first for them. Of the seats that a queue keeps
for some tiers (`reserve`) so many idle ones are left for them, until somebody else has waited too long. A matter of
safety may have any seat. In a queue with rotation the agent whose last turn is the oldest takes the call; whoever asks
for people of his own and cannot have them goes to the last in the order, whom it costs no turn.

Where customers are called back before an agent is held, a match with one who has no line means that he is rung: the
agent stays free, for whoever is next. There are never more of them at once than agents free who may take them.

A snapshot shows the beginning of each lane and of each pool. Where the next decision could depend on what it does
not show, the round ends (`is_cut`) and the dispatcher looks again, further when nothing was decided: what is decided
is what a look at every call and every agent would decide.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from queues.domain.abandoned import entry_of
from queues.domain.agents import AT_WORK, AgentState
from queues.domain.calls import CallState
from queues.domain.lanes import MISSED, Class, Lane, Rank, Skip, call_id_of, parse_skips, rank
from queues.domain.named import Named, parse_named, parse_never
from queues.domain.plan import ROTATION, Plan, Queue
from queues.domain.skills import skills_of, tiers_of
from queues.domain.state import State
from queues.domain.surges import surging_queues

HEADS_MAX: Final = 8
AGENTS_MAX: Final = 32
DEEPER: Final = 4  # so many times as many of the lane that is likeliest to be next
FURTHER: Final = 8  # so many times as far, where a look decided nothing and did not show everything
CANDIDATES_TOLD: Final = 8
NEVER: Final = "never"

CUSTOMER_FIRST: Final = "customer"

IdleAgent = tuple[int, str]  # idle_ms, agent_id
RAISED: Final = "raised by hand"


@dataclass(frozen=True, slots=True)
class Waiting:
    call_id: str
    arrival: str
    queued_ms: int
    skips: tuple[Skip, ...] = ()
    never: frozenset[str] = frozenset()
    named: tuple[Named, ...] = ()
    is_off_line: bool = False  # he is to be called back, and has no line to us


@dataclass(frozen=True, slots=True)
class LaneHeads:
    lane: Lane
    waiting: tuple[Waiting, ...]  # from the head
    is_cut: bool = False  # more wait behind them
    is_surging: bool = False  # of its queue, or of an area that calls there


@dataclass(frozen=True, slots=True)
class Pool:
    """Ready agents of equal skills, the longest idle first."""

    skills: frozenset[str]
    agents: tuple[IdleAgent, ...]
    is_cut: bool = False  # there are more, idle for less long
    tiers: frozenset[str] = frozenset()  # that their seats are dedicated to; none: to nobody
    turns: tuple[int, ...] = ()  # in a rotation: when each had his last turn


@dataclass(frozen=True, slots=True)
class Person:
    """An agent whom a waiting call names."""

    state: str
    skills: frozenset[str]
    idle_ms: int
    tiers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    turn: int
    seen: str = "0-0"  # the newest id of the journal: what the decision knew
    lanes: tuple[LaneHeads, ...] = ()
    pools: tuple[Pool, ...] = ()
    # Of those whom the calls shown name, the ones who are signed in, by agent_id.
    people: Mapping[str, Person] = field(default_factory=dict)
    signed_in: int = 0  # agents
    # The needs of each customer who is being rung with no agent held for him, or waits on that line.
    called: tuple[frozenset[str], ...] = ()
    released: frozenset[str] = frozenset()  # queues whose kept seats are for everybody now
    late: tuple[str, ...] = ()  # deadlines that have passed
    lost: tuple[str, ...] = ()  # agents not heard of
    deadline_ms: int | None = None  # the earliest
    due_ms: int | None = None  # of the earliest effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    call_id: str
    agent_id: str
    why: Mapping[str, Any]
    is_turn: bool = False  # it is his turn in a rotation
    is_call: bool = False  # the customer is rung because of this agent, who is not held


class ReserveChange(NamedTuple):
    """The kept seats of a queue are to be kept again, or no longer; who they are not for has waited so long."""

    queue: str
    is_armed: bool
    waited_ms: int


class Round(NamedTuple):
    """What one look decides."""

    matches: tuple[Match, ...]
    is_cut: bool = False  # what the snapshot does not show could decide who is next
    kept_back: frozenset[str] = (
        frozenset()
    )  # ready agents that somebody waiting may not have: a queue keeps them


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
    tiers: frozenset[str]
    turns: Mapping[str, int]

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
    room = _Room(plan, snapshot, now_ms)
    line = [head for heads in snapshot.lanes if (head := _head(plan, heads, 0, now_ms))]
    heapq.heapify(line)
    matches: list[Match] = []
    while line and room.is_anyone_ready:
        head = heapq.heappop(line)
        fit = room.fit(head.width, head.heads.lane)
        if fit is None:
            return Round(tuple(matches), is_cut=True)
        if head.is_end:
            if fit:
                return Round(tuple(matches), is_cut=True)
            continue
        choice = _choose(head, fit, room)
        if choice.is_unknown:
            return Round(tuple(matches), is_cut=True)
        if choice.agent is not None:
            room.take(choice)
            told = {**_reasons(head, choice, room), **_candidates(head, line)}
            basis = {"version": plan.version, "turn": snapshot.turn, "seen": snapshot.seen, "now_ms": now_ms}
            matches.append(
                Match(
                    call_id=head.call.call_id,
                    agent_id=choice.agent[1],
                    why={**basis, **told},
                    is_turn=choice.is_turn,
                    is_call=choice.is_call,
                )
            )
        else:
            room.kept_back |= {kept.agent_id for kept in room.barred}
            if not choice.is_own:
                continue
        if behind := _head(plan, head.heads, head.depth + 1, now_ms):
            heapq.heappush(line, behind)
    return Round(tuple(matches), kept_back=frozenset(room.kept_back))


def reserve_changes(plan: Plan, snapshot: Snapshot, now_ms: int) -> tuple[ReserveChange, ...]:
    """Whose kept seats somebody else has waited for too long, and whose nobody does any more."""
    changes = []
    for queue in plan.queues.values():
        if queue.reserve is None or not snapshot.pools:
            continue
        waited_ms = _others_wait_ms(plan, snapshot, queue, now_ms)
        is_armed = queue.id not in snapshot.released
        if is_armed and waited_ms >= queue.reserve.release_after_ms:
            changes.append(ReserveChange(queue.id, is_armed=False, waited_ms=waited_ms))
        elif not is_armed and waited_ms < queue.reserve.rearm_below_ms:
            changes.append(ReserveChange(queue.id, is_armed=True, waited_ms=waited_ms))
    return tuple(changes)


def _others_wait_ms(plan: Plan, snapshot: Snapshot, queue: Queue, now_ms: int) -> int:
    """How long the first of those waits who could have a seat of this queue, and for whom none is kept."""
    tiers = queue.reserve.tiers if queue.reserve else ()
    heads = (each for each in snapshot.lanes if each.lane.tier not in tiers and not each.lane.is_safety)
    waits = ((each.lane, now_ms - each.waiting[0].queued_ms) for each in heads)
    return max((ms for lane, ms in waits if queue.id in widen(plan, lane, ms).queues), default=0)


def widen(plan: Plan, lane: Lane, waited_ms: int, *, is_surging: bool = False) -> Width:
    """What a call of this lane may be offered to after waiting so long.

    In a surge the steps that are marked for it count at once. A queue that the plan in force has no more, because the
    site's words changed while calls waited in it, goes on without overflow; a tier it has no more goes on without a
    ceiling. Who can take the call says the lane itself.
    """
    queue = plan.queues.get(lane.queue)
    own = frozenset(lane.needs)
    overflow = queue.overflow if queue else ()
    steps = [step for step in overflow if step.after_ms <= waited_ms or (is_surging and step.surge)]
    beyond = own - frozenset(queue.needs) if queue else own  # the caller's own, such as a language
    reached = [step.to_queue for step in steps if step.to_queue and step.to_queue in plan.queues]
    rung = [frozenset({step.ring}) for step in steps if step.ring]
    needs = (
        own,
        *(beyond | each for each in (*(frozenset(plan.queues[name].needs) for name in reached), *rung)),
    )
    return Width(needs, (lane.queue, *reached), any(step.front for step in steps))


def _head(plan: Plan, heads: LaneHeads, depth: int, now_ms: int) -> _Head | None:
    """The call so deep in the lane; after the last one that was read, the end that stands for the others."""
    is_end = depth == len(heads.waiting)
    if depth > len(heads.waiting) or (is_end and not (heads.is_cut and depth)):
        return None
    call, lane = heads.waiting[depth - is_end], heads.lane
    width = widen(plan, lane, now_ms - call.queued_ms, is_surging=heads.is_surging)
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


class Kept(NamedTuple):
    """A ready agent whose seat is left for others."""

    agent_id: str
    queue: str
    tiers: tuple[str, ...]


class _Room:
    """Who is ready, while the round hands them out."""

    def __init__(self, plan: Plan, snapshot: Snapshot, now_ms: int) -> None:
        self.now_ms = now_ms
        self.people = snapshot.people
        self.kept_back: set[str] = set()
        self._rotating = frozenset(queue.id for queue in plan.queues.values() if queue.order == ROTATION)
        self._seats = [_seat(pool) for pool in snapshot.pools]
        self._fit: dict[tuple[tuple[frozenset[str], ...], str, bool], list[_Seat]] = {}
        self._taken: set[str] = set()
        self._called = list(snapshot.called)
        self._calls_first = plan.callback.first == CUSTOMER_FIRST
        self.barred: list[Kept] = []  # from the call that was looked at last
        self._signed_in = snapshot.signed_in
        self._reserves = [
            (queue.id, queue.reserve, [seat for seat in self._seats if _is_of(queue, seat)])
            for queue in plan.queues.values()
            if queue.reserve and queue.id not in snapshot.released
        ]

    @property
    def is_anyone_ready(self) -> bool:
        return any(seat.is_open for seat in self._seats)

    def is_rotating(self, queue: str) -> bool:
        return queue in self._rotating

    def fit(self, width: Width, lane: Lane) -> list[_Seat] | None:
        """Seats that a call of this lane may have, where somebody sits or may sit; None: the snapshot does not tell."""
        key = (width.needs, lane.tier, lane.is_safety)
        if key not in self._fit:
            self._fit[key] = [seat for seat in self._seats if is_able(width, lane, seat)]
        found = [seat for seat in self._fit[key] if seat.is_open]
        self.barred = []
        if not found or not self._reserves or lane.is_safety:
            return found
        for queue, reserve, seats in self._reserves:
            idle = sum(len(seat.agents) for seat in seats)
            if lane.tier in reserve.tiers or idle > reserve.kept(self._signed_in):
                continue
            kept = [seat for seat in found if any(seat is each for each in seats)]
            if kept and any(seat.is_cut for seat in seats):
                return None
            found = [seat for seat in found if not any(seat is each for each in kept)]
            self.barred += [
                Kept(agent_id, queue, reserve.tiers) for seat in kept for _, agent_id in seat.agents
            ]
        return found

    def is_barred(self, agent_id: str) -> bool:
        return any(each.agent_id == agent_id for each in self.barred)

    def ready_person(self, agent_id: str) -> IdleAgent | None:
        person = self.people.get(agent_id)
        if person is None or person.state != AgentState.READY or agent_id in self._taken:
            return None
        return person.idle_ms, agent_id

    def may_call(self, lane: Lane, fit: Sequence[_Seat], eligible: int) -> bool:
        """Never more customers at once without an agent than agents are free who may take them. Counts him, too."""
        rivals = sum(any(needs <= seat.skills for seat in fit) for needs in self._called)
        if rivals >= eligible:
            return False
        self._called.append(frozenset(lane.needs))
        return True

    def calls(self, call: Waiting) -> bool:
        """Whether he is rung before an agent is held for him; not if an agent calls him from the list, and waits."""
        return self._calls_first and call.is_off_line and not entry_of(call.call_id)

    def take(self, choice: _Choice) -> None:
        """Whoever is to be rung takes nobody."""
        agent = choice.agent
        if agent is None or choice.is_call:
            return
        self._taken.add(agent[1])
        for seat in self._seats:
            if agent in seat.agents:
                seat.agents.remove(agent)


def _seat(pool: Pool) -> _Seat:
    turns = dict(zip((agent_id for _, agent_id in pool.agents), pool.turns, strict=False))
    return _Seat(pool.skills, list(pool.agents), pool.is_cut, pool.tiers, turns)


def _is_of(queue: Queue, seat: _Seat) -> bool:
    """One of the seats that the queue keeps some of: whoever sits there may take its calls, of these tiers."""
    tiers = queue.reserve.tiers if queue.reserve else ()
    return frozenset(queue.needs) <= seat.skills and (not seat.tiers or not seat.tiers.isdisjoint(tiers))


class Able(Protocol):
    """Somebody's skills, and the tiers his seat is dedicated to."""

    @property
    def skills(self) -> frozenset[str]: ...

    @property
    def tiers(self) -> frozenset[str]: ...


def is_able(width: Width, lane: Lane, seat: Able) -> bool:
    """Skills that will do, and a seat that is not dedicated to others. Safety may have any seat."""
    is_for_him = not seat.tiers or lane.tier in seat.tiers or lane.is_safety
    return is_for_him and any(need <= seat.skills for need in width.needs)


@dataclass(slots=True)
class _Choice:
    agent: IdleAgent | None = None
    eligible: int = 0
    passed_over: tuple[Skip, ...] = ()
    named: tuple[tuple[Named, str], ...] = ()  # whom the call names, and what each of them does
    is_by_name: bool = False
    is_own: bool = False  # somebody was ready and able: whoever is behind may have what this call may not
    is_unknown: bool = False  # an agent whom the snapshot does not show could be the one
    is_turn: bool = False
    is_dedicated: bool = False
    is_call: bool = False  # the customer is rung because this one is free


def _choose(head: _Head, fit: Sequence[_Seat], room: _Room) -> _Choice:
    """Whom it gets; or because of whom its customer is rung, if not enough of them are rung already."""
    choice = _who_takes(head, fit, room)
    if choice.agent is not None and room.calls(head.call):
        # Not the people he names alone: whoever of the others is free may take him, too.
        free = sum(agent_id not in head.call.never for seat in fit for _, agent_id in seat.agents)
        choice.is_call = room.may_call(head.heads.lane, fit, free)
        choice.agent = choice.agent if choice.is_call else None
    return choice


def _who_takes(head: _Head, fit: Sequence[_Seat], room: _Room) -> _Choice:
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
    return _first_in_order(choice, head, skips, fit, room)


# What somebody named is, when it is not his state: he has not the skills this call needs.
_UNABLE: Final = "unable"
_KEPT: Final = "kept"  # a queue keeps his seat for others
_UNCONNECTED: Final = "unconnected"  # it failed to connect just now: the skip's own word is that of a state
_HELD_FOR: Final = frozenset({AgentState.READY, *AT_WORK})


def _doing(named: Named, head: _Head, skips: Mapping[str, Skip], room: _Room) -> str:
    """His state as far as this call goes; the others hold back for him while he is at work, or on his way."""
    person = room.people.get(named.agent_id)
    if person is None:
        return AgentState.SIGNED_OUT
    if named.agent_id in head.call.never:
        return NEVER
    if named.agent_id in skips:
        why = skips[named.agent_id].why
        return _UNCONNECTED if why == AgentState.CONNECTING else why
    if not is_able(head.width, head.heads.lane, person):
        return _UNABLE
    if person.state == AgentState.READY and room.ready_person(named.agent_id) is None:
        return AgentState.OFFERED
    return _KEPT if room.is_barred(named.agent_id) else person.state


def _first_in_order(
    choice: _Choice, head: _Head, skips: Mapping[str, Skip], fit: Sequence[_Seat], room: _Room
) -> _Choice:
    """Of the ready ones who may take it: a dedicated seat first, then by the order of the queue."""
    call, lane = head.call, head.heads.lane
    rotates = room.is_rotating(lane.queue)
    may = [(seat, agent) for seat in fit for agent in _allowed(seat, call, skips, is_all=rotates)]
    choice.is_unknown = any(
        seat.is_cut and (rotates or not any(each is seat for each, _ in may)) for seat in fit
    )
    passed = tuple(_passed(fit, call, skips))
    if not may:
        missed = {skip.agent_id for skip in passed if skip.why == MISSED}
        may = [(seat, agent) for seat in fit for agent in seat.agents if agent[1] in missed]
    choice.eligible = sum(len(seat.agents) for seat in fit) - sum(skip.why == NEVER for skip in passed)
    if may:
        seat, choice.agent = min(may, key=lambda each: _order(each[0], each[1], call, lane, rotates=rotates))
        choice.is_turn = rotates and not call.named
        choice.is_dedicated = lane.tier in seat.tiers
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


def _order(
    seat: _Seat, agent: IdleAgent, call: Waiting, lane: Lane, *, rotates: bool
) -> tuple[int, int, IdleAgent]:
    """Lowest first. A dedicated seat costs the others nothing; another's, that safety may have, comes last."""
    place = 1 if not seat.tiers else 0 if lane.tier in seat.tiers else 2
    turn = seat.turns.get(agent[1], 0) if rotates else 0
    return place, -turn if call.named else turn, agent


def _allowed(seat: _Seat, call: Waiting, skips: Mapping[str, Skip], *, is_all: bool) -> Iterator[IdleAgent]:
    """Who of it may take the call: the longest idle, or all."""
    for agent in seat.agents:
        if agent[1] not in skips and agent[1] not in call.never:
            yield agent
            if not is_all:
                return


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


def _reasons(head: _Head, choice: _Choice, room: _Room) -> dict[str, Any]:
    now_ms, (idle_ms, agent_id) = room.now_ms, choice.agent or (0, "")
    told = {
        **({"rank": RAISED} if head.heads.lane.is_raised else {}),
        "rule": _RULES[head.rank.rank_class],
        "key": head.rank.key,
        "waited_ms": now_ms - head.call.queued_ms,
        "head_start_ms": head.heads.lane.head_start_ms,
        "is_front": head.width.is_front,
        "queues": list(head.width.queues),
        "agent": {"agent_id": agent_id, "idle_for_ms": now_ms - idle_ms, "eligible": choice.eligible},
        "passed_over": [{"agent_id": skip.agent_id, "why": skip.why} for skip in choice.passed_over],
    }
    if head.heads.is_surging:
        told["surge"] = True
    if choice.named:
        told["asked"] = [
            {"agent_id": each.agent_id, "why": each.why, "wait_ms": each.wait_ms, "is": str(doing)}
            for each, doing in choice.named
        ]
    if choice.is_by_name:
        (named,) = (each for each, _ in choice.named if each.agent_id == agent_id)
        told["named"] = {"agent_id": agent_id, "why": named.why}
    if choice.is_turn:
        told["order"] = ROTATION
    if choice.is_dedicated:
        told["seat"] = "dedicated"
    if room.barred:
        told["kept_back"] = [{**kept._asdict(), "tiers": list(kept.tiers)} for kept in room.barred]
    return told


def waiting_from(
    member: str,
    queued_ms: int,
    skips: str,
    never: str = "",
    named: str = "",
    callback: str = "",
    leg: str = "",
) -> Waiting:
    call_id = call_id_of(member)
    arrival = member[: -len(call_id) - 1]
    people = (parse_never(never), parse_named(named))
    return Waiting(call_id, arrival, queued_ms, parse_skips(skips), *people, bool(callback) and not leg)


def snapshot_of(
    state: State,
    now_ms: int,
    *,
    silent_ms: int,
    heads_max: int = HEADS_MAX,
    agents_max: int = AGENTS_MAX,
    late_max: int = 64,
    with_turns: bool = False,
) -> Snapshot:
    """What `read_snapshot` reads from the live store."""
    ready: dict[str, list[IdleAgent]] = {}
    for agent_id, idle_ms in state.ready.items():
        ready.setdefault(state.agents[agent_id].skills, []).append((idle_ms, agent_id))
    pools = tuple(_pool_of(state, text, ready[text], agents_max, with_turns) for text in sorted(ready))
    lanes = _lanes_of(state, pools, heads_max) if pools else ()
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
        signed_in=sum(agent.state is not AgentState.SIGNED_OUT for agent in state.agents.values()),
        released=frozenset(state.reserves),
        called=called_of(_called_in(state) if pools else ()),
        late=tuple(name for _, name in late[:late_max]),
        lost=tuple(name for _, name in silent[:late_max]) if is_anyone_heard else (),
        deadline_ms=min(state.deadlines.values(), default=None),
        due_ms=min(state.due.values(), default=None),
    )


def _called_in(state: State) -> Iterator[str]:
    for call_id in state.dialling.values():
        call = state.calls.get(call_id)
        if call is None or not call.has_promise:
            continue
        if call.state is CallState.CALLING or (call.state is CallState.QUEUED and call.leg_id):
            yield call.lane


def called_of(lanes: Iterable[str]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(Lane.from_json(rules).needs) for rules in sorted(lanes))


def _pool_of(state: State, text: str, ready: list[IdleAgent], agents_max: int, with_turns: bool) -> Pool:
    agents = tuple(sorted(ready)[:agents_max])
    turns = tuple(state.agents[agent_id].turn for _, agent_id in agents) if with_turns else ()
    return Pool(skills_of(text), agents, len(ready) > agents_max, tiers_of(text), turns)


def _lanes_of(state: State, pools: Sequence[Pool], heads_max: int) -> tuple[LaneHeads, ...]:
    """The first of each lane; and a few times more of the one that is likeliest to be next and can serve more."""
    lanes = {lane_id: _heads_of(state, lane_id, heads_max) for lane_id in sorted(state.lanes)}
    able = [
        lane_id
        for lane_id, heads in lanes.items()
        if heads.is_cut and any(frozenset(heads.lane.needs) <= pool.skills for pool in pools)
    ]
    for _ in range(DEEPER):
        places = [
            (not heads.lane.is_safety, heads.waiting[-1].queued_ms - heads.lane.head_start_ms, lane_id)
            for lane_id in able
            if (heads := lanes[lane_id]).is_cut
        ]
        if not places:
            break
        lane_id = min(places)[2]
        lanes[lane_id] = _heads_of(state, lane_id, len(lanes[lane_id].waiting) + heads_max)
    return tuple(lanes.values())


def _heads_of(state: State, lane_id: str, heads_max: int) -> LaneHeads:
    entries = state.lanes[lane_id][:heads_max]
    calls = [state.calls[call_id_of(member)] for _, member in entries]
    waiting = (
        waiting_from(member, at, call.skips, call.never, call.named, call.callback, call.leg_id)
        for (at, member), call in zip(entries, calls, strict=True)
    )
    is_cut = len(state.lanes[lane_id]) > heads_max
    lane = Lane.from_json(state.lane_rules[lane_id])
    is_surging = lane.queue in surging_queues(state.surges.values())
    return LaneHeads(lane, tuple(waiting), is_cut, is_surging)


def _people_of(state: State, lanes: Sequence[LaneHeads]) -> dict[str, Person]:
    """Of those whom the calls read name, the ones who are signed in."""
    named = {each.agent_id for heads in lanes for call in heads.waiting for each in call.named}
    found = ((agent_id, state.agents.get(agent_id)) for agent_id in named)
    return {
        agent_id: Person(str(agent.state), skills_of(agent.skills), agent.idle_ms, tiers_of(agent.skills))
        for agent_id, agent in found
        if agent is not None and agent.state is not AgentState.SIGNED_OUT
    }
