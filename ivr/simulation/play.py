"""The driver of a simulated day: yields the switchboard's own commands, in virtual time, and is told the replies.

It is callers, telephones, agents and the dispatcher's tick in one. It touches no store: whoever runs it carries each
command to the pure rules or to the live scripts, and both leave the same journal. Everything that happens in
one instant happens before that instant's one decision, which is the product's own `decide`.
"""

import heapq
import itertools
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from ivr.simulation.scenario import PlayedCall, PlayedDay, Scenario, SimulatedAgent, SimulatedCall
from queues.domain import commands as c
from queues.domain.effects import EffectKind
from queues.domain.plan import Plan
from queues.domain.routing import FURTHER, Match, Snapshot, decide_round, reserve_changes

PLACE_MS: Final = 20_000
LEASE_MS: Final = 60_000
FORGET_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Look:
    """Asks for the snapshot that a decision is made on, so many times as far as usual."""

    now_ms: int
    times: int = 1
    with_turns: bool = False


Ask = c.Command | Look
Steps = Generator[Ask, Any, None]


@dataclass(slots=True)
class _Live:
    call: SimulatedCall
    offer_id: str = ""
    agent_id: str = ""
    rule: str = ""
    is_talking: bool = False
    answered_ms: int | None = None


@dataclass
class Day:
    plan: Plan
    scenario: Scenario
    now_ms: int = 0
    played: list[PlayedCall] = field(default_factory=list)
    busy_ms: dict[str, int] = field(default_factory=dict)
    staffed_ms: dict[str, int] = field(default_factory=dict)
    _coming: list[tuple[int, int, Steps]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)
    _live: dict[str, _Live] = field(default_factory=dict)
    _waiting: int = 0
    _deeds: int = 0  # events to come that are more than a look
    _ended_ms: int = 0
    _idle: int = 0
    _kept_back: int = (
        0  # agents who stand idle because their seat is kept, while somebody waits whom they could serve
    )
    _kept_back_ms: int = 0
    _matched_ms: int = 0
    _lanes: dict[tuple[str, str, str, str], tuple[str, str, int]] = field(default_factory=dict)

    def run(self) -> Generator[Ask, Any, PlayedDay]:
        for agent in self.scenario.agents:
            self._at(agent.from_ms, self._sign_in(agent))
            if agent.until_ms is not None:
                self._at(agent.until_ms, self._sign_out(agent))
        for call in self.scenario.calls:
            self._at(call.at_ms, self._arrive(call))
        while self._coming and (self._deeds or self._waiting):
            at_ms = self._coming[0][0]
            self.now_ms = self.scenario.starts_ms + at_ms
            while self._coming and self._coming[0][0] == at_ms:
                yield from heapq.heappop(self._coming)[2]
            yield from self._match()
        self._close_books()
        in_order = tuple(sorted(self.played, key=lambda each: (each.call.at_ms, each.call.call_id)))
        return PlayedDay(
            calls=in_order,
            busy_ms=self.busy_ms,
            staffed_ms=self.staffed_ms,
            ended_ms=self._ended_ms,
            kept_back_ms=self._kept_back_ms,
        )

    @property
    def _elapsed_ms(self) -> int:
        return self.now_ms - self.scenario.starts_ms

    def _at(self, at_ms: int, steps: Steps) -> None:
        """Something happens then; the day is not over before it has."""
        self._deeds += 1
        heapq.heappush(self._coming, (at_ms, next(self._order), self._done(steps)))

    def _done(self, steps: Steps) -> Steps:
        yield from steps
        self._deeds -= 1
        self._ended_ms = self._elapsed_ms

    def _look_again_after(self, for_ms: int) -> None:
        """A call widens then: nothing happens but the decision at the end of that instant."""
        heapq.heappush(self._coming, (self._elapsed_ms + for_ms, next(self._order), nothing()))

    def _after(self, for_ms: int, steps: Steps) -> None:
        self._at(self._elapsed_ms + for_ms, steps)

    # Agents

    def _sign_in(self, agent: SimulatedAgent) -> Steps:
        skills = agent.skills or self.plan.every_skill
        told = ",".join(sorted(skills))
        yield c.SignIn(
            now_ms=self.now_ms,
            agent_id=agent.agent_id,
            name=agent.agent_id,
            skills=told,
            endpoint=f"client:{agent.agent_id}",
        )
        yield c.SetPresence(now_ms=self.now_ms, agent_id=agent.agent_id, presence="ready", reason="")
        self.busy_ms.setdefault(agent.agent_id, 0)
        self._idle += 1

    def _sign_out(self, agent: SimulatedAgent) -> Steps:
        (word, *_) = yield c.SetPresence(
            now_ms=self.now_ms, agent_id=agent.agent_id, presence="signed_out", reason=""
        )
        if word == "ok":
            self._idle -= 1

    # Calls

    def _arrive(self, call: SimulatedCall) -> Steps:
        yield arrival(self.plan, call, self.now_ms)
        lane_id, lane, head_start_ms = self._lane_of(call)
        yield c.EnqueueCall(
            now_ms=self.now_ms,
            call_id=call.call_id,
            queue=call.queue,
            matter=call.matter,
            tier=call.tier,
            lane_id=lane_id,
            lane=lane,
            head_start_ms=head_start_ms,
            locale=call.locale or self.plan.default_locale,
            ticket_type="",
            ticket_on="",
            work_queue="",
            is_open=True,
        )
        self._live[call.call_id] = _Live(call)
        self._waiting += 1
        if call.patience_ms is not None:
            self._after(call.patience_ms, self._lose_patience(call.call_id))
        for step in self.plan.queues[call.queue].overflow:
            self._look_again_after(step.after_ms)
        self._look_again_after(self.plan.tiers[call.tier].ceiling_ms)
        for queue in self.plan.queues.values():
            if queue.reserve is not None:
                self._look_again_after(queue.reserve.release_after_ms)

    def _lane_of(self, call: SimulatedCall) -> tuple[str, str, int]:
        locale = call.locale or self.plan.default_locale
        key = (call.queue, call.tier, call.matter, locale)
        if key not in self._lanes:
            lane = self.plan.lane(call.queue, call.tier, call.matter, locale)
            self._lanes[key] = (lane.lane_id, lane.to_json(), lane.head_start_ms)
        return self._lanes[key]

    def _lose_patience(self, call_id: str) -> Steps:
        live = self._live.get(call_id)
        if live is None or live.is_talking:
            return
        yield self._end(call_id)
        self._waiting -= not live.offer_id
        if live.offer_id:  # his phone rang in vain
            yield from self._finish(f"{EffectKind.HANG_UP}:{leg_of(live.offer_id)}")
            self._idle += 1
        yield from self._leave(live)

    def _talk(self, live: _Live) -> Steps:
        call_id = live.call.call_id
        if live.is_talking or call_id not in self._live:
            return
        leg_id = leg_of(live.offer_id)
        about: dict[str, Any] = {"now_ms": self.now_ms, "offer_id": live.offer_id}
        yield c.AnswerOffer(**about, leg_id=leg_id, whisper_ms=PLACE_MS)
        yield c.AcceptOffer(**about, leg_id=leg_id, connect_ms=PLACE_MS)
        yield c.ConnectCall(**about, call_id=call_id)
        yield from self._finish(f"{EffectKind.RECORD}:{call_id}")
        live.is_talking, live.answered_ms = True, self._elapsed_ms
        self._after(live.call.handling_ms, self._hang_up(live))

    def _hang_up(self, live: _Live) -> Steps:
        yield self._end(live.call.call_id)
        yield from self._finish(f"{EffectKind.HANG_UP}:{leg_of(live.offer_id)}")
        yield from self._leave(live)
        self.busy_ms[live.agent_id] += live.call.handling_ms + self.scenario.wrap_up_ms
        if self.scenario.wrap_up_ms:
            self._after(self.scenario.wrap_up_ms, self._wrap_up(live.agent_id))
        else:
            yield from self._wrap_up(live.agent_id)

    def _wrap_up(self, agent_id: str) -> Steps:
        yield c.CloseWrapUp(now_ms=self.now_ms, agent_id=agent_id, disposition="", by="agent")
        (word, *_) = yield c.Beat(now_ms=self.now_ms, agent_id=agent_id)
        self._idle += word == "ok"  # he may have gone home with it

    def _leave(self, live: _Live) -> Steps:
        call = live.call
        yield c.ForgetCall(now_ms=self.now_ms, call_id=call.call_id)
        del self._live[call.call_id]
        left_ms = live.answered_ms if live.answered_ms is not None else self._elapsed_ms
        self.played.append(
            PlayedCall(
                call=call,
                answered_ms=live.answered_ms,
                left_ms=left_ms,
                agent_id=live.agent_id if live.answered_ms is not None else "",
                rule=live.rule,
            )
        )

    # The dispatcher's tick

    def _match(self) -> Steps:
        self._kept_back_ms += self._kept_back * (self.now_ms - self._matched_ms)
        self._kept_back, self._matched_ms = 0, self.now_ms
        if not self._waiting or not self._idle:
            return
        times, is_cut = 1, True
        while is_cut:
            snapshot: Snapshot = yield Look(self.now_ms, times, self.plan.has_rotation)
            changes = reserve_changes(self.plan, snapshot, self.now_ms)
            for change in changes:
                yield c.SetReserve(now_ms=self.now_ms, **change._asdict())
            if changes:
                continue
            matches, is_cut, kept_back = decide_round(self.plan, snapshot, self.now_ms)
            for turn, match in enumerate(matches, snapshot.turn):
                yield from self._claim(match, turn)
            times = 1 if matches else times * FURTHER
            self._kept_back = len(kept_back)

    def _claim(self, match: Match, turn: int) -> Steps:
        (word, *rest) = yield c.ClaimOffer(
            now_ms=self.now_ms,
            call_id=match.call_id,
            agent_id=match.agent_id,
            turn=turn,
            place_ms=PLACE_MS,
            lease_ms=LEASE_MS,
            why=json.dumps(match.why, ensure_ascii=False, separators=(",", ":")),
            is_turn=match.is_turn,
        )
        if word != "ok":
            raise RuntimeError(f"a decision alone in the house was refused: {word}")
        live = self._live[match.call_id]
        live.offer_id, live.agent_id, live.rule = rest[0], match.agent_id, str(match.why["rule"])
        self._waiting -= 1
        self._idle -= 1
        about: dict[str, Any] = {
            "now_ms": self.now_ms,
            "offer_id": live.offer_id,
            "leg_id": leg_of(live.offer_id),
        }
        yield c.RingOffer(**about)
        yield from self._finish(rest[1])
        yield c.Ringing(**about, ring_ms=max(self.plan.ring_ms, self.scenario.ring_ms + 1))
        if self.scenario.ring_ms:
            self._after(self.scenario.ring_ms, self._talk(live))
        else:
            yield from self._talk(live)

    def _end(self, call_id: str) -> c.Command:
        return c.EndCall(
            now_ms=self.now_ms,
            call_id=call_id,
            by="caller",
            wrap_up_ms=max(self.scenario.wrap_up_ms, 1),
            linger_ms=0,
            forget_ms=FORGET_MS,
        )

    def _finish(self, effect_id: str) -> Steps:
        yield c.FinishEffect(now_ms=self.now_ms, effect_id=effect_id)

    def _close_books(self) -> None:
        """Whoever still waits when nothing more can happen was never answered."""
        last_ms = self._ended_ms
        for live in self._live.values():
            self.played.append(
                PlayedCall(call=live.call, answered_ms=live.answered_ms, left_ms=last_ms, rule=live.rule)
            )
        for agent in self.scenario.agents:
            until_ms = last_ms if agent.until_ms is None else max(agent.until_ms, agent.from_ms)
            self.staffed_ms[agent.agent_id] = max(0, until_ms - agent.from_ms)


def nothing() -> Steps:
    yield from ()


def leg_of(offer_id: str) -> str:
    return f"leg-{offer_id}"


def arrival(plan: Plan, call: SimulatedCall, now_ms: int) -> c.Command:
    return c.Arrive(
        now_ms=now_ms,
        call_id=call.call_id,
        line=next(iter(plan.lines)),
        caller_ref="simulated",
        number="",
        number_key="",
        default_tier=call.tier,
        default_locale=plan.default_locale,
        is_internal=False,
        site_version=plan.version,
    )
