"""Named moments: what happens to call, agent and offer, told on the rules and the real scripts at once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from queues.domain import commands as c
from tests.switchboard.people import LINGER_MS, Story
from tests.switchboard.world import World, lane


@pytest.fixture
async def story(redis: Redis) -> Story:
    return Story(await World(redis).open())


def call(story: Story, call_id: str = "lin") -> Any:
    return story.world.state.calls[call_id]


def agent(story: Story, agent_id: str = "mei") -> Any:
    return story.world.state.agents[agent_id]


def types(story: Story) -> list[str]:
    return [line.type for line in story.world.lines]


def due(story: Story) -> list[str]:
    return sorted(story.world.state.effects)


# The whole of a call


async def test_a_call_from_arrival_to_wrap_up(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.later(60_000).end("lin")
    await story.later(5_000).close_wrap_up("mei")
    assert types(story) == [
        "call.arrived", "call.queued", "agent.signed_in", "agent.presence_changed", "agent.presence_changed",
        "call.offered", "offer.ringing", "offer.answered", "offer.accepted", "call.connecting",
        "call.connected", "call.ended", "agent.wrap_up_started", "agent.wrap_up_closed",
        "agent.presence_changed",
    ]  # fmt: skip
    assert (call(story).state, call(story).outcome, call(story).ticket_no) == ("ended", "answered", "T000001")
    assert (agent(story).state, agent(story).call_id) == ("ready", "")
    assert due(story) == ["hang_up:CA-lin-1", "record:lin"]


async def test_a_known_caller_brings_name_tier_and_language(story: Story) -> None:
    await story.arrive("lin", "k-vip")
    assert (call(story).customer_id, call(story).customer_name, call(story).tier) == ("C1", "林", "vip")
    assert (call(story).locale, call(story).is_known) == ("en-US", True)


async def test_who_refused_recording_is_not_recorded(story: Story) -> None:
    await story.arrive("lin")
    step = c.StepMenu(now_ms=story.now_ms, call_id="lin", node="main", step=0, locale="", record="refused")
    await story.world.do(step)
    await story.enqueue("lin")
    await story.ready("mei")
    await story.claim("lin", "mei")
    await story.accept("lin-1")
    await story.connect("lin", "lin-1")
    assert "record:lin" not in due(story)
    assert story.world.lines[-1].data["recording"] == "refused"


# Hanging up at every moment: the call ends once, the agent is free, nobody rings on

Moment = Callable[[Story], Awaitable[Any]]


async def in_menu(story: Story) -> None:
    await story.ready("mei")
    await story.arrive("lin")


async def waiting(story: Story) -> None:
    await story.ready("mei")
    await story.queued("lin")


async def offered(story: Story) -> None:
    await story.offered("lin", "mei")


async def ringing(story: Story) -> None:
    await story.rung("lin", "mei")


async def whispering(story: Story) -> None:
    await story.whispered("lin", "mei")


async def accepted(story: Story) -> None:
    await story.accepted("lin", "mei")


async def talking(story: Story) -> None:
    await story.talking("lin", "mei")


async def in_voicemail(story: Story) -> None:
    await waiting(story)
    await story.divert("lin")


async def in_voicemail_with_a_message(story: Story) -> None:
    await in_voicemail(story)
    await story.leave_message("lin")


async def promised_a_callback(story: Story) -> None:
    await waiting(story)
    await story.divert("lin", "callback")


async def at_a_closed_queue(story: Story) -> None:
    await story.ready("mei")
    await story.arrive("lin")
    assert await story.enqueue("lin", is_open=False) == "closed"


@pytest.mark.parametrize(
    ("moment", "outcome", "agent_after", "left_due"),
    [
        (in_menu, "left_in_menu", "ready", []),
        (waiting, "abandoned", "ready", []),
        (offered, "abandoned", "ready", []),
        (ringing, "abandoned", "ready", ["hang_up:CA-lin-1"]),
        (whispering, "abandoned", "ready", ["hang_up:CA-lin-1"]),
        (accepted, "abandoned", "ready", ["hang_up:CA-lin-1"]),
        (talking, "answered", "wrap_up", ["hang_up:CA-lin-1", "record:lin"]),
        (in_voicemail, "abandoned", "ready", []),
        (in_voicemail_with_a_message, "voicemail", "ready", []),
        (promised_a_callback, "callback", "ready", []),
        (at_a_closed_queue, "closed", "ready", []),
    ],
)
async def test_hanging_up(
    story: Story, moment: Moment, outcome: str, agent_after: str, left_due: list[str]
) -> None:
    await moment(story)
    assert await story.later(3_000).end("lin") == "ok"
    assert await story.later(500).end("lin", "system") == "again"
    assert (call(story).state, call(story).outcome, call(story).ended_by) == ("ended", outcome, "caller")
    assert agent(story).state == agent_after
    assert due(story) == left_due
    assert types(story).count("call.ended") == 1
    assert story.world.state.lanes == {}


async def test_a_message_told_after_the_hang_up_still_counts(story: Story) -> None:
    await in_voicemail(story)
    await story.end("lin")
    assert call(story).outcome == "abandoned"
    assert await story.leave_message("lin") == "ok"
    assert (call(story).outcome, story.world.lines[-1].data) == ("voicemail", {"outcome": "voicemail"})
    assert await story.leave_message("lin") == "again"


async def test_the_leg_that_was_placed_too_late_is_hung_up(story: Story) -> None:
    await story.offered("lin", "mei")
    await story.end("lin")
    assert await story.ring("lin-1") == "gone"
    assert due(story) == ["hang_up:CA-lin-1"]
    assert await story.answer("lin-1") == "gone"


async def test_the_agent_hanging_up_ends_the_call_and_leaves_his_own_leg(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.end("lin", "agent")
    assert due(story) == ["hang_up:lin", "record:lin"]
    assert agent(story).state == "wrap_up"


async def test_a_caller_who_is_let_go_has_a_while_to_leave_by_himself(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.end("lin", "agent")
    assert story.world.state.due["hang_up:lin"] == story.now_ms + LINGER_MS
    await story.word(c.RecallEffects(now_ms=story.later(1_000).now_ms, in_hand=""))
    assert story.world.state.due["hang_up:lin"] == story.now_ms + LINGER_MS - 1_000, "nobody had taken it"
    assert await story.end("lin") == "again"
    assert due(story) == ["record:lin"], "he has left"


# RONA, and the place that is kept


async def test_nobody_answers_and_the_place_is_kept(story: Story) -> None:
    await story.queued("lin")
    await story.later(1_000).queued("wang")
    await story.ready("mei")
    await story.claim("lin", "mei")
    await story.ring("lin-1")
    await story.ringing("lin-1")
    place = call(story).queued_ms
    assert await story.later(14_999).expire("lin-1") == "early"
    assert await story.later(1).expire("lin-1") == "ok"
    heads = [member for _, member in next(iter(story.world.state.lanes.values()))]
    assert heads == ["000000000001:lin", "000000000002:wang"]
    assert (call(story).state, call(story).queued_ms) == ("queued", place)
    assert (agent(story).state, agent(story).missed, agent(story).idle_ms) == ("ready", 1, story.now_ms)
    assert due(story) == ["hang_up:CA-lin-1"]


async def test_two_missed_in_a_row_put_the_agent_away(story: Story) -> None:
    await story.rung("lin", "mei")
    await story.later(15_000).expire("lin-1")
    await story.claim("lin", "mei")
    await story.ringing("lin-2")
    await story.later(15_000).expire("lin-2")
    assert (agent(story).state, agent(story).reason, agent(story).missed) == ("away", "missed", 0)
    assert call(story).state == "queued"


async def test_an_accepted_offer_forgives_the_missed_one(story: Story) -> None:
    await story.rung("lin", "mei")
    await story.later(15_000).expire("lin-1")
    await story.claim("lin", "mei")
    await story.accept("lin-2")
    assert agent(story).missed == 0


async def test_who_answered_and_never_accepted_has_missed_the_call(story: Story) -> None:
    await story.whispered("lin", "mei")
    assert await story.expire("lin-1", "provider") == "stale:answered"
    assert await story.later(15_000).expire("lin-1") == "ok"
    assert (agent(story).missed, call(story).state) == (1, "queued")


async def test_a_phone_that_never_rang_is_not_the_agents_fault(story: Story) -> None:
    await story.offered("lin", "mei")
    assert await story.later(35_000).expire("lin-1") == "stale:claimed"
    assert await story.unring("lin-1") == "ok"
    assert (agent(story).state, agent(story).missed, call(story).state) == ("ready", 0, "queued")
    assert [line.type for line in story.world.lines[-3:]] == [
        "offer.unrung", "call.requeued", "agent.presence_changed",
    ]  # fmt: skip


async def test_declining_keeps_the_place_and_skips_the_decliner(story: Story) -> None:
    await story.rung("lin", "mei")
    assert await story.decline("lin-1") == "ok"
    assert call(story).skips == f"{story.now_ms + 10_000} declined mei"
    assert (call(story).state, agent(story).state) == ("queued", "ready")
    assert await story.decline("lin-1") == "again"


# Twice, late, out of order


async def test_an_accept_that_comes_twice_is_one_pull(story: Story) -> None:
    await story.accepted("lin", "mei")
    assert await story.accept("lin-1") == "again"
    assert due(story) == ["pull:lin-1"]
    await story.connect("lin", "lin-1")
    assert await story.accept("lin-1") == "again"
    assert await story.connect("lin", "lin-1") == "again"
    assert due(story) == ["record:lin"]


async def test_an_expiry_that_comes_after_the_accept_changes_nothing(story: Story) -> None:
    await story.accepted("lin", "mei")
    assert await story.later(60_000).expire("lin-1") == "stale:accepted"
    assert await story.expire("lin-1", "provider") == "stale:accepted"
    assert await story.unring("lin-1") == "stale:accepted"
    assert await story.decline("lin-1") == "stale:accepted"
    assert (call(story).state, agent(story).state) == ("connecting", "connecting")


async def test_an_accept_that_comes_after_the_expiry_is_gone(story: Story) -> None:
    await story.rung("lin", "mei")
    await story.later(15_000).expire("lin-1")
    assert await story.accept("lin-1") == "gone"
    assert (call(story).state, agent(story).state) == ("queued", "ready")


async def test_callbacks_that_overtake_each_other(story: Story) -> None:
    await story.offered("lin", "mei")
    assert await story.answer("lin-1") == "ok"
    assert await story.ringing("lin-1", "CA-lin-1") == "again"
    assert await story.ring("lin-1") == "again"
    assert await story.accept("lin-1") == "ok"
    assert await story.answer("lin-1") == "again"


async def test_a_second_leg_for_one_offer_is_hung_up(story: Story) -> None:
    await story.rung("lin", "mei")
    other = c.RingOffer(now_ms=story.now_ms, offer_id="lin-1", leg_id="CA-second")
    assert await story.word(other) == "gone"
    assert due(story) == ["hang_up:CA-second"]
    assert await story.accept("lin-1", "CA-second") == "gone"


async def test_news_of_a_second_leg_end_neither_the_offer_nor_the_connecting(story: Story) -> None:
    await story.rung("lin", "mei")
    for end in (story.decline, story.unring):
        assert await end("lin-1", leg_id="CA-second") == "gone"
    for by in ("provider", "deadline"):
        assert await story.expire("lin-1", by, leg_id="CA-second") == "gone"
    assert (call(story).state, agent(story).state) == ("offered", "offered")
    assert await story.accept("lin-1") == "ok"
    assert await story.requeue("lin", "lin-1", leg_id="CA-second") == "gone"
    assert (call(story).state, agent(story).state) == ("connecting", "connecting")
    assert await story.requeue("lin", "lin-1", leg_id="CA-lin-1") == "ok"
    assert (call(story).state, agent(story).state) == ("queued", "ready")


async def test_news_of_a_leg_before_the_offer_knows_its_leg_are_its_own(story: Story) -> None:
    await story.offered("lin", "mei")
    assert await story.unring("lin-1", leg_id="CA-lin-1") == "ok"
    assert call(story).state == "queued"


async def test_entering_a_queue_twice_keeps_the_first_place_and_ticket(story: Story) -> None:
    await story.queued("lin")
    place = call(story).queued_ms
    assert await story.later(9_000).enqueue("lin", lane("gas")) == "again"
    assert (call(story).queued_ms, call(story).queue, call(story).ticket_no) == (place, "power", "T000001")


async def test_the_same_claim_twice_is_one_offer(story: Story) -> None:
    await story.queued("lin")
    await story.ready("mei")
    await story.ready("bo")
    turn = story.world.state.turn
    assert await story.claim("lin", "mei", turn) == "ok"
    assert await story.claim("lin", "mei", turn) == "stale:offered"
    assert await story.claim("lin", "bo", turn) == "stale:offered"
    assert types(story).count("call.offered") == 1


async def test_a_claim_on_an_old_snapshot_is_refused(story: Story) -> None:
    await story.queued("lin")
    await story.ready("mei")
    turn = story.world.state.turn
    await story.queued("wang")
    assert await story.claim("lin", "mei", turn) == "stale:turn"


# Connecting fails


async def test_a_pull_that_never_arrives_gives_the_place_back(story: Story) -> None:
    await story.accepted("lin", "mei")
    place = call(story).queued_ms
    assert await story.later(14_000).requeue("lin", "lin-1", "deadline") == "early"
    assert await story.later(1_000).requeue("lin", "lin-1", "deadline") == "ok"
    assert (call(story).state, call(story).queued_ms, agent(story).state) == ("queued", place, "ready")
    assert due(story) == ["hang_up:CA-lin-1"]
    assert await story.requeue("lin", "lin-1") == "stale:queued"
    assert await story.connect("lin", "lin-1") == "gone"
    assert await story.accept("lin-1") == "gone"


# Agents


async def test_signing_out_during_a_call_happens_after_it(story: Story) -> None:
    await story.talking("lin", "mei")
    assert await story.presence("mei", "signed_out") == "later"
    assert agent(story).state == "connected"
    await story.end("lin")
    await story.close_wrap_up("mei")
    assert agent(story).state == "signed_out"
    assert story.world.state.beats == {}


async def test_wrap_up_ends_by_itself_and_may_be_extended_once(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.end("lin")
    extend = c.ExtendWrapUp(now_ms=story.now_ms, agent_id="mei", by_ms=60_000)
    assert await story.word(extend) == "ok"
    assert await story.word(extend) == "again"
    assert await story.later(89_999).close_wrap_up("mei", "deadline") == "early"
    assert await story.later(1).close_wrap_up("mei", "deadline") == "ok"
    assert agent(story).state == "ready"


async def test_a_lost_agent_gives_his_offer_back(story: Story) -> None:
    await story.sign_in("bo")
    await story.rung("lin", "mei")
    await story.later(30_000).beat("bo")
    assert await story.later(16_000).lose("mei") == "ok"
    assert await story.lose("mei") == "again"
    assert (agent(story).state, agent(story).reason, call(story).state) == ("away", "lost", "queued")
    assert story.world.state.offers["lin-1"].state == "withdrawn"


async def test_nobody_is_lost_when_nobody_is_heard(story: Story) -> None:
    await story.ready("mei")
    await story.ready("bo")
    assert await story.later(600_000).lose("mei") == "again"
    assert agent(story).state == "ready"


async def test_a_lost_desk_does_not_end_a_conversation(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.sign_in("bo")
    await story.later(40_000).beat("bo")
    await story.later(6_000).lose("mei")
    assert (agent(story).state, agent(story).next, call(story).state) == (
        "connected",
        "away:lost",
        "connected",
    )
    await story.end("lin")
    await story.close_wrap_up("mei")
    assert (agent(story).state, agent(story).reason) == ("away", "lost")


async def test_who_wished_to_sign_out_and_is_lost_signs_out(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.sign_in("bo")
    await story.presence("mei", "signed_out")
    await story.later(40_000).beat("bo")
    assert await story.later(6_000).lose("mei") == "ok"
    assert agent(story).next == "signed_out"


async def test_saying_so_himself_forgives_a_missed_offer(story: Story) -> None:
    await story.rung("lin", "mei")
    await story.later(15_000).expire("lin-1")
    assert agent(story).missed == 1
    await story.presence("mei", "away", "lunch")
    assert agent(story).missed == 0


# The position, the counters


async def test_the_position_told_never_gets_worse(story: Story) -> None:
    plain, vip = lane(), lane(tier="vip", head_start_ms=300_000)

    async def position(call_id: str) -> int:
        await story.world.do(c.TouchCall(now_ms=story.now_ms, call_id=call_id))
        return int(call(story, call_id).position)

    await story.queued("wang", plain)
    await story.later(1_000).queued("lin", plain)
    assert (await position("wang"), await position("lin")) == (1, 2)
    await story.later(1_000).queued("zhao", vip)
    assert (await position("zhao"), await position("wang"), await position("lin")) == (1, 1, 2)
    await story.end("wang")
    await story.end("zhao")
    assert await position("lin") == 1


async def test_ids_and_numbers_rise_above_what_sql_has_seen(story: Story) -> None:
    await story.queued("lin")
    before = story.world.lines[-1].id
    seen_ms = story.now_ms + 5_000
    seen = {"last_ms": seen_ms, "last_seq": 7, "arrivals": 40, "tickets": 41}
    raised = c.RaiseCounters(now_ms=story.now_ms, **seen, server="A", tickets_unseen=0)
    await story.world.do(raised)
    await story.world.do(raised)
    await story.queued("wang")
    assert [line.id for line in story.world.lines if line.id > before] == [f"{seen_ms}-8", f"{seen_ms}-9"]
    assert (call(story, "wang").arrival, call(story, "wang").ticket_no) == (41, "T000042")
    await story.world.do(replace(raised, last_ms=0, last_seq=0, arrivals=0, tickets=0))
    assert story.world.state.tickets == 42
    await story.world.do(replace(raised, last_seq=20, arrivals=0, tickets=0))
    await story.queued("zhao")
    assert [line.id for line in story.world.lines[-2:]] == [f"{seen_ms}-21", f"{seen_ms}-22"]


async def test_a_server_that_may_have_lost_its_last_second_tells_no_number_of_that_second(
    story: Story,
) -> None:
    raised = c.RaiseCounters(
        now_ms=story.now_ms, last_ms=0, last_seq=0, arrivals=0, tickets=0, server="A", tickets_unseen=100
    )
    await story.world.do(raised)
    await story.queued("lin")
    await story.world.do(raised)
    await story.queued("wang")
    await story.world.do(replace(raised, server="B"))
    await story.queued("zhao")
    await story.world.do(replace(raised, server="B", tickets=102))
    await story.queued("chen")
    await story.world.do(replace(raised, server="B", tickets=110))
    await story.queued("bo")
    numbers = [call(story, call_id).ticket_no for call_id in ("lin", "wang", "zhao", "chen", "bo")]
    assert numbers == ["T000001", "T000002", "T000103", "T000104", "T000211"]


async def test_who_gave_up_is_rung_back_by_one_call_at_a_time(story: Story) -> None:
    async def begin(call_id: str) -> str:
        where = lane()
        command = c.RingBack(
            now_ms=story.now_ms, call_id=call_id, queue=where.queue, matter="outage", tier="normal",
            lane_id=where.lane_id, lane=where.to_json(), head_start_ms=0, locale="zh-CN",
            named="ring_back 600000 mei", agent_id="mei", expires_ms=600_000,
        )  # fmt: skip
        return await story.word(command)

    assert await begin("back-1-lin") == "gone", "the call has to arrive first"
    await story.arrive("back-1-lin")
    await story.arrive("back-2-lin")
    await story.arrive("back-1-nobody", caller_ref="withheld")
    assert await begin("back-1-nobody") == "nameless"
    assert [await begin("back-1-lin"), await begin("back-1-lin"), await begin("back-2-lin")] == [
        "ok",
        "again",
        "promised",
    ]
    began = call(story, "back-1-lin")
    assert (began.state, began.callback, began.queued_ms, began.record) == (
        "queued",
        "open",
        story.now_ms,
        "",
    )
    assert "back-1-lin" not in story.world.state.live, "nobody is on the line"
    await story.ready("mei")
    assert await story.claim("back-1-lin", "mei") == "ok"
    assert await begin("back-2-lin") == "promised", "he is being called"


async def test_who_rests_wakes_kept_from_whom_he_was_set_apart_meanwhile(story: Story) -> None:
    await story.arrive("wang", number_key="k-plain", caller_ref="r/2")
    assert await story.enqueue("wang") == "ok"
    asks = c.AskCallback(now_ms=story.now_ms, call_id="wang", linger_ms=0, expires_ms=3_600_000)
    assert await story.word(asks) == "ok"
    await story.world.change_file("C2", '{"name":"王","never":["mei"]}')
    tends = {"opens_ms": 0, "closes_ms": 0, "hold_ms": 60_000, "forget_ms": 60_000}
    assert await story.word(c.TendCallback(now_ms=story.now_ms, call_id="wang", **tends)) == "ok"
    assert call(story, "wang").never == "mei"
    assert story.world.lines[-1].data == {"queued_ms": story.now_ms, "never": "mei"}, "a replay knows it, too"


async def test_who_is_led_back_to_his_queue_is_kept_from_whom_he_was_set_apart_meanwhile(
    story: Story,
) -> None:
    await story.arrive("wang", number_key="k-plain", caller_ref="r/2")
    assert await story.enqueue("wang") == "ok"
    leads = c.LeadCall(now_ms=story.now_ms, call_id="wang", node="long_wait", queue=lane().queue)
    assert await story.word(leads) == "ok"
    await story.world.change_file("C2", '{"name":"王","never":["mei"]}')
    assert await story.enqueue("wang") == "ok"
    assert (call(story, "wang").never, story.world.lines[-1].data["never"]) == ("mei", "mei")
