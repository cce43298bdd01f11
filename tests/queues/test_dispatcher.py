"""The dispatcher over the real store: who is rung, what is performed, what happens when it fails or dies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from config.runtime import Runtime
from config.telephony import Direction, LegGone, LegStatus, ProviderError, ProviderUnreachable
from queues import dispatcher as room
from queues.dispatcher import Dispatcher, raise_counters
from queues.domain.agents import AgentState
from queues.domain.calls import CallState
from queues.domain.lanes import Lane
from queues.service import effects
from queues.service.plans import plan_of
from queues.service.switchboard import EFFECT_LEASE_S, CallFacts, Switchboard
from tests.doubles import ManualClock, TelephonyDouble

LIN, WANG = "CAlin", "CAwang"


@dataclass
class Floor:
    """One dispatcher, one switchboard, callers and agents of the power site."""

    runtime: Runtime
    clock: ManualClock
    telephony: TelephonyDouble
    dispatcher: Dispatcher = field(init=False)
    board: Switchboard = field(init=False)

    def __post_init__(self) -> None:
        self.plan = plan_of(self.runtime)
        self.board = Switchboard(self.runtime)
        self.dispatcher = self.another_dispatcher()
        self.queue = next(iter(self.plan.queues))

    def another_dispatcher(self) -> Dispatcher:
        return Dispatcher(self.runtime, Switchboard(self.runtime))

    async def waits(self, call_id: str, *, queue: str = "", tier: str = "", is_safety: bool = False) -> None:
        name = queue or self.queue
        tier = tier or self.plan.default_tier
        self.telephony.arrive(call_id)
        await self.board.arrive(call_id=call_id, line="main", caller_ref="r", number="+86", number_key="k")
        head_start_ms = self.plan.tiers[tier].head_start_ms
        lane = Lane(name, tier, self.plan.queues[name].needs, head_start_ms, is_safety)
        matter = next(iter(self.plan.matters))
        await self.board.enqueue_call(call_id=call_id, queue=name, matter=matter, tier=tier, lane=lane)

    async def is_ready(self, agent_id: str) -> None:
        about = {"name": agent_id, "endpoint": f"client:{agent_id}"}
        await self.board.sign_in(agent_id=agent_id, skills=self.plan.skills, **about)
        await self.board.set_presence(agent_id=agent_id, presence="ready")

    async def tick(self) -> bool:
        was_work = await self.dispatcher.tick()
        await self.dispatcher.settle()
        return was_work

    async def pass_by(self, for_ms: int) -> None:
        self.clock.advance(for_ms)
        await self.tick()

    async def takes_over(self) -> None:
        """The one who led is dead; this dispatcher leads now."""
        self.clock.advance(1)
        assert await self.dispatcher.lead()
        await self.tick()

    @contextmanager
    def provider_is_slow(self, name: str) -> Iterator[None]:
        """What is asked by that name waits until the end of the block."""
        gate, real = asyncio.Event(), getattr(self.telephony, name)

        async def slow(*given: Any, **named: Any) -> Any:
            await gate.wait()
            return await real(*given, **named)

        setattr(self.telephony, name, slow)
        yield
        gate.set()
        setattr(self.telephony, name, real)

    async def disturbed(self, is_lease_over: bool) -> None:
        """What is in hand is claimed again: its own lease has run out, or the leader's had for a moment."""
        if is_lease_over:
            self.clock.advance(self.clock.product_ms(EFFECT_LEASE_S) + 1)
        else:
            await self.runtime.redis.delete("{power}:leader:dispatcher")
            self.dispatcher._led_until_ms = 0
            assert await self.dispatcher.lead()
            self.clock.advance(1)
        await self.starts()

    async def starts(self) -> None:
        """A tick whose effects do not end."""
        await self.dispatcher.tick()
        await asyncio.sleep(0.05)

    async def call(self, call_id: str = LIN) -> CallFacts:
        facts = await self.board.read_call(call_id=call_id)
        assert facts is not None
        return facts

    async def state_of(self, agent_id: str) -> tuple[AgentState, str]:
        desk = await self.board.desk_state(agent_id=agent_id)
        assert desk is not None
        return desk.state, desk.reason

    async def rings(self, call_id: str = LIN, agent_id: str = "mei") -> str:
        """The agent's phone rings for the call."""
        await self.waits(call_id)
        await self.is_ready(agent_id)
        await self.tick()
        offer_id = (await self.call(call_id)).offer_id
        await self.board.ringing(offer_id=offer_id, leg_id=self.telephony.placed[-1].leg_id)
        return offer_id

    async def accepts(self, call_id: str = LIN, agent_id: str = "mei") -> str:
        offer_id = await self.rings(call_id, agent_id)
        leg_id = self.telephony.placed[-1].leg_id
        await self.board.answer_offer(offer_id=offer_id, leg_id=leg_id)
        await self.board.accept_offer(offer_id=offer_id, leg_id=leg_id)
        return offer_id


