"""What a supervisor changes while people wait: one call, one agent, one queue; on the rules and the scripts at once."""

from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from queues.domain import commands as c
from queues.domain.lanes import Lane
from queues.domain.live_rules import with_lent
from tests.switchboard.people import Story
from tests.switchboard.world import World, lane

GAS = lane("gas")
RAISED = replace(lane(tier="vip", head_start_ms=120_000), is_raised=True)


@pytest.fixture
async def story(redis: Redis) -> Story:
    return Story(await World(redis).open())


async def relane(story: Story, to: Lane, call_id: str = "lin", was: Lane | None = None) -> str:
    return await story.word(
        c.RelaneCall(
            now_ms=story.now_ms, call_id=call_id, from_lane_id=(was or lane()).lane_id, lane_id=to.lane_id,
            lane=to.to_json(), is_raised=to.is_raised, by="chief",
        )
    )  # fmt: skip


async def lend(story: Story, agent_id: str = "mei", queue: str = "gas", skills: str = "gas") -> str:
    return await story.word(
        c.LendAgent(now_ms=story.now_ms, agent_id=agent_id, queue=queue, skills=skills, by="chief")
    )


async def take_back(story: Story, agent_id: str = "mei", queue: str = "gas") -> str:
    return await story.word(c.TakeBackAgent(now_ms=story.now_ms, agent_id=agent_id, queue=queue, by="chief"))


async def close(story: Story, *, leads: bool = False) -> str:
    return await story.word(c.CloseQueue(now_ms=story.now_ms, queue="power", leads=leads, by="chief"))


def last(story: Story) -> Any:
    return story.world.lines[-1]


# A call


async def test_a_moved_call_keeps_its_place_in_time(story: Story) -> None:
    await story.queued("lin")
    queued_ms = story.now_ms
    assert await relane(story.later(60_000), GAS) == "ok"
    call = story.world.state.calls["lin"]
    assert (call.queue, call.lane_id, call.queued_ms) == ("gas", GAS.lane_id, queued_ms)
    assert set(story.world.state.lanes) == {GAS.lane_id}
    assert (last(story).type, last(story).data["from_queue"], last(story).data["queue"]) == (
        "call.moved", "power", "gas"
    )  # fmt: skip


async def to_be_called_back(story: Story, call_id: str, to: Lane | None = None) -> None:
    """In his lane, and off the line."""
    await story.queued(call_id, to)
    asked = c.AskCallback(now_ms=story.now_ms, call_id=call_id, linger_ms=0, expires_ms=9_000_000)
    assert await story.word(asked) == "ok"
    tended = c.TendCallback(
        now_ms=story.now_ms, call_id=call_id, opens_ms=0, closes_ms=0, hold_ms=30_000, forget_ms=60_000
    )
    assert await story.word(tended) == "ok"


async def test_a_callback_is_moved_with_its_promise(story: Story) -> None:
    await to_be_called_back(story, "lin")
    assert await relane(story.later(60_000), GAS) == "ok"
    assert story.world.state.callbacks == {"ref|gas": "lin"}


async def test_a_callback_is_not_moved_to_where_its_customer_has_another(story: Story) -> None:
    await to_be_called_back(story, "lin")
    await to_be_called_back(story, "lin-2", GAS)
    assert await relane(story.later(60_000), GAS) == "stale:promised"
    assert story.world.state.callbacks == {"ref|power": "lin", "ref|gas": "lin-2"}


async def test_a_raised_call_tells_both_keys(story: Story) -> None:
    await story.queued("lin")
    assert await relane(story, RAISED) == "ok"
    told = last(story)
    assert (told.type, told.data["from_key"] - told.data["key"]) == ("call.raised", 120_000)
    assert story.world.state.calls["lin"].tier == "normal", "the customer's tier is as it was"
    assert await relane(story, RAISED) == "again"


async def test_its_position_counts_as_before(story: Story) -> None:
    """The lane's id is longer when it was raised; who waits behind it still counts it."""
    await story.queued("lin")
    await relane(story, RAISED)
    await story.later(1_000).queued("wang")
    assert await story.word(c.TouchCall(now_ms=story.now_ms, call_id="wang")) == "ok"
    assert story.world.state.calls["wang"].position == 2


