"""The auditor's picture of the house: who waits with which rights, who may answer what, and what the plan promises.

It is made from the journal's lines and the plan alone; the product's own decisions are never asked. What is asked of
it, it answers for an instant: whether an agent could take a call, whether a call holds back for people of its own, and
whether a seat is left for others. A decision is made a moment before its line is written, on the journal up to `seen`;
so each question may be put for that moment as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from queues.domain.journal import Line, parse_id
from queues.domain.plan import Plan, Queue

AT_WORK: Final = frozenset({"ready", "offered", "connecting", "connected", "wrap_up"})
MISSED: Final = "missed"


class Bond(NamedTuple):
    """Somebody a call names: why, and how long the others hold back for him."""

    why: str
    wait_ms: int
    agent_id: str


class Moment(NamedTuple):
    """An instant of the clock, and the last line that was known then; without one it is now."""

    now_ms: int
    seen: tuple[int, int] | None = None
    taken: frozenset[str] = frozenset()  # since then, by decisions on the same lines


@dataclass
class Waiter:
    """A call that waits, or has waited, as the line told it that put it where it is."""

    call_id: str
    queue: str
    tier: str
    lane: str
    needs: frozenset[str]
    head_start_ms: int
    is_safety: bool
    queued_ms: int
    order: int  # of arrival
    named: tuple[Bond, ...] = ()
    never: frozenset[str] = frozenset()
    not_yet: dict[str, tuple[int, str]] = field(default_factory=dict)  # agent -> until when, and why

    @property
    def is_raised(self) -> bool:
        return self.lane.endswith("|raised")

    def stands_in(self, lane: str, head_start_ms: int | None = None) -> None:
        """Where he stands from now on; the lane's name says under which rules."""
        queue, tier, needs, head_start, safety, *_ = lane.split("|")
        self.lane, self.queue, self.tier = lane, queue, tier
        self.needs, self.is_safety = frozenset(filter(None, needs.split("+"))), safety == "1"
        self.head_start_ms = int(head_start) if head_start_ms is None else head_start_ms


def waiter_of(line: Line, order: int) -> Waiter:
    told: Mapping[str, Any] = line.data
    waiter = Waiter(line.call_id, "", "", "", frozenset(), 0, False, int(told["queued_ms"]), order)
    waiter.stands_in(str(told["lane"]), int(told["head_start_ms"]))
    waiter.named = bonds_of(told)
    waiter.never = frozenset(filter(None, str(told.get("never", "")).split(",")))
    return waiter


def bonds_of(told: Mapping[str, Any]) -> tuple[Bond, ...]:
    parts = (text.split(" ", 2) for text in str(told.get("named") or "").splitlines())
    return tuple(Bond(why, int(wait_ms), agent_id) for why, wait_ms, agent_id in parts)


