"""How long those who wait will wait: the present order, served again and again with handling times of late.

Each replay serves the calls that wait now with the agents who are there now, in the order in which they would really
be offered (head starts, ceilings, safety, widening: `routing.widen` and `lanes.rank` decide). Whoever is busy becomes
free after what is left of a handling time drawn from the sample, given how long it has lasted (the remaining service
times of Whitt, "Predicting queueing delays", Management Science 45(6), 1999, with the times that were measured in place
of a fitted distribution); whoever is served holds his agent for another draw. The range of a call is the 20th to the
80th percentile (nearest rank) of its waits over all replays, rounded outwards to minutes that people say. Chance is an
argument: from the same seeds the same situation gives the same ranges.

It is not said (no entry) where it is not known: fewer than SAMPLE_MIN handling times of the queue, nobody signed
in who may ever take the call, danger, or further back than CALLS_MAX. Who comes later and goes first is not foreseen.
All lengths are ms; ranges are seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final, NamedTuple, Protocol, TypeVar

from queues.domain.announcing import OPEN_S, UNKNOWN, Range
from queues.domain.lanes import Lane, Rank, rank
from queues.domain.plan import Plan
from queues.domain.routing import Width, widen

SAMPLE_MIN: Final = 20
CALLS_MAX: Final = 120  # served in one replay
HORIZON_MS: Final = 900_000  # well past the longest range that is said
LOW_SHARE, HIGH_SHARE = 0.2, 0.8
EDGES_S: Final = (0, 60, 120, 180, 300, 600)  # what people say: 1 to 2, 3 to 5, 5 to 10, more than 10 minutes
NEVER: Final = HORIZON_MS * 10
T = TypeVar("T")


class Handling(NamedTuple):
    """What one answered call took its agent: from the offer to the answer, and from there until he was free."""

    ring_ms: int
    busy_ms: int


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent who is there. Without `free_in_ms` he has talked for `talked_ms` in this queue (0: his phone rings)."""

    skills: frozenset[str]
    queue: str = ""
    talked_ms: int = 0
    free_in_ms: int | None = None  # 0: he is ready; in wrap-up, at most so long
    tiers: frozenset[str] = frozenset()  # that his seat is dedicated to; none: it is for everybody

    def is_for(self, lane: Lane) -> bool:
        return not self.tiers or lane.tier in self.tiers


