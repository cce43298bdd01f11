"""Whoever loses his line while he waits, and rings again in time, has the place he had."""

import pytest
from redis.asyncio import Redis

from queues.domain import commands as c
from tests.switchboard.people import Story
from tests.switchboard.world import World, lane

KEPT_MS = 300_000


@pytest.fixture
async def story(redis: Redis) -> Story:
    return Story(await World(redis).open())


async def lost_line(story: Story, call_id: str = "lin", *, by: str = "caller", **who: str) -> int:
    """Who waited a minute and lost his line; since when he waited."""
    began_ms = story.now_ms
    assert await story.arrive(call_id, **who) == "ok"
    assert await story.enqueue(call_id) == "ok"
    story.later(60_000)
    assert await story.end(call_id, by, KEPT_MS) == "ok"
    return began_ms


async def came_again(story: Story, call_id: str = "again", queue: str = "power", **who: str) -> int | None:
    assert await story.arrive(call_id, **who) == "ok"
    assert await story.enqueue(call_id, lane(queue)) == "ok"
    return story.world.state.calls[call_id].queued_ms


@pytest.mark.parametrize("by", ["caller", "system"])
async def test_the_place_is_that_of_the_call_before_and_the_wait_its_own(story: Story, by: str) -> None:
    began_ms = await lost_line(story, by=by)
    story.later(KEPT_MS - 1)
    assert await came_again(story) == began_ms
    call = story.world.state.calls["again"]
    assert (call.entered_ms, story.world.state.calls["lin"].outcome) == (story.now_ms, "abandoned")
    kept, queued = story.world.lines[-2:]
    assert (kept.type, kept.data) == (
        "call.place_kept",
        {"queue": "power", "queued_ms": began_ms, "of": "lin"},
    )
    assert (queued.data["queued_ms"], queued.data["entered_ms"]) == (began_ms, story.now_ms)
    await story.ready("mei")
    await story.claim("again", "mei")
    await story.accept("again-1")
    await story.later(2_000).connect("again", "again-1")
    assert story.world.lines[-1].data["wait_ms"] == 2_000


async def test_after_five_minutes_he_begins_anew(story: Story) -> None:
    await lost_line(story)
    story.later(KEPT_MS)
    assert await came_again(story) == story.now_ms
    assert await story.word(c.DropPlace(now_ms=story.now_ms, caller_ref="ref")) == "ok"
    assert (story.world.state.places, [d for d in story.world.state.deadlines if "place" in d]) == ({}, [])


async def test_a_place_is_of_one_queue_and_waits_there_for_its_owner(story: Story) -> None:
    began_ms = await lost_line(story)
    assert await came_again(story, "other", "gas") == story.now_ms
    assert await came_again(story) == began_ms


@pytest.mark.parametrize("how", ["moved", "put through"])
async def test_who_was_led_elsewhere_has_his_place_where_the_menu_leads_him(story: Story, how: str) -> None:
    began_ms, gas = story.now_ms, lane("gas")
    if how == "moved":
        await story.queued("lin")
        moved = c.RelaneCall(
            now_ms=story.now_ms, call_id="lin", from_lane_id=lane().lane_id, lane_id=gas.lane_id,
            lane=gas.to_json(), is_raised=False, by="chief",
        )  # fmt: skip
        assert await story.word(moved) == "ok"
    else:
        await story.talking("lin", "mei")
        assert await story.transfer("lin", "mei", gas) == "ok"
    assert await story.later(60_000).end("lin", "caller", KEPT_MS) == "ok"
    assert await came_again(story, "other", "gas") == story.now_ms, "there he was led by hand"
    assert await came_again(story) == began_ms


async def test_a_place_is_taken_once(story: Story) -> None:
    began_ms = await lost_line(story)
    assert await came_again(story, "first") == began_ms
    assert await came_again(story, "second") == story.now_ms
    assert await story.end("first", "caller", KEPT_MS) == "ok"
    assert await came_again(story, "third") == began_ms


async def test_nobody_without_a_number_has_a_place(story: Story) -> None:
    await lost_line(story, caller_ref="withheld")
    assert await came_again(story, caller_ref="withheld") == story.now_ms
    assert story.world.state.places == {}


async def test_who_was_answered_or_left_for_the_voicemail_has_none(story: Story) -> None:
    await story.talking("lin", "mei")
    await story.end("lin", "caller", KEPT_MS)
    await story.queued("wang")
    await story.divert("wang")
    await story.end("wang", "caller", KEPT_MS)
    assert story.world.state.places == {}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_becomes_anonymous_leaves_no_place_and_no_line_that_ties_his_calls(
    story: Story, when: str
) -> None:
    await lost_line(story)
    if when == "after":
        await came_again(story)
    call_id = "lin" if when == "before" else "again"
    await story.world.do(c.AnonymiseCall(now_ms=story.now_ms, call_id=call_id, default_tier="normal"))
    assert story.world.state.places == {}
    assert not [line for line in story.world.lines if line.type == "call.place_kept"]


async def test_who_is_forgotten_has_no_place(story: Story) -> None:
    await lost_line(story)
    forget = c.ForgetCaller(now_ms=story.now_ms, caller_ref="ref")
    assert [await story.word(forget), await story.word(forget)] == ["ok", "again"]
    assert await came_again(story) == story.now_ms
