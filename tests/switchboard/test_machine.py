"""Hypothesis drives the pure rules and the real scripts together, in any order, each command also doubled."""

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from queues.domain import commands as c
from queues.domain.audit import audit
from queues.domain.calls import Call, CallState
from queues.domain.lanes import Lane, call_id_of
from queues.domain.offers import OPEN, OfferState
from tests.doubles import MONDAY_0900_MS
from tests.switchboard.world import World, lane

CALLS = ("CA1", "CA2", "CA3", "CA4")
AGENTS = ("mei", "bo", "ann")
LANES = (lane(), lane(tier="vip", head_start_ms=120_000), lane("gas", "normal", is_safety=True))
# Commands whose repetition tells nothing new; the others are about time and may act again.
REPEATABLE = (c.ClaimEffects, c.AppendLine, c.RaiseCounters)


class SwitchboardMachine(RuleBasedStateMachine):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis.from_url(url, decode_responses=True)
        self.world = World(self.redis)
        self.now_ms = MONDAY_0900_MS
        self.places: dict[str, int] = {}

    def teardown(self) -> None:
        self.runner.run(self.redis.aclose())
        self.runner.close()
        assert audit(self.world.lines, is_drained=False) == ()

    @initialize()
    def open(self) -> None:
        self.runner.run(self.world.open())
        for agent_id in AGENTS[:2]:
            self.do(
                c.SignIn(now_ms=self.now_ms, agent_id=agent_id, name="", skills="power", endpoint="client:x")
            )
            self.do(c.SetPresence(now_ms=self.now_ms, agent_id=agent_id, presence="ready", reason=""))

    def do(self, command: c.Command, *, is_doubled: bool = False) -> str:
        run = self.world.twice if is_doubled and not isinstance(command, REPEATABLE) else self.world.do
        return self.runner.run(run(command))[0]

    # Whom it happens to: those it can happen to, or now and then anybody.

    def a_call(self, data: st.DataObject, *states: CallState) -> str:
        fit = [call_id for call_id, call in sorted(self.world.state.calls.items()) if call.state in states]
        return data.draw(st.sampled_from(fit if fit and data.draw(st.integers(0, 7)) else CALLS))

    def an_offer(self, data: st.DataObject, *states: OfferState) -> str:
        offers = self.world.state.offers
        fit = [offer_id for offer_id, offer in sorted(offers.items()) if offer.state in states]
        if fit and data.draw(st.integers(0, 7)):
            return data.draw(st.sampled_from(fit))
        return data.draw(st.sampled_from(sorted(offers) or ["CA9-1"]))

    def leg_of(self, data: st.DataObject, offer_id: str) -> str:
        return data.draw(st.sampled_from([f"leg-{offer_id}"] * 6 + ["leg-other"]))

    def an_agent(self, data: st.DataObject, *states: str) -> str:
        fit = [each.agent_id for each in self.world.state.agents.values() if each.state in states]
        return data.draw(st.sampled_from(sorted(fit) if fit and data.draw(st.integers(0, 7)) else AGENTS))

    # The usual course of things, several steps at once; the rules after it are what disturbs it.

    @rule(choices=st.lists(st.integers(0, 10_000), min_size=3, max_size=12))
    def the_day_goes_on(self, choices: list[int]) -> None:
        for choice in choices:
            likely = self.likely_commands()
            self.do(likely[choice % len(likely)])
            self.now_ms += choice % 700

    def likely_commands(self) -> list[c.Command]:
        state, now_ms = self.world.state, self.now_ms
        likely = [self.arrival(call_id) for call_id in CALLS if call_id not in state.calls]
        for call in state.calls.values():
            likely += self.likely_for_call(call)
        for agent in state.agents.values():
            if agent.state in ("away", "signed_out"):
                likely.append(
                    c.SignIn(now_ms=now_ms, agent_id=agent.agent_id, name="", skills="power", endpoint="e")
                    if agent.state == "signed_out"
                    else c.SetPresence(now_ms=now_ms, agent_id=agent.agent_id, presence="ready", reason="")
                )
            if agent.state == "wrap_up":
                likely.append(
                    c.CloseWrapUp(now_ms=now_ms, agent_id=agent.agent_id, disposition="solved", by="agent")
                )
        return likely or [c.Beat(now_ms=now_ms, agent_id="mei")]

    def likely_for_call(self, call: Call) -> list[c.Command]:
        state, about = self.world.state, {"now_ms": self.now_ms, "call_id": call.call_id}
        offer = {"now_ms": self.now_ms, "offer_id": call.offer_id}
        leg = {**offer, "leg_id": f"leg-{call.offer_id}"}
        if call.state == "menu":
            return [self.entry(call.call_id, LANES[call.arrival % 3], "repair", is_open=True)]
        if call.state == "queued":
            claim = {
                "turn": state.turn,
                "place_ms": 35_000,
                "lease_ms": 30_000,
                "why": json.dumps({"by": "键/key"}),
            }
            return [c.ClaimOffer(**about, agent_id=agent_id, **claim) for agent_id in sorted(state.ready)]
        if call.state == "offered":
            return {
                OfferState.CLAIMED: [c.RingOffer(**leg), c.Ringing(**leg, ring_ms=15_000)],
                OfferState.RINGING: [c.AnswerOffer(**leg, whisper_ms=15_000)],
                OfferState.ANSWERED: [c.AcceptOffer(**leg, connect_ms=15_000)],
            }[state.offers[call.offer_id].state]
        if call.state == "connecting":
            return [c.ConnectCall(**about, offer_id=call.offer_id)]
        return []

    def arrival(self, call_id: str, key: str = "k-vip") -> c.Command:
        return c.Arrive(
            now_ms=self.now_ms, call_id=call_id, line="main", caller_ref="r/1", number="+86138", number_key=key,
            default_tier="normal", default_locale="zh-CN",
        )  # fmt: skip

    def entry(self, call_id: str, where: Lane, ticket: str, *, is_open: bool) -> c.Command:
        return c.EnqueueCall(
            now_ms=self.now_ms, call_id=call_id, queue=where.queue, matter="outage",
            tier="", lane_id=where.lane_id, lane=where.to_json(), head_start_ms=where.head_start_ms, locale="",
            ticket_type=ticket, ticket_on="answer", work_queue="w", is_open=is_open,
        )  # fmt: skip

    @rule(for_ms=st.sampled_from([-50, 0, 1, 900, 11_000, 16_000, 31_000, 46_000]))
    def time_passes(self, for_ms: int) -> None:
        self.now_ms += for_ms  # now and then another machine's clock is behind

    @rule(
        n=st.sampled_from(CALLS),
        key=st.sampled_from(["k-vip", "k-plain", "k-none", "k-dangling"]),
        twice=st.booleans(),
    )
    def arrive(self, n: str, key: str, twice: bool) -> None:
        command = self.arrival(n, key)
        self.do(command, is_doubled=twice)

    @rule(
        data=st.data(),
        step=st.integers(0, 3),
        record=st.sampled_from(["", "refused", "wanted"]),
        twice=st.booleans(),
    )
    def step_menu(self, data: st.DataObject, step: int, record: str, twice: bool) -> None:
        call_id = self.a_call(data, CallState.MENU)
        self.do(
            c.StepMenu(now_ms=self.now_ms, call_id=call_id, node="main", step=step, locale="", record=record),
            is_doubled=twice,
        )

    @rule(data=st.data(), where=st.sampled_from(LANES), ticket=st.sampled_from(["", "repair"]), twice=st.booleans(),
          is_open=st.sampled_from([True, True, True, False]))  # fmt: skip
    def enqueue(self, data: st.DataObject, where: Lane, ticket: str, twice: bool, is_open: bool) -> None:
        command = self.entry(self.a_call(data, CallState.MENU), where, ticket, is_open=is_open)
        self.do(command, is_doubled=twice)

    @rule(data=st.data())
    def touch(self, data: st.DataObject) -> None:
        self.do(
            c.TouchCall(now_ms=self.now_ms, call_id=self.a_call(data, CallState.QUEUED, CallState.OFFERED))
        )

    @rule(data=st.data(), to=st.sampled_from(["voicemail", "callback", "goodbye"]), twice=st.booleans())
    def divert(self, data: st.DataObject, to: str, twice: bool) -> None:
        call_id = self.a_call(data, CallState.QUEUED, CallState.OFFERED, CallState.MENU)
        self.do(c.DivertCall(now_ms=self.now_ms, call_id=call_id, to=to), is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans())
    def leave_message(self, data: st.DataObject, twice: bool) -> None:
        call_id = self.a_call(data, CallState.MESSAGING, CallState.ENDED)
        self.do(c.LeaveMessage(now_ms=self.now_ms, call_id=call_id), is_doubled=twice)

    @rule(data=st.data(), by=st.sampled_from(["caller", "agent", "system"]), twice=st.booleans())
    def end_call(self, data: st.DataObject, by: str, twice: bool) -> None:
        call_id = self.a_call(
            data, CallState.CONNECTED, CallState.CONNECTING, CallState.OFFERED, CallState.MESSAGING
        )
        command = c.EndCall(now_ms=self.now_ms, call_id=call_id, by=by, wrap_up_ms=30_000, forget_ms=60_000)
        self.do(command, is_doubled=twice)

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """Journals of two lives of one id would mislead the auditor, so a forgotten call stays away here."""
        call_id = self.a_call(data, CallState.QUEUED)
        if self.do(c.ForgetCall(now_ms=self.now_ms, call_id=call_id)) == "ok":
            self.world.lines = [line for line in self.world.lines if line.call_id != call_id]
            self.places.pop(call_id, None)

    @rule(data=st.data(), behind=st.sampled_from([0, 0, 0, 0, 0, 1]))
    def claim(self, data: st.DataObject, behind: int) -> None:
        command = c.ClaimOffer(
            now_ms=self.now_ms, call_id=self.a_call(data, CallState.QUEUED), agent_id=self.an_agent(data, "ready"),
            turn=self.world.state.turn - behind, place_ms=35_000, lease_ms=30_000, why=json.dumps({"rule": "键/key"}),
        )  # fmt: skip
        self.do(command, is_doubled=True)

    @rule(data=st.data(), twice=st.booleans())
    def ring(self, data: st.DataObject, twice: bool) -> None:
        offer_id = self.an_offer(data, OfferState.CLAIMED)
        command = c.RingOffer(now_ms=self.now_ms, offer_id=offer_id, leg_id=self.leg_of(data, offer_id))
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans(), is_told=st.booleans())
    def ringing(self, data: st.DataObject, twice: bool, is_told: bool) -> None:
        offer_id = self.an_offer(data, OfferState.CLAIMED)
        leg_id = self.leg_of(data, offer_id) if is_told else ""
        self.do(
            c.Ringing(now_ms=self.now_ms, offer_id=offer_id, leg_id=leg_id, ring_ms=15_000), is_doubled=twice
        )

    @rule(data=st.data(), twice=st.booleans())
    def answer(self, data: st.DataObject, twice: bool) -> None:
        offer_id = self.an_offer(data, OfferState.RINGING)
        leg_id = self.leg_of(data, offer_id)
        command = c.AnswerOffer(now_ms=self.now_ms, offer_id=offer_id, leg_id=leg_id, whisper_ms=15_000)
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans())
    def accept(self, data: st.DataObject, twice: bool) -> None:
        offer_id = self.an_offer(data, *OPEN)
        leg_id = self.leg_of(data, offer_id)
        command = c.AcceptOffer(now_ms=self.now_ms, offer_id=offer_id, leg_id=leg_id, connect_ms=15_000)
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans())
    def decline(self, data: st.DataObject, twice: bool) -> None:
        offer_id = self.an_offer(data, *OPEN)
        self.do(c.DeclineOffer(now_ms=self.now_ms, offer_id=offer_id, skip_ms=10_000), is_doubled=twice)

    @rule(data=st.data(), by=st.sampled_from(["deadline", "provider"]), twice=st.booleans())
    def expire(self, data: st.DataObject, by: str, twice: bool) -> None:
        offer_id = self.an_offer(data, *OPEN)
        command = c.ExpireOffer(now_ms=self.now_ms, offer_id=offer_id, by=by, skip_ms=60_000, missed_max=2)
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans())
    def unring(self, data: st.DataObject, twice: bool) -> None:
        offer_id = self.an_offer(data, OfferState.CLAIMED)
        self.do(c.UnringOffer(now_ms=self.now_ms, offer_id=offer_id, skip_ms=60_000), is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans())
    def connect(self, data: st.DataObject, twice: bool) -> None:
        offer_id = self.an_offer(data, OfferState.ACCEPTED)
        command = c.ConnectCall(now_ms=self.now_ms, call_id=offer_id.partition("-")[0], offer_id=offer_id)
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), by=st.sampled_from(["deadline", "agent", "provider"]), twice=st.booleans())
    def requeue(self, data: st.DataObject, by: str, twice: bool) -> None:
        offer_id = self.an_offer(data, OfferState.ACCEPTED)
        call_id = offer_id.partition("-")[0]
        command = c.RequeueCall(now_ms=self.now_ms, call_id=call_id, offer_id=offer_id, by=by, skip_ms=10_000)
        self.do(command, is_doubled=twice)

    @rule(
        agent_id=st.sampled_from(AGENTS),
        skills=st.sampled_from(["power", "gas,power", ""]),
        twice=st.booleans(),
    )
    def sign_in(self, agent_id: str, skills: str, twice: bool) -> None:
        command = c.SignIn(
            now_ms=self.now_ms, agent_id=agent_id, name="美", skills=skills, endpoint="client:x/1"
        )
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), presence=st.sampled_from(["ready", "ready", "ready", "away", "signed_out"]),
          reason=st.sampled_from(["", "lunch:long"]), twice=st.booleans())  # fmt: skip
    def set_presence(self, data: st.DataObject, presence: str, reason: str, twice: bool) -> None:
        command = c.SetPresence(
            now_ms=self.now_ms, agent_id=self.an_agent(data, "away"), presence=presence, reason=reason
        )
        self.do(command, is_doubled=twice)

    @rule(agent_id=st.sampled_from(AGENTS))
    def beat(self, agent_id: str) -> None:
        self.do(c.Beat(now_ms=self.now_ms, agent_id=agent_id))

    @rule(data=st.data(), twice=st.booleans())
    def lose(self, data: st.DataObject, twice: bool) -> None:
        agent_id = self.an_agent(data, "offered", "ready", "connected")
        self.do(c.LoseAgent(now_ms=self.now_ms, agent_id=agent_id, silent_ms=45_000), is_doubled=twice)

    @rule(data=st.data(), twice=st.booleans())
    def extend(self, data: st.DataObject, twice: bool) -> None:
        command = c.ExtendWrapUp(now_ms=self.now_ms, agent_id=self.an_agent(data, "wrap_up"), by_ms=60_000)
        self.do(command, is_doubled=twice)

    @rule(data=st.data(), by=st.sampled_from(["agent", "deadline"]), twice=st.booleans())
    def close_wrap_up(self, data: st.DataObject, by: str, twice: bool) -> None:
        agent_id = self.an_agent(data, "wrap_up")
        command = c.CloseWrapUp(now_ms=self.now_ms, agent_id=agent_id, disposition="solved", by=by)
        self.do(command, is_doubled=twice)

    @rule(effects_max=st.integers(1, 3))
    def claim_effects(self, effects_max: int) -> None:
        self.do(c.ClaimEffects(now_ms=self.now_ms, lease_ms=30_000, effects_max=effects_max))

    @rule(
        data=st.data(),
        kind=st.sampled_from([c.FinishEffect, c.FailEffect, c.RetryEffect]),
        twice=st.booleans(),
    )
    def settle_effect(self, data: st.DataObject, kind: Callable[..., c.Command], twice: bool) -> None:
        effect_id = data.draw(st.sampled_from(sorted(self.world.state.effects) or ["ring:none"]))
        late = {"due_ms": self.now_ms + 5} if kind is c.RetryEffect else {}
        self.do(kind(now_ms=self.now_ms, effect_id=effect_id, **late), is_doubled=twice)

    @rule(seen=st.integers(0, 5))
    def come_back_after_a_loss(self, seen: int) -> None:
        command = c.RaiseCounters(
            now_ms=self.now_ms, last_ms=self.now_ms + seen, last_seq=seen, arrivals=seen, tickets=seen
        )
        self.do(command)

    @rule(call_id=st.sampled_from(CALLS))
    def append(self, call_id: str) -> None:
        self.do(
            c.AppendLine(now_ms=self.now_ms, type="recording.started", call_id=call_id, data='{"id":"RE1"}')
        )

    @rule()
    def look(self) -> None:
        self.runner.run(self.world.snapshot(self.now_ms))

    # What always holds.

    @invariant()
    def one_agent_has_one_call(self) -> None:
        state = self.world.state
        held = {offer.agent_id: offer for offer in state.offers.values() if offer.state in OPEN}
        assert len(held) == sum(offer.state in OPEN for offer in state.offers.values())
        for agent_id, offer in held.items():
            assert state.agents[agent_id].offer_id == offer.offer_id
            assert state.calls[offer.call_id].offer_id == offer.offer_id
        busy = [call.agent_id for call in state.calls.values() if call.agent_id and call.state != "ended"]
        assert len(busy) == len(set(busy))

    @invariant()
    def lanes_hold_exactly_the_queued(self) -> None:
        state = self.world.state
        members = [call_id_of(member) for entries in state.lanes.values() for _, member in entries]
        assert sorted(members) == sorted(
            k for k, call in state.calls.items() if call.state is CallState.QUEUED
        )

    @invariant()
    def a_place_is_kept(self) -> None:
        for call_id, call in self.world.state.calls.items():
            if call.queued_ms is not None:
                assert self.places.setdefault(call_id, call.queued_ms) == call.queued_ms

    @invariant()
    def nobody_is_lost_between_states(self) -> None:
        state = self.world.state
        under_way = {call_id for call_id, call in state.calls.items() if call.state is not CallState.ENDED}
        assert set(state.live) == under_way
        ready = {agent_id for agent_id, agent in state.agents.items() if agent.state == "ready"}
        assert set(state.ready) == ready


@pytest.fixture
def machine_url(redis_url: str) -> Iterator[str]:
    yield redis_url


def test_rules_and_scripts_agree_on_everything(machine_url: str) -> None:
    run_state_machine_as_test(
        lambda: SwitchboardMachine(machine_url),
        settings=settings(
            max_examples=40, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
