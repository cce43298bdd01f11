"""A caller who is put through: his place, his two talks, and everybody who hangs up at the wrong moment."""

import json
from typing import Any

import pytest
from redis.asyncio import Redis

from queues.domain import commands as c
from queues.domain.lanes import parse_skips
from tests.switchboard.people import SKIP_MS, WRAP_UP_MS, Story
from tests.switchboard.world import World, lane


@pytest.fixture
async def story(redis: Redis) -> Story:
    return Story(await World(redis).open())


def call(story: Story, call_id: str = "lin") -> Any:
    return story.world.state.calls[call_id]


def agent(story: Story, agent_id: str = "mei") -> Any:
    return story.world.state.agents[agent_id]


def of_type(story: Story, type_: str) -> list[Any]:
    return [line for line in story.world.lines if line.type == type_]


def due(story: Story) -> list[str]:
    return sorted(story.world.state.effects)


async def talk_again(story: Story, call_id: str, agent_id: str) -> str:
    """From the lane to the talk, with the next agent."""
    assert await story.claim(call_id, agent_id) == "ok"
    offer_id = call(story, call_id).offer_id
    assert await story.accept(offer_id) == "ok"
    assert await story.connect(call_id, offer_id) == "ok"
    return str(offer_id)


# Blind, to a queue


async def test_who_is_put_through_keeps_his_place_and_the_agent_wraps_up(story: Story) -> None:
    offer_id = await story.talking("lin", "mei")
    queued_ms, answered_ms = call(story).queued_ms, call(story).answered_ms
    assert await story.later(60_000).transfer("lin", "mei") == "ok"
    now = call(story)
    assert (now.state, now.queue, now.queued_ms, now.tier, now.matter) == (
        "queued", "gas", queued_ms, "normal", "outage",
    )  # fmt: skip
    assert (now.agent_id, now.offer_id, now.room, now.ticket_no) == ("", "", "", "T000001")
    assert parse_skips(now.skips) == ((story.now_ms + SKIP_MS, "transferred", "mei"),)
    assert (agent(story).state, agent(story).call_id) == ("wrap_up", "lin")
    assert agent(story).wrap_up_until_ms == story.now_ms + WRAP_UP_MS
    assert due(story) == [f"hang_up:CA-{offer_id}", "record:lin"]
    (told,) = of_type(story, "call.transferred")
    assert (told.agent_id, told.offer_id, told.data["queued_ms"]) == ("mei", offer_id, queued_ms)

    await story.ready("bo", "gas")
    await talk_again(story.later(5_000), "lin", "bo")
    assert (call(story).talks, call(story).answered_ms, call(story).room) == (2, answered_ms, "lin-2")
    first, second = of_type(story, "call.connected")
    assert (first.data["talk"], second.data["talk"]) == (1, 2)
    assert (second.data["wait_ms"], second.data["answered_ms"]) == (5_000, answered_ms)
    assert await story.later(9_000).end("lin") == "ok"
    assert [line.data["outcome"] for line in of_type(story, "call.ended")] == ["answered"]
    assert [line.agent_id for line in of_type(story, "agent.wrap_up_started")] == ["mei", "bo"]


async def test_another_queue_begins_anew_with_what_it_tells(story: Story) -> None:
    await story.queued("lin")
    told = await story.told("lin")
    await story.ready("mei")
    await talk_again(story, "lin", "mei")
    assert await story.transfer("lin", "mei", lane("power")) == "ok"
    assert call(story).told == told != "", "the queue is the same"
    await story.close_wrap_up("mei")
    await talk_again(story.later(SKIP_MS), "lin", "mei")
    assert await story.transfer("lin", "mei", lane("gas")) == "ok"
    assert call(story).told == ""