@pytest.fixture
def floor(runtime: Runtime, clock: ManualClock, telephony: TelephonyDouble) -> Floor:
    return Floor(runtime, clock, telephony)


async def test_a_waiting_call_rings_a_ready_agent_and_is_joined_and_recorded(floor: Floor) -> None:
    offer_id = await floor.accepts()
    [placed] = floor.telephony.placed
    assert (placed.to, placed.from_) == ("client:mei", floor.runtime.settings.hotline_numbers["main"])
    assert placed.url.endswith(f"/voice_agent/{offer_id}")
    assert placed.status_url.endswith(f"/voice_agent_status/{offer_id}")
    await floor.tick()
    assert floor.telephony.pulled == [
        (floor.plan.provider_queue, LIN, floor.runtime.links.url("voice_connect", offer_id=offer_id))
    ]
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    url = floor.runtime.links.url("recordings_callback", call_id=LIN, kind="call")
    assert floor.telephony.recorded == [(LIN, url)]
    assert await floor.tick() is False


async def test_without_an_agent_there_is_no_work(floor: Floor) -> None:
    await floor.waits(LIN)
    assert await floor.tick() is False
    assert floor.telephony.placed == []


async def test_safety_first_then_the_key(floor: Floor) -> None:
    await floor.waits(WANG)
    floor.clock.advance(1_000)
    await floor.waits(LIN, is_safety=True)
    await floor.is_ready("mei")
    await floor.tick()
    assert (await floor.call(LIN)).state is CallState.OFFERED
    assert (await floor.call(WANG)).state is CallState.QUEUED


async def test_several_matches_of_one_snapshot_are_all_claimed(floor: Floor) -> None:
    for n in range(5):
        await floor.waits(f"CA{n}")
        await floor.is_ready(f"agent{n}")
    assert await floor.tick()
    assert sorted(placed.to for placed in floor.telephony.placed) == [f"client:agent{n}" for n in range(5)]


async def test_nobody_answers_and_the_next_agent_is_rung(floor: Floor) -> None:
    offer_id = await floor.rings()
    place = (await floor.call()).queued_ms
    await floor.is_ready("bo")
    await floor.pass_by(floor.plan.ring_ms)
    call = await floor.call()
    assert (call.state, call.agent_id, call.queued_ms) == (CallState.OFFERED, "bo", place)
    assert call.offer_id != offer_id
    assert floor.telephony.hung_up == [floor.telephony.placed[0].leg_id]
    assert await floor.state_of("mei") == (AgentState.READY, "")


async def test_the_only_agent_is_rung_again_and_then_away(floor: Floor) -> None:
    await floor.rings()
    await floor.pass_by(floor.plan.ring_ms)
    second = (await floor.call()).offer_id
    await floor.board.ringing(offer_id=second, leg_id=floor.telephony.placed[-1].leg_id)
    await floor.pass_by(floor.plan.ring_ms)
    assert await floor.state_of("mei") == (AgentState.AWAY, "missed")
    assert (await floor.call()).state is CallState.QUEUED


