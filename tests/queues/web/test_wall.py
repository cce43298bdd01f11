"""The wallboard: who waits too long, who is there, how the day went; silent while nothing changes."""

import asyncio
from typing import Any

import pytest

from queues.domain.lanes import Lane
from queues.service import figuring
from queues.web import wall
from queues.web.words import Words
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, next_picture, text_of


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


async def picture(door: Door, locale: str = "zh") -> dict[str, Any]:
    floor, words = door.app.state.floor, door.app.state.templates.words
    door.forget()
    return await wall.picture(
        floor, Words(lambda key, **values: words(locale, key, **values), floor.plan, locale)
    )


def queue_of(view: dict[str, Any], queue: str) -> dict[str, Any]:
    return next(each for each in view["queues"] if each["id"] == queue)


async def test_an_empty_wallboard_says_how_to_make_the_first_call(boss: Reader) -> None:
    page = text_of(await boss.open("/wall"))
    assert "今天还没有来电" in page
    assert "+86 571 9559 8000" in page


async def test_waiting_calls_by_queue_and_tier_with_the_longest_wait(
    boss: Reader, door: Door, hotline: Hotline, clock: Any
) -> None:
    await boss.open("/wall")
    await hotline.switchboard.set_presence(agent_id="wang", presence="away", reason="meal")
    await hotline.arrive("CA1")
    lane = Lane("outage", "key_customer", ("outage",), 0)
    await hotline.switchboard.enqueue_call(
        call_id="CA1", queue="outage", matter="power_cut", tier="key_customer", lane=lane
    )
    clock.advance(16_000)
    await hotline.arrive("CA2", CHEN_NUMBER)
    await hotline.enqueue("CA2", "power_cut", "outage")
    clock.advance(2_000)
    view = await picture(door)
    assert view["top"]["waiting"] == 2
    assert (view["top"]["longest"]["text"], view["top"]["longest"]["state"]) == ("0:18", "near")
    outage = queue_of(view, "outage")
    assert [(tier["word"], tier["waiting"]) for tier in outage["tiers"]] == [("大客户", 1), ("居民客户", 1)]
    assert (outage["ready"], outage["away"], outage["talking"]) == (0, 1, 0)
    clock.advance(3_000)
    assert (await picture(door))["top"]["longest"]["state"] == "past"
    assert queue_of(view, "complaint")["away"] == 0, "王 has not that skill"
    away = next(group for group in view["agents"] if group["state"] == "away")
    assert [(person["name"], person["reason"]) for person in away["people"]] == [("王敏", "用餐")]


async def test_the_day_in_figures(boss: Reader, door: Door, hotline: Hotline, clock: Any) -> None:
    await boss.open("/wall")
    await hotline.answered_call("CA1")  # waited 12 s of 20
    await hotline.arrive("CA2", CHEN_NUMBER)
    await hotline.enqueue("CA2")
    clock.advance(30_000)
    await hotline.end("CA2")
    await hotline.scribe.drain()
    await figuring.drain(hotline.runtime)
    view = await picture(door)
    general = queue_of(view, "general")
    assert general["service_level"] == {"state": "past", "text": "50%"}
    assert (general["abandoned"], general["p80"]) == ({"state": "past", "text": "50.0%"}, "12 秒")
    assert view["top"]["abandoned"] == {"state": "past", "text": "50.0%"}
    tiers = {tier["word"]: tier["service_level"]["text"] for tier in view["tiers"]}
    assert (tiers["大客户"], tiers["居民客户"]) == ("100%", "0%"), (
        "each by the target of its own queue and tier"
    )
    assert view["curve"]["told"] == "截至 09:00：请求人工 0 通；上周同日无来电"
    assert view["is_empty"] is False
    assert queue_of(view, "key")["service_level"] == {"state": "off", "text": "–"}


async def test_a_picture_is_sent_only_when_it_differs(boss: Reader, door: Door, hotline: Hotline) -> None:
    await boss.open("/wall")
    floor, words = door.app.state.floor, door.app.state.templates.words
    events = wall.pictures(floor, Words(lambda key, **values: words("en", key, **values), floor.plan, "en"))
    assert (await next_picture(events))["top"]["waiting"] == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await anext(events)
    await events.aclose()
    events = wall.pictures(floor, Words(lambda key, **values: words("en", key, **values), floor.plan, "en"))
    await next_picture(events)
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    assert (await next_picture(events))["top"]["waiting"] == 1
    await events.aclose()


async def test_the_wall_is_for_those_who_are_signed_in(door: Door) -> None:
    stranger = Reader(door.app, "nobody")
    answer = await stranger.open("/wall")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fwall")
    await stranger.client.aclose()
