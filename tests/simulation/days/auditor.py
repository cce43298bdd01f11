"""The auditor of a day: an account of his own, from the journal and the plan alone.

What he checks at every line, beside what `queues.domain.audit` does (each call's lines are a path and end once, one
agent one call, each offer ends once, a place is kept):
- whoever is offered a call has the skills for it that were in force after so long a wait;
- among equals (one lane) nobody younger is offered to an agent while an older one waits whom he could take;
- nobody passes another by more than the bound of their tiers (design §4), and nobody passes safety;
- no agent is offered a call who is not ready.
And whenever he is asked: nobody who could be served waits while somebody is ready for him (`idle_pairs`), and his
account is the live store's (`account`).

Exempt from order and bound are, by design: safety, `front`, raised by hand, a named person, dedicated and reserved
seats; the offer's own reasons say which it was. An agent whom a call just missed, or who declined it, is no agent for
it until that lapses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from queues.domain.audit import Auditor, Breach
from queues.domain.journal import Line
from queues.domain.lanes import parse_skips
from queues.domain.plan import Plan

_NOT_HIS_YET: Final = frozenset({"offer.declined", "offer.expired", "offer.unrung"})
# Reasons of an offer that put it outside the order of keys.
_EXEMPT: Final = ("named", "reserved", "rank")


@dataclass
class Waiter:
    """A call that waits, or has waited, as its line `call.queued` told it."""

    call_id: str
    queue: str
    tier: str
    lane: str
    needs: frozenset[str]
    head_start_ms: int
    is_safety: bool
    queued_ms: int
    order: int  # of arrival
    not_yet: dict[str, int] = field(default_factory=dict)  # agent -> until when


@dataclass
class DayAuditor:
    plan: Plan
    base: Auditor = field(default_factory=Auditor)
    arrivals: dict[str, int] = field(default_factory=dict)
    waiters: dict[str, Waiter] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    skills: dict[str, frozenset[str]] = field(default_factory=dict)
    presence: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    passed: int = 0  # how often somebody went before one who had come earlier
    offers: int = 0
    transfers: int = 0
    breaches: list[Breach] = field(default_factory=list)

    def hear(self, line: Line) -> None:
        self.base.hear(line)
        told = getattr(self, f"_{line.type.replace('.', '_')}", None)
        if told:
            told(line)
        if line.type in _NOT_HIS_YET:
            self._not_yet(line)

    def hear_all(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.hear(line)

    def _must(self, holds: bool, law: str, subject: str, line: Line) -> None:
        if not holds:
            self.breaches.append(Breach(law, subject, line.id))

    # Calls

    def _call_arrived(self, line: Line) -> None:
        self.arrivals[line.call_id] = len(self.arrivals)

    def _call_queued(self, line: Line) -> None:
        if line.data.get("closed"):
            return
        told: Mapping[str, Any] = line.data
        parts = str(told["lane"]).split("|")
        self.waiters[line.call_id] = Waiter(
            call_id=line.call_id,
            queue=str(told["queue"]),
            tier=str(told["tier"]),
            lane=str(told["lane"]),
            needs=frozenset(filter(None, parts[2].split("+"))),
            head_start_ms=int(told["head_start_ms"]),
            is_safety=parts[4] == "1",
            queued_ms=int(told["queued_ms"]),
            order=self.arrivals[line.call_id],
        )
        self.waiting.add(line.call_id)

    def _call_transferred(self, line: Line) -> None:
        """He waits again, for others, with his place; whoever handed him over is not asked for a while."""
        self._call_queued(line)
        self.transfers += 1
        for skip in parse_skips(str(line.data["skips"])):
            self.waiters[line.call_id].not_yet[skip.agent_id] = skip.until_ms

    def _call_requeued(self, line: Line) -> None:
        self.waiting.add(line.call_id)
        if line.data.get("why") == "connecting" and (agent_id := self._last_agent.get(line.call_id)):
            until_ms = line.at_ms + self.plan.decline_skip_ms
            self.waiters[line.call_id].not_yet[agent_id] = until_ms

    def _call_diverted(self, line: Line) -> None:
        self.waiting.discard(line.call_id)

    def _call_ended(self, line: Line) -> None:
        self.waiting.discard(line.call_id)
        self.outcomes[line.call_id] = str(line.data["outcome"])

    def _call_offered(self, line: Line) -> None:
        self.offers += 1
        self._last_agent[line.call_id] = line.agent_id
        call, why = self.waiters[line.call_id], line.data["why"]
        self._must(
            self.presence.get(line.agent_id) == "ready", "only who is ready is rung", line.offer_id, line
        )
        self._must(line.call_id in self.waiting, "only who waits is offered", line.offer_id, line)
        self._must(
            self._is_able(line.agent_id, call, line.at_ms), "he has the skills for it", line.offer_id, line
        )
        self.waiting.discard(line.call_id)
        self.presence[line.agent_id] = "offered"
        if any(why.get(name) for name in _EXEMPT):
            return
        for other_id in self.waiting:
            other = self.waiters[other_id]
            if self._is_for(line.agent_id, other, line.at_ms):
                self._check_order(line, call, other, why)

    _last_agent: dict[str, str] = field(default_factory=dict)

    def _check_order(self, line: Line, call: Waiter, other: Waiter, why: Mapping[str, Any]) -> None:
        """`call` was offered to somebody who could have had `other`."""
        is_older = (other.queued_ms, other.order) < (call.queued_ms, call.order)
        if call.lane == other.lane:
            self._must(not is_older, f"first come, first served: {other.call_id}", line.offer_id, line)
        self._must(
            call.is_safety or not other.is_safety, f"safety goes first: {other.call_id}", line.offer_id, line
        )
        self.passed += is_older
        if call.is_safety or why.get("is_front"):
            return
        by_ms = call.queued_ms - other.queued_ms
        bound_ms = self.bound_ms(call, other)
        self._must(
            by_ms <= bound_ms, f"passed {other.call_id} by {by_ms} > {bound_ms} ms", line.offer_id, line
        )

    def bound_ms(self, call: Waiter, other: Waiter) -> int:
        by_ceiling = self.plan.tiers[other.tier].ceiling_ms - self.plan.tiers[call.tier].ceiling_ms
        return max(call.head_start_ms - other.head_start_ms, by_ceiling, 0)

    def _not_yet(self, line: Line) -> None:
        plan = self.plan
        for_ms = {
            "offer.declined": plan.decline_skip_ms,
            "offer.expired": plan.rona_skip_ms,
            "offer.unrung": plan.busy_skip_ms,
        }[line.type]
        self.waiters[line.call_id].not_yet[line.agent_id] = line.at_ms + for_ms

    def _needs_of(self, call: Waiter, waited_ms: int) -> list[frozenset[str]]:
        """The sets of skills that will do after so long."""
        queue = self.plan.queues[call.queue]
        own = call.needs - frozenset(queue.needs)
        reached = [
            frozenset(self.plan.queues[to].needs) | own
            for step in queue.overflow
            if step.after_ms <= waited_ms and (to := getattr(step, "to_queue", None))
        ]
        return [call.needs, *reached]

    def _is_able(self, agent_id: str, call: Waiter, now_ms: int) -> bool:
        has = self.skills.get(agent_id, frozenset())
        return any(needs <= has for needs in self._needs_of(call, now_ms - call.queued_ms))

    def _is_for(self, agent_id: str, call: Waiter, now_ms: int) -> bool:
        return call.not_yet.get(agent_id, 0) <= now_ms and self._is_able(agent_id, call, now_ms)

    # Agents

    def _agent_signed_in(self, line: Line) -> None:
        self.skills[line.agent_id] = frozenset(str(line.data["skills"]).split(","))

    def _agent_presence_changed(self, line: Line) -> None:
        self.presence[line.agent_id] = str(line.data["presence"])

    def _call_consulted(self, line: Line) -> None:
        self._must(
            self.presence.get(line.agent_id) == "ready", "only who is ready is rung", line.offer_id, line
        )
        self.presence[line.agent_id] = "offered"

    def _offer_accepted(self, line: Line) -> None:
        self.presence[line.agent_id] = "connecting"

    def _call_connected(self, line: Line) -> None:
        self.presence[line.agent_id] = "connected"

    def _agent_wrap_up_started(self, line: Line) -> None:
        self.presence[line.agent_id] = "wrap_up"

    # Whenever asked

    def idle_pairs(self, now_ms: int) -> list[tuple[str, str]]:
        """Who waits, and who is ready and could take him: nobody, a tick after anything happened."""
        ready = [agent_id for agent_id, presence in self.presence.items() if presence == "ready"]
        return [
            (call_id, agent_id)
            for call_id in sorted(self.waiting)
            for agent_id in ready
            if self._is_for(agent_id, self.waiters[call_id], now_ms)
        ]

    def account(self) -> dict[str, list[str]]:
        """Conservation: every call that ever arrived stands in exactly one place, and every agent does."""
        told: dict[str, list[str]] = {}
        for call_id, state in self.base.where.items():
            told.setdefault(state, []).append(call_id)
        told["agents ready"] = [name for name, presence in self.presence.items() if presence == "ready"]
        return {name: sorted(ids) for name, ids in told.items() if ids}

    def close(self, *, is_drained: bool) -> list[Breach]:
        return [*self.base.close(is_drained=is_drained), *self.breaches]