async def test_a_decliner_is_left_alone_for_a_while(floor: Floor) -> None:
    offer_id = await floor.rings()
    await floor.board.decline_offer(offer_id=offer_id)
    await floor.tick()
    assert (await floor.call()).state is CallState.QUEUED
    await floor.pass_by(floor.plan.decline_skip_ms)
    assert (await floor.call()).state is CallState.OFFERED


async def test_a_phone_that_never_rings_is_given_up_by_its_deadline(floor: Floor) -> None:
    await floor.waits(LIN)
    await floor.is_ready("mei")
    await floor.tick()
    await floor.pass_by(floor.plan.ring_ms + 20_000)
    assert (await floor.call()).state is CallState.QUEUED
    assert await floor.state_of("mei") == (AgentState.READY, "")
    assert floor.telephony.hung_up == ["CAagent0001"]


async def test_a_phone_that_the_provider_refuses_to_ring_is_unrung_at_once(floor: Floor) -> None:
    floor.telephony.fail("place", ProviderError(400, 21217, "not a phone"))
    await floor.waits(LIN)
    await floor.is_ready("mei")
    await floor.tick()
    assert (await floor.call()).state is CallState.QUEUED
    assert await floor.state_of("mei") == (AgentState.READY, "")


async def test_a_provider_that_stumbles_is_asked_again(floor: Floor) -> None:
    floor.telephony.fail("place", ProviderUnreachable("no answer"), times=2)
    await floor.waits(LIN)
    await floor.is_ready("mei")
    await floor.tick()
    assert floor.telephony.placed == []
    await floor.pass_by(250)
    await floor.pass_by(500)
    assert len(floor.telephony.placed) == 1
    await floor.pass_by(30_000)
    assert len(floor.telephony.placed) == 1


async def test_a_provider_that_never_answers_costs_the_call_its_offer_not_its_place(floor: Floor) -> None:
    floor.telephony.fail("place", ProviderUnreachable("no answer"), times=50)
    await floor.waits(LIN)
    await floor.is_ready("mei")
    await floor.tick()
    for _ in range(8):
        await floor.pass_by(1_000)
    call = await floor.call()
    assert (call.state, call.offer_id) == (CallState.QUEUED, "")
    assert await floor.state_of("mei") == (AgentState.READY, "")


# The process dies here


async def test_dying_between_claim_and_ring(floor: Floor) -> None:
    await floor.waits(LIN)
    await floor.is_ready("mei")
    snapshot = await floor.board.snapshot()
    claimed = await floor.board.claim_offer(call_id=LIN, agent_id="mei", turn=snapshot.turn, why={})
    assert claimed.is_ok
    await floor.tick()
    assert floor.telephony.placed == []
    await floor.takes_over()
    assert [placed.to for placed in floor.telephony.placed] == ["client:mei"]


async def test_dying_after_the_leg_was_placed_does_not_place_another(floor: Floor) -> None:
    await floor.waits(LIN)
    await floor.is_ready("mei")
    snapshot = await floor.board.snapshot()
    await floor.board.claim_offer(call_id=LIN, agent_id="mei", turn=snapshot.turn, why={})
    number = floor.runtime.settings.hotline_numbers["main"]
    await floor.telephony.place(to="client:mei", from_=number, url="u", status_url="s", timeout_s=20)
    await floor.takes_over()
    await floor.pass_by(30_000)
    assert len(floor.telephony.placed) == 1
    offer_id = (await floor.call()).offer_id
    answered = await floor.board.answer_offer(offer_id=offer_id, leg_id="CAagent0001")
    assert answered.is_ok


async def test_dying_between_accept_and_pull(floor: Floor) -> None:
    await floor.accepts()
    [effect] = await floor.board.claim_effects()
    assert effect.kind == "pull"
    await floor.tick()
    assert floor.telephony.pulled == []
    await floor.takes_over()
    assert [leg_id for _, leg_id, _ in floor.telephony.pulled] == [LIN]


