"""The auditor of a day: an account of his own, from the journal and the plan alone.

What he checks at every line, beside what `queues.domain.audit` does (each call's lines are a path and end once, one
agent one call, each offer ends once, a place is kept):
- whoever is offered a call has the skills for it that were in force after so long a wait, sits on no seat that is
  dedicated to others or kept for them, never declined it just now, and is nobody whom the caller is never to meet;
- among equals (one lane) nobody younger is offered to an agent while an older one waits whom he could take;
- nobody passes another by more than the bound of their tiers (design §4), and nobody passes safety;
- no agent is offered a call who is not ready; nobody is called back twice at once, nor more often than is promised,
  nor, where the customer is rung first, while no agent is free for him;
- nobody is recorded who has not heard the notice or has refused, and whoever may be recorded and talked is.
And whenever he is asked: nobody who could be served waits while somebody is ready for him (`idle_pairs`), and his
account is the live store's (`account`).

Outside of order and bound are, by design: safety, `front`, raised by hand, a named person, dedicated and kept seats.
He takes nobody's word for it: front is what the plan's table says after so long, raised is who has a line that says
so, a named person is one of whom the call's own line told, for a reason the plan knows and no longer than it allows,
and a kept seat is one that the rule keeps of those who are idle in his account (`House`). An agent whom a call just
missed, or who declined it, is no agent for it until that lapses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from queues.domain.audit import Auditor, Breach
from queues.domain.journal import Line, parse_id
from queues.domain.lanes import parse_skips
from queues.domain.named import TOGETHER_MS_MAX, TRANSFER
from queues.domain.plan import Plan
from tests.simulation.days.after_calls import AfterCalls
from tests.simulation.days.calling_back import CallingBack
from tests.simulation.days.house import MISSED, Bond, House, Moment, Waiter, waiter_of

DECIDED_WITHIN_MS: Final = 5_000


@dataclass
class DayAuditor:
    plan: Plan
    base: Auditor = field(default_factory=Auditor)
    house: House = field(init=False)
    calling_back: CallingBack = field(init=False)
    after_calls: AfterCalls = field(init=False)
    arrivals: dict[str, int] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)  # calls of which a line says so
    outcomes: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)  # call -> the number it was promised
    passed: int = 0  # how often somebody went before one who had come earlier
    offers: int = 0
    told: dict[str, int] = field(default_factory=dict)  # how many lines of each type
    breaches: list[Breach] = field(default_factory=list)
    _last_agent: dict[str, str] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)  # offers to colleagues who were only asked
    _round: tuple[str, frozenset[str]] = ("", frozenset())  # on which lines was decided, who is taken since

    def __post_init__(self) -> None:
        self.house = House(self.plan)
        self.calling_back = CallingBack(self.plan, self._must)
        self.after_calls = AfterCalls(self._must)

    @property
    def waiters(self) -> dict[str, Waiter]:
        return self.house.waiters

    @property
    def waiting(self) -> set[str]:
        return self.house.waiting

    @property
    def presence(self) -> dict[str, str]:
        return self.house.presence

    def hear(self, line: Line) -> None:
        self.base.hear(line)
        self.calling_back.hear(line)
        self.after_calls.hear(line)
        self.told[line.type] = self.told.get(line.type, 0) + 1
        told = getattr(self, f"_{line.type.replace('.', '_')}", None)
        if told:
            told(line)

    def hear_all(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.hear(line)

    def _must(self, holds: bool, law: str, subject: str, line: Line) -> None:
        if not holds:
            self.breaches.append(Breach(law, subject, line.id))

    # Calls

    def _call_arrived(self, line: Line) -> None:
        self.arrivals[line.call_id] = len(self.arrivals)
        self.under_way.add(line.call_id)

    def _call_queued(self, line: Line) -> None:
        if number := line.data.get("ticket_no"):
            self.tickets.setdefault(line.call_id, str(number))
        if line.data.get("closed"):
            return
        before = self.waiters.get(line.call_id)
        self.waiters[line.call_id] = waiter_of(line, self.arrivals[line.call_id])
        self.waiters[line.call_id].not_yet = before.not_yet if before else {}
        self.waiting.add(line.call_id)
        for bond in self.waiters[line.call_id].named:
            self._must(self._may_name(bond, line.call_id), f"the plan names {bond.why}", line.call_id, line)

    def _may_name(self, bond: Bond, call_id: str) -> bool:
        """The site's words know such a bond, for this queue, and not for longer."""
        call = self.waiters[call_id]
        rule = None if bond.why == TRANSFER else self.plan.affinity.rule(bond.why)
        together_ms = sum(each.wait_ms for each in call.named)
        is_allowed = rule is not None and (not rule.queues or call.queue in rule.queues)
        return is_allowed and together_ms <= TOGETHER_MS_MAX and not call.is_safety

    def _call_transferred(self, line: Line) -> None:
        """He waits again, for others, with his place; whoever handed him over is not asked for a while."""
        before = self.waiters[line.call_id]
        self.waiters[line.call_id] = call = waiter_of(line, self.arrivals[line.call_id])
        call.never = before.never
        self.waiting.add(line.call_id)
        for skip in parse_skips(str(line.data["skips"])):
            call.not_yet[skip.agent_id] = (skip.until_ms, skip.why)

    def _call_moved(self, line: Line) -> None:
        call = self.waiters[line.call_id]
        before = (call.tier, call.is_raised)
        call.stands_in(str(line.data["lane"]))
        is_kept = (call.tier, call.is_raised) == before
        self._must(is_kept, "whoever is moved keeps his tier", line.call_id, line)

    def _call_raised(self, line: Line) -> None:
        self.raised.add(line.call_id)
        self.waiters[line.call_id].stands_in(str(line.data["lane"]))

    def _call_requeued(self, line: Line) -> None:
        self.waiting.add(line.call_id)
        if line.call_id in self.calling_back.on_line - self.after_calls.talked:
            self.house.called.add(line.call_id)
        if line.data.get("why") == "connecting" and (agent_id := self._last_agent.get(line.call_id)):
            until_ms = line.at_ms + self.plan.decline_skip_ms
            self.waiters[line.call_id].not_yet[agent_id] = (until_ms, "connecting")

    def _call_diverted(self, line: Line) -> None:
        self.waiting.discard(line.call_id)

    def _call_ended(self, line: Line) -> None:
        for each in (self.waiting, self.under_way, self.house.called, self.house.off_line):
            each.discard(line.call_id)
        self.outcomes[line.call_id] = str(line.data["outcome"])

    def _call_led(self, line: Line) -> None:
        self.waiting.discard(line.call_id)

    def _callback_asked(self, line: Line) -> None:
        """He has no line to us, now or any more."""
        self.waiting.discard(line.call_id)
        self.house.called.discard(line.call_id)
        self.house.off_line.add(line.call_id)

    _callback_rested = _callback_missed = _callback_asked

    def _callback_woken(self, line: Line) -> None:
        self.waiting.add(line.call_id)

    def _callback_called(self, line: Line) -> None:
        """His customer is rung, because an agent is free; nobody is held for him."""
        call, moments = self.waiters[line.call_id], self._moments(line, line.data["why"])
        is_free = any(self.house.may_ring(call, moment) for moment in moments)
        self._must(is_free, "no more customers are rung than agents are free", line.call_id, line)
        self._must(line.call_id in self.waiting, "only who waits is called", line.call_id, line)
        self.waiting.discard(line.call_id)
        self.house.called.add(line.call_id)

    def _callback_forgotten(self, line: Line) -> None:
        """Nothing tells any more whom we ring: he is nobody's rival."""
        self.house.called.discard(line.call_id)

    def _callback_reached(self, line: Line) -> None:
        self.waiting.add(line.call_id)
        self.house.off_line.discard(line.call_id)

    # Offers

    def _call_offered(self, line: Line) -> None:
        self.offers += 1
        self._last_agent[line.call_id] = line.agent_id
        call, why = self.waiters[line.call_id], line.data["why"]
        moments = self._moments(line, why)
        self._must(line.call_id in self.waiting, "only who waits is offered", line.offer_id, line)
        self._check_agent(line, call, moments)
        self._check_reasons(line, call, why, moments)
        self.waiting.discard(line.call_id)
        for other_id in self.waiting:
            other = self.waiters[other_id]
            if self.house.could_have(line.agent_id, other, moments):
                self._check_order(line, call, other, why)
        self.house.called.discard(line.call_id)
        self.house.becomes(line.agent_id, "offered", line)

    def _moments(self, line: Line, why: Mapping[str, Any]) -> tuple[Moment, ...]:
        """Now, and when it was decided, if that can be so."""
        now = Moment(line.at_ms)
        seen, at_ms = str(why.get("seen", "")), int(why.get("now_ms", 0))
        if not seen or abs(line.at_ms - at_ms) > DECIDED_WITHIN_MS:
            return (now,)
        taken = self._round[1] if self._round[0] == seen else frozenset()
        self._round = (seen, taken | ({line.agent_id} if line.agent_id else set()))
        return (now, Moment(at_ms, parse_id(seen), taken))

    def _check_agent(self, line: Line, call: Waiter, moments: tuple[Moment, ...]) -> None:
        agent_id, house = line.agent_id, self.house
        is_able = any(house.is_able(agent_id, call, moment.now_ms) for moment in moments)
        until_ms, skipped = call.not_yet.get(agent_id, (0, ""))
        is_too_soon = skipped not in ("", MISSED) and all(until_ms > moment.now_ms for moment in moments)
        is_kept = all(house.is_kept_from(agent_id, call, moment) for moment in moments)
        for holds, law in (
            (self.presence.get(agent_id) == "ready", "only who is ready is rung"),
            (is_able, "he has the skills for it"),
            (agent_id not in call.never, "those two never meet"),
            (not is_too_soon, f"not again at once: {skipped}"),
            (not is_kept, "a kept seat is left for those it is kept for"),
        ):
            self._must(holds, law, line.offer_id, line)

    def _check_reasons(
        self, line: Line, call: Waiter, why: Mapping[str, Any], moments: tuple[Moment, ...]
    ) -> None:
        """What an offer says of itself that would put it outside of the order is so."""
        is_front = any(self.house.is_front(call, moment.now_ms) for moment in moments)
        self._must(is_front or not why.get("is_front"), "in front by the table", line.offer_id, line)
        is_raised = line.call_id in self.raised
        says_so = bool(why.get("rank")) or call.is_raised
        self._must(is_raised or not says_so, "raised by somebody", line.offer_id, line)
        named = why.get("named")
        is_named = not named or (named["why"], line.agent_id) in {
            (bond.why, bond.agent_id) for bond in call.named
        }
        self._must(is_named, "named by the call", line.offer_id, line)
        holds_back = not named and all(self.house.holds_back(call, moment) for moment in moments)
        own = {bond.agent_id for bond in call.named}
        is_left = line.agent_id in own or not holds_back
        self._must(is_left, "left to those it names", line.offer_id, line)
        seat = why.get("seat") != "dedicated" or call.tier in self.house.seats.get(line.agent_id, ())
        self._must(seat, "a seat that is dedicated", line.offer_id, line)

    def _check_order(self, line: Line, call: Waiter, other: Waiter, why: Mapping[str, Any]) -> None:
        """`call` was offered to somebody who could have had `other`."""
        is_older = (other.queued_ms, other.order) < (call.queued_ms, call.order)
        if call.lane == other.lane:
            self._must(not is_older, f"first come, first served: {other.call_id}", line.offer_id, line)
        self._must(
            call.is_safety or not other.is_safety, f"safety goes first: {other.call_id}", line.offer_id, line
        )
        self.passed += is_older
        if call.is_safety or why.get("is_front") or line.call_id in self.raised:
            return
        by_ms = call.queued_ms - other.queued_ms
        bound_ms = self.bound_ms(call, other)
        self._must(
            by_ms <= bound_ms, f"passed {other.call_id} by {by_ms} > {bound_ms} ms", line.offer_id, line
        )

    def bound_ms(self, call: Waiter, other: Waiter) -> int:
        by_ceiling = self.plan.tiers[other.tier].ceiling_ms - self.plan.tiers[call.tier].ceiling_ms
        return max(call.head_start_ms - other.head_start_ms, by_ceiling, 0)

    def _offer_declined(self, line: Line) -> None:
        self._not_yet(line, self.plan.decline_skip_ms, "declined")

    def _offer_expired(self, line: Line) -> None:
        self._not_yet(line, self.plan.rona_skip_ms, MISSED)

    def _offer_unrung(self, line: Line) -> None:
        self._not_yet(line, self.plan.busy_skip_ms, "unrung")

    def _not_yet(self, line: Line, for_ms: int, why: str) -> None:
        if line.offer_id not in self._asked:
            self.waiters[line.call_id].not_yet[line.agent_id] = (line.at_ms + for_ms, why)

    # Agents, and the queues' seats

    def _agent_signed_in(self, line: Line) -> None:
        self.house.learns(line.agent_id, str(line.data["skills"]))

    _agent_skills_changed = _agent_lent = _agent_taken_back = _agent_signed_in

    def _agent_presence_changed(self, line: Line) -> None:
        self.house.becomes(line.agent_id, str(line.data["presence"]), line)

    def _call_consulted(self, line: Line) -> None:
        self._asked.add(line.offer_id)
        never = self.waiters[line.call_id].never if line.call_id in self.waiters else ()
        self._must(
            self.presence.get(line.agent_id) == "ready", "only who is ready is rung", line.offer_id, line
        )
        self._must(line.agent_id not in never, "those two never meet", line.offer_id, line)
        self.house.becomes(line.agent_id, "offered", line)

    def _call_handed_over(self, line: Line) -> None:
        self._last_agent[line.call_id] = line.agent_id

    def _offer_accepted(self, line: Line) -> None:
        self.house.becomes(line.agent_id, "connecting", line)

    def _call_connected(self, line: Line) -> None:
        self.house.off_line.discard(line.call_id)
        self.house.becomes(line.agent_id, "connected", line)

    def _agent_wrap_up_started(self, line: Line) -> None:
        self.house.becomes(line.agent_id, "wrap_up", line)

    def _reserve_released(self, line: Line) -> None:
        self.house.released.add(str(line.data["queue"]))

    def _reserve_armed(self, line: Line) -> None:
        self.house.released.discard(str(line.data["queue"]))

    # Whenever asked

    def idle_pairs(self, now_ms: int) -> list[tuple[str, str]]:
        """Who waits, and who is ready and could take him: nobody, a tick after anything happened."""
        now = Moment(now_ms)
        ready = self.house.ready(now)
        return [
            (call_id, agent_id)
            for call_id in sorted(self.waiting)
            for agent_id in ready
            if self.house.could_have(agent_id, self.waiters[call_id], [now])
        ]

    def account(self) -> dict[str, list[str]]:
        """Conservation: every call under way stands in exactly one place, and every agent does."""
        ready = [name for name, presence in self.presence.items() if presence == "ready"]
        live = [call_id for call_id in self.under_way if self._is_live(call_id)]
        return {"under way": sorted(live), "waiting": sorted(self.waiting), "ready": sorted(ready)}

    def _is_live(self, call_id: str) -> bool:
        """Somebody is on its line: of a callback, once its customer was reached."""
        return call_id not in self.calling_back.until_ms or call_id in self.calling_back.on_line

    def close(self, *, is_drained: bool) -> list[Breach]:
        missing = self.after_calls.missing() if is_drained else []
        return [*self.base.close(is_drained=is_drained), *missing, *self.breaches]