@dataclass(frozen=True, slots=True)
class WaitingLane:
    lane_id: str
    lane: Lane
    queued: tuple[tuple[int, str], ...]  # queued_ms, arrival; from the head


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who waits and who is there."""

    lanes: tuple[WaitingLane, ...] = ()
    seats: tuple[Seat, ...] = ()


Samples = Mapping[str, Sequence[Handling]]  # by queue
Steps = tuple[tuple[int, Range], ...]  # down to which depth of the lane, and how long there


class Chance(Protocol):
    """What `random.Random` has of it."""

    def random(self) -> float: ...

    def choice(self, seq: Sequence[T], /) -> T: ...


def estimate(
    plan: Plan, standing: Standing, samples: Samples, now_ms: int, chances: Iterable[Chance]
) -> dict[str, Steps]:
    """The ranges of every lane whose waits are known, from the head backwards; one replay for each of `chances`."""
    pool = [each for sample in samples.values() for each in sample]
    told = [each for each in standing.lanes if _is_known(plan, each, standing.seats, samples)]
    if not told or len(pool) < SAMPLE_MIN:
        return {}
    draws, widening = _Draws(samples, pool), _Widening(plan)
    waits: dict[str, list[list[int]]] = {each.lane_id: [] for each in told}
    for chance in chances:
        served = _Replay(plan, standing, draws, widening, now_ms, chance).run()
        for each in told:
            waits[each.lane_id].append(served[each.lane_id])
    return {each.lane_id: _steps(waits[each.lane_id]) for each in told}


def _is_known(plan: Plan, waiting: WaitingLane, seats: Iterable[Seat], samples: Samples) -> bool:
    if waiting.lane.is_safety or len(samples.get(waiting.lane.queue, ())) < SAMPLE_MIN:
        return False
    widest = widen(plan, waiting.lane, NEVER)
    able = (seat for seat in seats if seat.is_for(waiting.lane))
    return any(need <= seat.skills for seat in able for need in widest.needs)


def _steps(replays: Sequence[Sequence[int]]) -> Steps:
    """Nobody further back has a shorter range than who is before him: between two replays it could look so."""
    depth_max = min(map(len, replays))
    found: list[tuple[int, Range]] = []
    before = Range(0, 0)
    for depth in range(depth_max):
        waits = sorted(replay[depth] for replay in replays)
        low_s, high_s = said_range(_percentile(waits, LOW_SHARE), _percentile(waits, HIGH_SHARE))
        before = Range(max(before.low_s, low_s), max(before.high_s, high_s))
        told = before if before != (0, OPEN_S) else UNKNOWN
        if found and found[-1][1] == told:
            found[-1] = (depth + 1, told)
        else:
            found.append((depth + 1, told))
    return tuple(found)


def _percentile(in_order: Sequence[int], share: float) -> int:
    return in_order[ceil(share * len(in_order)) - 1]


def said_range(low_ms: int, high_ms: int) -> Range:
    """Rounded outwards to edges that people say."""
    low_s = max(edge for edge in EDGES_S if edge * 1000 <= low_ms)
    high_s = next((edge for edge in EDGES_S[1:] if high_ms <= edge * 1000), OPEN_S)
    return Range(low_s, high_s)


def text_of(steps: Steps, at_ms: int) -> str:
    """As the live store holds it: see announcing.steps_of."""
    return " ".join([str(at_ms), *(f"{depth}:{found.low_s}:{found.high_s}" for depth, found in steps)])


class _Draws:
    """Handling times, of the queue where there are enough of it, else of all."""

    def __init__(self, samples: Samples, pool: Sequence[Handling]) -> None:
        enough = {queue: sample for queue, sample in samples.items() if len(sample) >= SAMPLE_MIN}
        self._samples, self._pool = enough, pool

    def one(self, queue: str, chance: Chance) -> Handling:
        return chance.choice(self._samples.get(queue, self._pool))

    def rest(self, queue: str, talked_ms: int, chance: Chance) -> int:
        """What is left of a talk that has lasted so long; of one longer than any known, as much as of a new one."""
        talks = [each.busy_ms - each.ring_ms for each in self._samples.get(queue, self._pool)]
        longer = [talk_ms - talked_ms for talk_ms in talks if talk_ms > talked_ms]
        return chance.choice(longer or talks)


class _Widening:
    """Asked for every head at every step of every replay: each answer is worked out once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._widths: dict[tuple[str, int], Width] = {}
        self._able: dict[tuple[str, int, frozenset[str]], bool] = {}
        self._steps: dict[str, tuple[int, ...]] = {
            name: tuple(sorted(step.after_ms for step in queue.overflow))
            for name, queue in plan.queues.items()
        }

    def steps(self, waiting: WaitingLane) -> tuple[int, ...]:
        """After which waits a call of this lane may be offered to more."""
        return self._steps.get(waiting.lane.queue, ())

    def width(self, waiting: WaitingLane, skills: frozenset[str], waited_ms: int) -> Width | None:
        """None: these skills will not do, or not yet."""
        reached = sum(after_ms <= waited_ms for after_ms in self.steps(waiting))
        known = (waiting.lane_id, reached)
        width = self._widths.get(known)
        if width is None:
            width = self._widths[known] = widen(self.plan, waiting.lane, waited_ms)
        is_able = self._able.get((*known, skills))
        if is_able is None:
            is_able = self._able[*known, skills] = any(need <= skills for need in width.needs)
        return width if is_able else None