async def test_a_pull_that_leads_nowhere_gives_the_place_back(floor: Floor) -> None:
    await floor.accepts()
    await floor.tick()
    place = (await floor.call()).queued_ms
    floor.telephony.fail("place", ProviderError(400, 21217, "not now"))
    await floor.pass_by(30_000)
    call = await floor.call()
    assert (call.state, call.queued_ms) == (CallState.QUEUED, place)
    assert floor.telephony.hung_up == ["CAagent0001"]


async def test_who_takes_over_performs_at_once_what_the_dead_had_taken(floor: Floor) -> None:
    await floor.accepts()
    await floor.board.claim_effects()
    assert await floor.dispatcher.lead()
    await floor.tick()
    assert len(floor.telephony.pulled) == 1


async def test_pulling_twice_is_harmless(floor: Floor) -> None:
    offer_id = await floor.accepts()
    [effect] = await floor.board.claim_effects()
    await floor.dispatcher._performer.perform(effect)
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.dispatcher._performer.perform(effect)
    assert len(floor.telephony.pulled) == 1
    assert (await floor.call()).state is CallState.CONNECTED


async def test_dying_between_pull_and_recording(floor: Floor) -> None:
    offer_id = await floor.accepts()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    [effect] = await floor.board.claim_effects()
    assert effect.kind == "record"
    await floor.telephony.record(LIN, "started, then died")
    await floor.takes_over()
    assert len(floor.telephony.recorded) == 1
    assert await floor.tick() is False


async def test_a_lost_hang_up_is_found_by_asking(floor: Floor) -> None:
    offer_id = await floor.accepts()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    floor.telephony.set_leg(LIN, LegStatus.COMPLETED)
    floor.clock.advance(room.TALKING_MS)
    floor.dispatcher._watch_at_ms = 0
    await floor.tick()
    call = await floor.call()
    assert (call.state, call.outcome) == (CallState.ENDED, "answered")
    assert (await floor.state_of("mei"))[0] is AgentState.WRAP_UP


async def test_a_silent_call_that_still_lives_is_left_in_peace(floor: Floor) -> None:
    await floor.waits(LIN)
    floor.clock.advance(room.SILENT_MS)
    floor.dispatcher._watch_at_ms = 0
    assert await floor.tick()
    floor.dispatcher._watch_at_ms = 0
    assert await floor.tick() is False
    assert (await floor.call()).state is CallState.QUEUED


async def test_a_caller_who_is_gone_when_he_is_pulled_ends_his_call(floor: Floor) -> None:
    await floor.accepts()
    floor.telephony.set_leg(LIN, LegStatus.COMPLETED)
    await floor.tick()
    assert (await floor.call()).outcome == "abandoned"
    await floor.tick()
    assert floor.telephony.hung_up == ["CAagent0001"]


async def test_a_caller_who_is_not_there_yet_is_pulled_a_moment_later(floor: Floor) -> None:
    await floor.accepts()
    floor.telephony.fail("pull", LegGone(404, 20404, "not in the queue"), times=7)
    for _ in range(8):
        await floor.pass_by(400)
    assert len(floor.telephony.pulled) == 1


async def test_not_yets_cost_a_pull_no_attempts(floor: Floor) -> None:
    await floor.accepts()
    floor.telephony.fail("pull", LegGone(404, 20404, "not in the queue"), times=6)
    floor.telephony.fail("pull", ProviderError(500, None, "a stumble"), times=2)
    for _ in range(20):
        await floor.pass_by(1_000)
    assert len(floor.telephony.pulled) == 1


async def test_a_pull_that_is_refused_is_given_up_at_once(floor: Floor) -> None:
    await floor.accepts()
    floor.telephony.fail("pull", ProviderError(401, 20003, "no"))
    await floor.tick()
    assert (await floor.call()).state is CallState.QUEUED


# Whose leg it is