@dataclass
class House:
    plan: Plan
    waiters: dict[str, Waiter] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    skills: dict[str, frozenset[str]] = field(default_factory=dict)
    seats: dict[str, frozenset[str]] = field(
        default_factory=dict
    )  # the tiers an agent's seat is dedicated to
    released: set[str] = field(default_factory=set)  # queues whose kept seats are for everybody now
    presence: dict[str, str] = field(default_factory=dict)
    off_line: set[str] = field(default_factory=set)  # calls that are to be called back and have no line
    called: set[str] = field(default_factory=set)  # whose customers are rung, or there, and no agent is
    _was: dict[str, list[tuple[tuple[int, int], str]]] = field(default_factory=dict)

    def becomes(self, agent_id: str, presence: str, line: Line) -> None:
        self.presence[agent_id] = presence
        self._was.setdefault(agent_id, []).append((parse_id(line.id), presence))

    def learns(self, agent_id: str, text: str) -> None:
        each = frozenset(filter(None, text.split(",")))
        self.seats[agent_id] = frozenset(skill[1:] for skill in each if skill.startswith("@"))
        self.skills[agent_id] = frozenset(skill for skill in each if not skill.startswith("@"))

    # Agents

    def presence_at(self, agent_id: str, moment: Moment) -> str:
        if moment.seen is None:
            return self.presence.get(agent_id, "")
        told = (presence for at, presence in reversed(self._was.get(agent_id, ())) if at <= moment.seen)
        return next(told, "")

    def ready(self, moment: Moment) -> list[str]:
        return [
            agent_id
            for agent_id in self.presence
            if self.presence_at(agent_id, moment) == "ready" and agent_id not in moment.taken
        ]

    # What the plan promises

    def needs_of(self, call: Waiter, now_ms: int) -> list[frozenset[str]]:
        """The sets of skills that will do after so long."""
        queue = self.plan.queues[call.queue]
        own = call.needs - frozenset(queue.needs)
        reached = [step for step in queue.overflow if step.after_ms <= now_ms - call.queued_ms]
        return [
            call.needs,
            *(own | frozenset(self.plan.queues[step.to_queue].needs) for step in reached if step.to_queue),
            *(own | {step.ring} for step in reached if step.ring),
        ]

    def is_front(self, call: Waiter, now_ms: int) -> bool:
        steps = self.plan.queues[call.queue].overflow
        return any(step.front and step.after_ms <= now_ms - call.queued_ms for step in steps)

    def is_able(self, agent_id: str, call: Waiter, now_ms: int) -> bool:
        """His skills will do, and his seat is not another's; a matter of safety may have any seat."""
        seats, has = self.seats.get(agent_id, frozenset()), self.skills.get(agent_id, frozenset())
        is_for_him = not seats or call.is_safety or call.tier in seats
        return is_for_him and any(needs <= has for needs in self.needs_of(call, now_ms))

    def is_for(self, agent_id: str, call: Waiter, now_ms: int) -> bool:
        is_yet = call.not_yet.get(agent_id, (0, ""))[0] <= now_ms
        return is_yet and agent_id not in call.never and self.is_able(agent_id, call, now_ms)

    def is_kept_from(self, agent_id: str, call: Waiter, moment: Moment) -> bool:
        """Whether a queue keeps this seat for others: so many idle ones, until somebody has waited too long."""
        queues = (queue for queue in self.plan.queues.values() if queue.reserve)
        return not call.is_safety and any(self._keeps(queue, agent_id, call, moment) for queue in queues)

    def _keeps(self, queue: Queue, agent_id: str, call: Waiter, moment: Moment) -> bool:
        reserve = queue.reserve
        if reserve is None or queue.id in self.released or call.tier in reserve.tiers:
            return False
        signed_in = sum(presence not in ("", "signed_out") for presence in self.presence.values())
        idle = [each for each in self.ready(moment) if self._sits_in(each, queue)]
        return self._sits_in(agent_id, queue) and len(idle) <= reserve.kept(signed_in)

    def _sits_in(self, agent_id: str, queue: Queue) -> bool:
        seats = self.seats.get(agent_id, frozenset())
        tiers = frozenset(queue.reserve.tiers) if queue.reserve else frozenset()
        return frozenset(queue.needs) <= self.skills.get(agent_id, frozenset()) and (
            not seats or bool(seats & tiers)
        )

    def _is_rung_first(self, call: Waiter) -> bool:
        return self.plan.callback.first == "customer" and call.call_id in self.off_line

    def holds_back(self, call: Waiter, moment: Moment) -> bool:
        """Whether the others leave the call to people it names: while these are at work, and not for too long."""
        for_ms = sum(bond.wait_ms for bond in call.named if self._is_waited_for(bond, call, moment))
        return moment.now_ms - call.queued_ms < for_ms

    def _is_waited_for(self, bond: Bond, call: Waiter, moment: Moment) -> bool:
        return (
            self.presence_at(bond.agent_id, moment) in AT_WORK
            and self.is_for(bond.agent_id, call, moment.now_ms)
            and not self.is_kept_from(bond.agent_id, call, moment)
        )

    def may_ring(self, call: Waiter, moment: Moment) -> bool:
        """Fewer customers are rung or there without an agent than agents are free who may take this one."""
        free = [each for each in self.ready(moment) if self.is_for(each, call, moment.now_ms)]
        free = [each for each in free if not self.is_kept_from(each, call, moment)]
        rivals = [self.waiters[each].needs for each in self.called - {call.call_id}]
        return sum(any(needs <= self.skills[each] for each in free) for needs in rivals) < len(free)

    def could_have(self, agent_id: str, call: Waiter, moments: Iterable[Moment]) -> bool:
        """Nothing that the plan says kept this agent from this call, at any of these moments."""
        return all(
            self.is_for(agent_id, call, moment.now_ms)
            and not self.is_kept_from(agent_id, call, moment)
            and (not self._is_rung_first(call) or self.may_ring(call, moment))
            and (not self.holds_back(call, moment) or agent_id in {bond.agent_id for bond in call.named})
            for moment in moments
        )