@dataclass(order=True, slots=True)
class _Head:
    rank: Rank
    waiting: WaitingLane = field(compare=False)


class _Replay:
    """One serving of all who wait. `free` holds (when, which seat), `next_of` how many of a lane are served."""

    def __init__(
        self,
        plan: Plan,
        standing: Standing,
        draws: _Draws,
        widening: _Widening,
        now_ms: int,
        chance: Chance,
    ) -> None:
        self.plan, self.lanes, self.seats = plan, standing.lanes, standing.seats
        self.draws, self.widening, self.now_ms, self.chance = draws, widening, now_ms, chance
        self.free = [(self._free_in(seat), number) for number, seat in enumerate(self.seats)]
        heapq.heapify(self.free)
        self.served: dict[str, list[int]] = {each.lane_id: [] for each in self.lanes}
        self.count = 0

    def run(self) -> dict[str, list[int]]:
        """How long each call of each lane waits from now on; who is not served any more has NEVER."""
        while self.free and self.count < CALLS_MAX:
            after_ms, number = heapq.heappop(self.free)
            if after_ms > HORIZON_MS or not self._is_anyone_left:
                break
            head = self._first_for(self.seats[number], after_ms)
            if head is not None:
                self._serve(head, after_ms, number)
            elif (later_ms := self._widens_at(after_ms)) is not None:
                heapq.heappush(self.free, (later_ms, number))
        if self.count < CALLS_MAX:
            for each in self.lanes:
                self.served[each.lane_id] += [NEVER] * (len(each.queued) - len(self.served[each.lane_id]))
        return self.served

    @property
    def _is_anyone_left(self) -> bool:
        return any(len(self.served[each.lane_id]) < len(each.queued) for each in self.lanes)

    def _free_in(self, seat: Seat) -> int:
        if seat.free_in_ms is not None:
            return round(seat.free_in_ms * self.chance.random()) if seat.free_in_ms else 0
        if not seat.talked_ms:
            return self.draws.one(seat.queue, self.chance).busy_ms
        return self.draws.rest(seat.queue, seat.talked_ms, self.chance)

    def _serve(self, head: _Head, after_ms: int, number: int) -> None:
        took = self.draws.one(head.waiting.lane.queue, self.chance)
        self.served[head.waiting.lane_id].append(after_ms + took.ring_ms)
        self.count += 1
        heapq.heappush(self.free, (after_ms + took.busy_ms, number))

    def _first_for(self, seat: Seat, after_ms: int) -> _Head | None:
        return min(self._heads(seat, after_ms), default=None)

    def _heads(self, seat: Seat, after_ms: int) -> Iterable[_Head]:
        now_ms, plan = self.now_ms + after_ms, self.plan
        for each in self.lanes:
            depth = len(self.served[each.lane_id])
            if depth == len(each.queued) or not seat.is_for(each.lane):
                continue
            queued_ms, arrival = each.queued[depth]
            lane, width = each.lane, self.widening.width(each, seat.skills, now_ms - queued_ms)
            if width is None:
                continue
            tier, cap_ms = plan.tiers.get(lane.tier), plan.head_start_cap_ms
            place = rank(
                queued_ms=queued_ms,
                arrival=arrival,
                head_start_ms=cap_ms if width.is_front else min(lane.head_start_ms, cap_ms),
                is_safety=lane.is_safety,
                ceiling_ms=tier.ceiling_ms if tier else None,
                now_ms=now_ms,
            )
            yield _Head(place, each)

    def _widens_at(self, after_ms: int) -> int | None:
        """When a head that this agent may not take yet reaches its next step."""
        found = []
        for each in self.lanes:
            depth = len(self.served[each.lane_id])
            if depth < len(each.queued):
                begins_ms = each.queued[depth][0] - self.now_ms
                found += [begins_ms + step_ms for step_ms in self.widening.steps(each)]
        return min((at_ms for at_ms in found if at_ms > after_ms), default=None)