async def test_a_ring_tried_again_takes_no_leg_that_others_placed(floor: Floor) -> None:
    await floor.waits(LIN)
    await floor.is_ready("mei")
    number = floor.runtime.settings.hotline_numbers["main"]
    about: dict[str, Any] = {"to": "client:mei", "status": LegStatus.IN_PROGRESS}
    keep = floor.telephony._keep
    keep("CAprivate", from_="client:boss", direction=Direction.OUTBOUND, **about)
    keep("CAold", from_=number, direction=Direction.OUTBOUND, **about)
    keep("CAinbound", from_=number, direction=Direction.INBOUND, **about)
    old = floor.telephony.known["CAold"]
    floor.telephony.known["CAold"] = replace(old, created_ms=floor.clock.now_ms() - 60_000)
    floor.telephony.fail("place", ProviderError(500, None, "a stumble"))
    await floor.tick()
    await floor.pass_by(300)
    assert [placed.to for placed in floor.telephony.placed] == ["client:mei"]
    for _ in range(40):
        await floor.pass_by(1_000)
    assert not {"CAprivate", "CAold", "CAinbound"} & set(floor.telephony.hung_up)


async def test_a_ring_tried_again_takes_no_leg_of_another_offer(floor: Floor) -> None:
    first = await floor.rings(LIN)
    await floor.waits(WANG)
    await floor.board.end_call(call_id=LIN, by="caller")
    floor.telephony.fail("hang_up", ProviderUnreachable("no answer"), times=2)
    floor.telephony.fail("place", ProviderError(500, None, "a stumble"))
    await floor.tick()
    await floor.pass_by(300)
    first_leg = (await floor.board.leg_of_offer(offer_id=first))[0]
    offer_id = (await floor.call(WANG)).offer_id
    second_leg = (await floor.board.leg_of_offer(offer_id=offer_id))[0]
    assert [placed.leg_id for placed in floor.telephony.placed] == [first_leg, second_leg]


async def test_the_leg_of_an_attempt_whose_answer_was_lost_is_found(floor: Floor) -> None:
    await floor.waits(LIN)
    await floor.is_ready("mei")
    place = floor.telephony.place

    async def lost(**asked: Any) -> str:
        await place(**asked)
        floor.telephony.place = place  # type: ignore[method-assign]
        raise ProviderUnreachable("no answer")

    floor.telephony.place = lost  # type: ignore[method-assign]
    await floor.tick()
    await floor.pass_by(300)
    offer_id = (await floor.call()).offer_id
    [placed] = floor.telephony.placed
    assert (await floor.board.leg_of_offer(offer_id=offer_id))[0] == placed.leg_id
    assert await floor.board.offer_of_leg(leg_id=placed.leg_id) == offer_id


async def test_an_agents_leg_that_meets_no_answer_of_ours_has_somewhere_to_go(floor: Floor) -> None:
    url = "https://provider.example/please-hold"
    floor.runtime.settings = replace(floor.runtime.settings, fallback_url=url)
    await floor.waits(LIN)
    await floor.is_ready("mei")
    await floor.tick()
    assert [placed.fallback_url for placed in floor.telephony.placed] == [url]


# The watch of a conversation, the provider's queue


@pytest.mark.parametrize("is_agent_there", [True, False])
async def test_a_caller_who_came_back_by_the_fallback_is_not_left_alone(
    floor: Floor, is_agent_there: bool
) -> None:
    offer_id = await floor.accepts()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    if not is_agent_there:
        floor.telephony.set_leg(floor.telephony.placed[0].leg_id, LegStatus.COMPLETED)
    floor.dispatcher._watch_at_ms = 0
    await floor.pass_by(5_000)
    assert (await floor.call()).state is CallState.CONNECTED
    await floor.board.doubt_call(call_id=LIN)
    floor.dispatcher._watch_at_ms = 0
    await floor.pass_by(5_000)
    call = await floor.call()
    assert (call.state is CallState.CONNECTED) is is_agent_there
    assert floor.telephony.hung_up == []
    await floor.pass_by(10_000)
    assert floor.telephony.hung_up == ([] if is_agent_there else [LIN])
    if not is_agent_there:
        assert call.outcome == "answered"
        assert (await floor.state_of("mei"))[0] is AgentState.WRAP_UP