async def test_what_was_told_of_one_queue_is_not_held_against_the_next(story: Story) -> None:
    await story.queued("lin")
    told = await story.told("lin")
    assert told
    await relane(story, RAISED)
    assert story.world.state.calls["lin"].told == told, "he is where he was"
    await relane(story, GAS, was=RAISED)
    assert story.world.state.calls["lin"].told == ""
    assert await story.later(1_000).told("lin"), "and the next one speaks at once"


async def test_who_looked_too_long_changes_nothing(story: Story) -> None:
    await story.queued("lin")
    assert await relane(story, GAS, was=RAISED) == "stale:lane"
    await story.ready("mei")
    await story.claim("lin", "mei")
    assert await relane(story, GAS) == "stale:offered"
    await story.end("lin")
    assert await relane(story, GAS) == "gone"
    assert await relane(story, GAS, "nobody") == "gone"
    assert "call.moved" not in [line.type for line in story.world.lines]


async def test_a_call_that_was_offered_comes_back_to_where_it_was_moved(story: Story) -> None:
    await story.queued("lin")
    await relane(story, GAS)
    await story.ready("mei", "gas")
    await story.claim("lin", "mei")
    await story.decline("lin-1")
    assert set(story.world.state.lanes) == {GAS.lane_id}


# An agent


async def test_a_lent_agent_has_the_skills_until_he_is_taken_back(story: Story) -> None:
    await story.ready("mei")
    idle_ms = story.world.state.ready["mei"]
    turn = story.world.state.turn
    assert await lend(story.later(5_000)) == "ok"
    assert story.world.state.agents["mei"].skills == "gas,power"
    assert story.world.state.ready["mei"] == idle_ms, "his idle time runs on"
    assert story.world.state.turn == turn + 1
    assert await lend(story) == "again"
    assert await take_back(story) == "ok"
    assert story.world.state.agents["mei"].skills == "power"
    assert await take_back(story) == "again"


async def test_a_lent_agent_signs_in_once_more_and_is_still_lent(story: Story) -> None:
    await story.ready("mei")
    await lend(story)
    assert await story.sign_in("mei", "english,power") == "again"
    assert story.world.state.agents["mei"].skills == "english,gas,power"
    await take_back(story)
    assert story.world.state.agents["mei"].skills == "english,power"


async def test_signing_out_ends_it(story: Story) -> None:
    await story.ready("mei")
    await lend(story)
    await story.presence("mei", "signed_out")
    assert await lend(story) == "gone"
    assert await take_back(story) == "gone"
    await story.ready("mei")
    assert story.world.state.agents["mei"].skills == "power"


async def test_an_agent_may_be_lent_at_work(story: Story) -> None:
    await story.talking("lin", "mei")
    assert await lend(story) == "ok"
    await story.end("lin")
    await story.close_wrap_up("mei")
    assert story.world.state.agents["mei"].skills == "gas,power"
    assert "mei" in story.world.state.ready


def test_what_is_his_own_stays_his_own() -> None:
    assert with_lent("gas,power", "gas gas") == "gas,power"
    assert with_lent("", "") == ""


# A queue


async def test_who_waits_in_a_closed_queue_is_served_or_led_out(story: Story) -> None:
    await story.queued("lin")
    assert await close(story) == "ok"
    assert await close(story) == "again"
    assert await close(story, leads=True) == "ok"
    await story.divert("lin")
    assert story.world.state.calls["lin"].is_open is False
    await story.end("lin")
    assert story.world.state.calls["lin"].outcome == "closed", "it was not he who gave up"
    opened = c.OpenQueue(now_ms=story.now_ms, queue="power", by="chief")
    assert (await story.word(opened), await story.word(opened)) == ("ok", "again")


async def test_in_an_open_queue_who_leaves_a_message_instead_has_given_up(story: Story) -> None:
    await story.queued("lin")
    await close(story)
    await story.divert("lin")
    await story.end("lin")
    assert story.world.state.calls["lin"].outcome == "abandoned"