@pytest.mark.parametrize("queue", ["power", "gas"])
async def test_who_comes_back_to_the_menu_and_to_another_queue_is_told_anew(story: Story, queue: str) -> None:
    await story.queued("lin")
    told = await story.told("lin")
    await story.divert("lin", "transfer")
    assert await story.word(c.ReturnCall(now_ms=story.now_ms, call_id="lin")) == "ok"
    assert await story.enqueue("lin", lane(queue)) == "ok"
    kept = (1, told) if queue == "power" else (0, "")
    assert (call(story).position, call(story).told) == kept


async def test_an_older_place_goes_before_who_waits_there(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.later(30_000).queued("wang", lane("gas"))
    await story.later(1_000).transfer("lin", "mei")
    (entries,) = story.world.state.lanes.values()
    assert [member.partition(":")[2] for _, member in entries] == ["lin", "wang"]


async def test_a_transfer_twice_is_one(story: Story) -> None:
    await story.talking("lin", "mei")
    assert await story.transfer("lin", "mei") == "ok"
    lines = len(story.world.lines)
    assert await story.transfer("lin", "mei", lane("power")) == "again"
    assert len(story.world.lines) == lines
    assert call(story).queue == "gas"


async def test_only_who_talks_with_him_puts_him_through(story: Story) -> None:
    await story.rung("lin", "mei")
    assert await story.transfer("lin", "mei") == "stale:offered"
    assert await story.transfer("nobody", "mei") == "gone"
    await story.accept("lin-1")
    await story.connect("lin", "lin-1")
    assert await story.transfer("lin", "bo") == "stale:connected"
    await story.end("lin", "agent")
    assert await story.transfer("lin", "mei") == "gone"


async def test_who_hangs_up_while_he_is_put_through_has_been_answered_and_ends_once(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.transfer("lin", "mei")
    assert await story.later(800).end("lin") == "ok"
    assert await story.end("lin", "agent") == "again"
    assert call(story).outcome == "answered"
    assert story.world.state.lanes == {}
    assert agent(story).state == "wrap_up"


async def test_the_first_agents_hang_up_that_comes_late_says_nothing_about_the_second_talk(
    story: Story,
) -> None:
    first = await story.talking("lin", "mei")
    await story.transfer("lin", "mei")
    await story.ready("bo", "gas")
    await talk_again(story, "lin", "bo")
    assert await story.requeue("lin", first, leg_id=f"CA-{first}") == "stale:connected"
    assert (call(story).state, call(story).agent_id) == ("connected", "bo")


async def test_who_refused_is_recorded_in_neither_talk(story: Story) -> None:
    await story.arrive("lin")
    await story.word(
        c.StepMenu(now_ms=story.now_ms, call_id="lin", node="main", step=0, locale="", record="refused")
    )
    await story.enqueue("lin")
    await story.ready("mei")
    await talk_again(story, "lin", "mei")
    await story.transfer("lin", "mei")
    await story.ready("bo", "gas")
    await talk_again(story, "lin", "bo")
    assert "record:lin" not in due(story)
    assert [line.data["recording"] for line in of_type(story, "call.connected")] == ["refused"] * 2


async def test_a_message_after_a_talk_leaves_the_call_answered(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.transfer("lin", "mei")
    await story.divert("lin")
    await story.leave_message("lin")
    await story.end("lin")
    assert call(story).outcome == "answered"
    assert json.loads(story.world.state.effects["record:lin"].to_json())["kind"] == "record"


# Hold, and a colleague who is asked


async def consulting(story: Story) -> str:
    """Lin is held, Mei asks Bo, who is there."""
    await story.talking("lin", "mei")
    await story.ready("bo")
    assert await story.later(30_000).consult("lin", "mei", "bo") == "ok"
    offer_id = str(call(story).consult_id)
    assert (await story.ring(offer_id), await story.ringing(offer_id), await story.answer(offer_id)) == (
        "ok",
    ) * 3
    assert await story.accept(offer_id) == "ok"
    return offer_id


async def test_a_held_caller_is_still_his_agents(story: Story) -> None:
    await story.talking("lin", "mei")
    assert await story.hold("lin", "mei") == "ok"
    assert await story.hold("lin", "mei") == "again"
    assert (call(story).state, call(story).held_ms) == ("connected", story.now_ms)
    assert await story.later(9_000).hold("lin", "mei", False) == "ok"
    assert call(story).held_ms is None
    assert [name for name in due(story) if name.startswith("hold:")] == ["hold:lin-1", "hold:lin-2"]
    assert await story.hold("lin", "bo") == "stale:connected"
    assert await story.later(1_000).end("lin", "agent") == "ok", "not held: the talk is over"


async def test_a_colleague_is_reserved_like_by_an_offer_and_takes_the_caller(story: Story) -> None:
    second = await consulting(story)
    assert (call(story).state, call(story).agent_id, call(story).held_ms) == (
        "connected",
        "mei",
        story.now_ms,
    )
    assert (agent(story, "bo").state, agent(story, "bo").call_id) == ("connecting", "lin")
    assert await story.later(20_000).hand_over("lin", "mei") == "ok"
    assert await story.hand_over("lin", "mei") == "again"
    assert (call(story).state, call(story).agent_id, call(story).offer_id) == ("connecting", "bo", second)
    assert (agent(story).state, call(story).consult_id, call(story).held_ms) == ("wrap_up", "", None)
    assert "hang_up:CA-lin-1" in due(story)
    assert await story.later(700).connect("lin", second) == "ok"
    assert (agent(story, "bo").state, call(story).talks, call(story).room) == ("connected", 2, second)
    await story.later(5_000).end("lin")
    assert [line.agent_id for line in of_type(story, "agent.wrap_up_started")] == ["mei", "bo"]
    assert len(of_type(story, "call.ended")) == 1


@pytest.mark.parametrize("how", ["decline", "expire", "unring", "lose"])
async def test_who_will_not_be_asked_leaves_the_caller_with_his_agent(story: Story, how: str) -> None:
    await story.talking("lin", "mei")
    await story.ready("bo")
    await story.consult("lin", "mei", "bo")
    offer_id = call(story).consult_id
    if how in ("decline", "expire"):
        await story.ringing(offer_id)
    if how == "lose":
        await story.later(60_000).beat("mei")
        assert await story.lose("bo") == "ok"
    else:
        story.later(60_000)
        assert await getattr(story, how)(offer_id) == "ok"
    assert (call(story).state, call(story).agent_id, call(story).consult_id) == ("connected", "mei", "")
    assert call(story).held_ms is not None
    assert agent(story, "bo").state == ("away" if how == "lose" else "ready")
    assert agent(story, "bo").missed == (1 if how == "expire" else 0)
    assert story.world.state.lanes == {}


async def test_only_a_ready_colleague_is_asked_and_one_at_a_time(story: Story) -> None:
    await story.talking("lin", "mei")
    assert await story.consult("lin", "mei", "bo") == "stale:signed_out"
    await story.ready("bo")
    await story.ready("ann")
    assert await story.consult("lin", "mei", "bo") == "ok"
    assert await story.consult("lin", "mei", "bo") == "again"
    assert await story.consult("lin", "mei", "ann") == "stale:consulting"
    assert await story.hand_over("lin", "mei") == "stale:connected", "his phone only rings"


async def test_back_to_the_caller_lets_the_colleague_go(story: Story) -> None:
    second = await consulting(story)
    assert await story.hold("lin", "mei", False) == "ok"
    assert (agent(story, "bo").state, call(story).consult_id) == ("ready", "")
    assert f"hang_up:CA-{second}" in due(story)
    assert await story.end_consult(second) == "gone", "his line is down: that is old news"


async def test_a_colleague_who_hangs_up_leaves_the_caller_held_with_his_agent(story: Story) -> None:
    second = await consulting(story)
    assert await story.end_consult(second, "CA-other") == "stale:accepted"
    assert await story.end_consult(second, f"CA-{second}") == "ok"
    assert await story.end_consult(second, f"CA-{second}") == "gone"
    assert (call(story).state, call(story).agent_id, agent(story, "bo").state) == (
        "connected",
        "mei",
        "ready",
    )


async def test_the_agent_who_hangs_up_while_he_holds_drops_nobody(story: Story) -> None:
    """The caller must not be dropped: back to the queue, with his place; told three times, once."""
    await story.talking("lin", "mei")
    queued_ms = call(story).queued_ms
    await story.later(20_000).hold("lin", "mei")
    for word in ("kept", "again", "again"):
        assert await story.end_of_offer("lin", "lin-1") == word
    assert (call(story).state, call(story).queued_ms, agent(story).state) == ("queued", queued_ms, "wrap_up")


async def test_the_agent_who_hangs_up_while_the_colleague_rings_drops_nobody(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.ready("bo")
    await story.consult("lin", "mei", "bo")
    assert await story.end_of_offer("lin", "lin-1") == "kept"
    assert (call(story).state, agent(story, "bo").state, agent(story).state) == ("queued", "ready", "wrap_up")


async def test_the_agent_who_hangs_up_while_the_colleague_is_there_has_handed_over(story: Story) -> None:
    second = await consulting(story)
    assert await story.end_of_offer("lin", "lin-1") == "kept"
    assert (call(story).state, call(story).agent_id, call(story).offer_id) == ("connecting", "bo", second)
    assert await story.connect("lin", second) == "ok"


async def test_a_caller_who_hangs_up_while_he_is_held_frees_both(story: Story) -> None:
    second = await consulting(story)
    assert await story.end("lin") == "ok"
    assert (agent(story).state, agent(story, "bo").state) == ("wrap_up", "ready")
    assert {f"hang_up:CA-{second}", "hang_up:CA-lin-1"} <= set(due(story))
    assert call(story).outcome == "answered"


async def test_a_colleague_who_is_gone_when_the_caller_comes_sends_him_back_to_his_place(
    story: Story,
) -> None:
    second = await consulting(story)
    queued_ms = call(story).queued_ms
    await story.hand_over("lin", "mei")
    assert await story.requeue("lin", second, leg_id=f"CA-{second}") == "ok"
    assert (call(story).state, call(story).queued_ms, call(story).room) == ("queued", queued_ms, "")


async def test_a_hand_over_that_never_arrives_ends_at_its_deadline(story: Story) -> None:
    second = await consulting(story)
    await story.hand_over("lin", "mei")
    assert await story.requeue("lin", second, by="deadline") == "early"
    assert await story.later(60_000).requeue("lin", second, by="deadline") == "ok"
    assert (call(story).state, agent(story, "bo").state) == ("queued", "ready")


async def test_a_blind_transfer_lets_go_who_was_being_asked(story: Story) -> None:
    await consulting(story)
    assert await story.transfer("lin", "mei") == "ok"
    assert (call(story).state, call(story).held_ms, agent(story, "bo").state) == ("queued", None, "ready")


async def test_a_dead_line_leaves_nobody_with_a_colleague_he_was_set_apart_from_meanwhile(
    story: Story,
) -> None:
    await story.arrive("wang", number_key="k-plain", caller_ref="r/2")
    assert await story.enqueue("wang") == "ok"
    await story.ready("mei")
    await talk_again(story, "wang", "mei")
    await story.ready("bo")
    assert await story.consult("wang", "mei", "bo") == "ok"
    assert await story.accept(call(story, "wang").consult_id) == "ok"
    await story.world.change_file("C2", '{"name":"王","never":["bo"]}')
    assert await story.end("wang", "agent") == "kept"
    assert (call(story, "wang").state, call(story, "wang").never) == ("queued", "bo")
    assert agent(story, "bo").state == "ready"