async def test_a_conversation_whose_agent_is_gone_is_found_by_the_watch_in_any_case(floor: Floor) -> None:
    offer_id = await floor.accepts()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    floor.telephony.set_leg(floor.telephony.placed[0].leg_id, LegStatus.COMPLETED)
    floor.dispatcher._watch_at_ms = 0
    await floor.pass_by(room.TALKING_MS)
    assert (await floor.call()).outcome == "answered"


async def test_who_was_put_through_while_the_watch_asked_waits_on(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_id = await floor.accepts()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    agent_leg = floor.telephony.placed[0].leg_id
    floor.telephony.set_leg(agent_leg, LegStatus.COMPLETED)
    asked = floor.telephony.leg

    async def put_through_meanwhile(leg_id: str) -> Any:
        if leg_id == agent_leg:
            await floor.board.transfer_call(call_id=LIN, agent_id="mei", queue="outage")
        return await asked(leg_id)

    monkeypatch.setattr(floor.telephony, "leg", put_through_meanwhile)
    floor.dispatcher._watch_at_ms = 0
    await floor.pass_by(room.TALKING_MS)
    assert (await floor.call()).state is CallState.QUEUED


async def test_who_leads_opens_the_providers_queue_once(floor: Floor) -> None:
    floor.telephony.fail("open_queue", ProviderUnreachable("no answer"))
    assert await floor.dispatcher.lead()
    for _ in range(3):
        floor.dispatcher._watch_at_ms = 0
        await floor.tick()
    assert floor.telephony.opened == [floor.plan.provider_queue]


# In hand once


@pytest.mark.parametrize(
    "is_lease_over", [True, False], ids=["its lease ran out", "the lead was lost and won"]
)
async def test_what_is_being_rung_is_not_rung_a_second_time(floor: Floor, is_lease_over: bool) -> None:
    await floor.waits(LIN)
    await floor.is_ready("mei")
    assert await floor.dispatcher.lead()
    with floor.provider_is_slow("place"):
        await floor.starts()
        await floor.disturbed(is_lease_over)
    await floor.dispatcher.settle()
    assert len(floor.telephony.placed) == 1


@pytest.mark.parametrize(
    "is_lease_over", [True, False], ids=["its lease ran out", "the lead was lost and won"]
)
async def test_what_is_being_recorded_is_not_recorded_a_second_time(
    floor: Floor, is_lease_over: bool
) -> None:
    assert await floor.dispatcher.lead()
    offer_id = await floor.accepts()
    await floor.tick()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    with floor.provider_is_slow("record"):
        await floor.starts()
        await floor.disturbed(is_lease_over)
    await floor.dispatcher.settle()
    assert len(floor.telephony.recorded) == 1
    await floor.pass_by(2_000)
    assert await floor.tick() is False


async def test_a_provider_that_holds_the_line_is_let_go_before_the_lease_ends(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert effects.PERFORM_S < EFFECT_LEASE_S
    monkeypatch.setattr(effects, "PERFORM_S", 0.05)
    offer_id = await floor.accepts()
    await floor.tick()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    with floor.provider_is_slow("record"):
        await floor.tick()
    assert floor.telephony.recorded == []
    await floor.pass_by(1_000)
    assert len(floor.telephony.recorded) == 1


# Agents and wrap-up


async def test_wrap_up_ends_at_its_deadline_and_the_next_call_rings(floor: Floor) -> None:
    offer_id = await floor.accepts()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.waits(WANG)
    await floor.board.end_call(call_id=LIN, by="caller")
    await floor.tick()
    assert (await floor.call(WANG)).state is CallState.QUEUED
    await floor.pass_by(floor.plan.wrap_up_ms)
    assert (await floor.call(WANG)).state is CallState.OFFERED


async def test_a_silent_desk_is_away_and_its_offer_goes_to_another(floor: Floor) -> None:
    await floor.is_ready("mei")
    floor.clock.advance(40_000)
    await floor.is_ready("bo")
    await floor.waits(LIN)
    await floor.tick()
    assert (await floor.call()).agent_id == "mei"
    await floor.pass_by(5_000)
    assert await floor.state_of("mei") == (AgentState.AWAY, "lost")
    assert ((await floor.call()).state, (await floor.call()).agent_id) == (CallState.OFFERED, "bo")
    await floor.tick()
    assert floor.telephony.hung_up == ["CAagent0001"]


async def test_ended_calls_are_forgotten_in_time(floor: Floor) -> None:
    await floor.waits(LIN)
    await floor.board.end_call(call_id=LIN, by="caller")
    await floor.pass_by(6 * 3_600_000)
    assert await floor.board.read_call(call_id=LIN) is None
    assert await floor.tick() is False


# One bad item, two dispatchers, the loop


async def test_a_deadline_that_concerns_nobody_is_dropped(floor: Floor) -> None:
    for name in ("offer:CAnone-1", "connect:CAnone-1", "wrap_up:nobody", "forget:CAnone"):
        await floor.runtime.redis.zadd("{power}:deadlines", {name: 1})
    assert await floor.tick() is True
    assert await floor.tick() is False


async def test_a_bad_deadline_is_put_off_and_stalls_nobody(floor: Floor) -> None:
    await floor.runtime.redis.zadd("{power}:deadlines", {"nonsense:x": 1})
    await floor.waits(LIN)
    await floor.is_ready("mei")
    await floor.tick()
    assert len(floor.telephony.placed) == 1
    assert await floor.runtime.redis.zscore("{power}:deadlines", "nonsense:x") > floor.clock.now_ms()


async def test_two_dispatchers_race_and_each_call_is_offered_once(floor: Floor) -> None:
    for n in range(6):
        await floor.waits(f"CA{n}")
        await floor.is_ready(f"agent{n}")
    one, two = floor.dispatcher, floor.another_dispatcher()
    for _ in range(4):
        await asyncio.gather(one.tick(), two.tick())
    await one.settle()
    await two.settle()
    assert sorted(placed.to for placed in floor.telephony.placed) == [f"client:agent{n}" for n in range(6)]
    lines = await floor.runtime.redis.xrange("{power}:journal")
    assert sum(fields["type"] == "call.offered" for _, fields in lines) == 6


async def test_one_leads_and_the_next_takes_over_when_it_steps_down(floor: Floor) -> None:
    one, two = floor.dispatcher, floor.another_dispatcher()
    assert (await one.lead(), await two.lead(), await one.lead()) == (True, False, True)
    await one._step_down()
    assert await two.lead() is True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.002)


@pytest.fixture
async def running(floor: Floor) -> AsyncIterator[Floor]:
    task = asyncio.create_task(floor.dispatcher.run())
    await until(lambda: floor.dispatcher.is_leading)
    yield floor
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not await floor.runtime.redis.exists("{power}:leader:dispatcher")


async def test_the_loop_wakes_for_a_ready_agent_at_once(running: Floor) -> None:
    await running.waits(LIN)
    await running.is_ready("mei")
    await until(lambda: bool(running.telephony.placed))
    assert [placed.to for placed in running.telephony.placed] == ["client:mei"]


async def test_the_loop_outlives_a_fault(running: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAUSE_S", 0.01)
    tick, faults = running.dispatcher.tick, [ConnectionError("away"), RuntimeError("bug")]

    async def stumbling() -> bool:
        if faults:
            raise faults.pop()
        return await tick()

    monkeypatch.setattr(running.dispatcher, "tick", stumbling)
    await running.waits(LIN)
    await running.is_ready("mei")
    await until(lambda: bool(running.telephony.placed))
    assert faults == []


async def test_counters_rise_above_what_sql_has_seen(floor: Floor) -> None:
    await raise_counters(floor.runtime)
    await floor.waits(LIN)
    assert (await floor.call()).state is CallState.QUEUED
