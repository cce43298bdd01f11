"""R29: when a queue passes a set length, or one area sends more than N faults in ten minutes, a notice is proposed,
extra staff on call (08:00 to 24:00) are alerted and overflow widens; it begins and ends once, whoever looks."""

import html
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.service.customers import import_customers
from queues.service.people import Agent, save_agents
from queues.service.surging import surges_now, watch_surges
from tests.requirements.house import House, open_house

OUTAGES, MINUTE_MS = 13, 60_000
TYPES = ("surge.begun", "surge.alerted", "surge.ended")


@pytest.fixture
async def house(runtime: Runtime) -> AsyncIterator[House]:
    async with open_house(runtime, "power") as house:
        yield house


async def outages(house: House, count: int, first: int = 0, number: str = "+861390000") -> list[str]:
    """So many who report a power cut and wait."""
    for n in range(first, first + count):
        caller, heard = await house.call(f"CA{n}", f"{number}{n:04d}")
        for key in ("1", "2", ""):
            heard = await caller.press(heard, key)
        assert "Enqueue" in heard.verbs, heard.said
        assert (await house.facts_of(f"CA{n}")).queue == "outage"
    return [f"CA{n}" for n in range(first, first + count)]


async def told(house: House) -> list[str]:
    """The lines about surges, in order."""
    lines = await house.runtime.redis.xrange("{power}:journal")
    return [each["type"] for _, each in lines if each["type"] in TYPES]


async def on_call(house: House, agent_id: str = "duty") -> None:
    person = Agent(
        agent_id=agent_id, name="值班", skills=("general", "on_call"), endpoint=f"client:{agent_id}"
    )
    await save_agents(house.runtime, [person])


async def test_a_queue_that_passes_its_length_proposes_a_notice_alerts_and_widens(house: House) -> None:
    await on_call(house)
    boss = await house.enter("boss", "supervisor")
    desk = await house.enter("duty", "agent", "duty")
    await outages(house, OUTAGES - 1)
    await watch_surges(house.runtime)
    assert await told(house) == []
    assert "Proposed" not in (await boss.open("/notices")).text
    board = house.hotline.switchboard
    await board.sign_in(agent_id="gen", name="general", skills=["general"], endpoint="client:gen")
    await board.set_presence(agent_id="gen", presence="ready")
    assert await house.offered_to("gen") == "", "an outage goes to general agents after 30 seconds only"

    await outages(house, 1, first=OUTAGES - 1)
    assert [await watch_surges(house.runtime) for _ in range(3)] == [1, 0, 0]
    assert await told(house) == ["surge.begun", "surge.alerted"]
    assert await house.offered_to("gen") == "CA0", "in a surge at once"
    assert "You are on call" in (await desk.open("/desk")).text

    page = (await boss.open("/notices")).text
    assert "Proposed" in page
    assert "more than 12 wait in Power cuts" in page
    section = page[page.index('aria-labelledby="proposed"') :]
    form = section[: section.index("</form>")]
    given = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    assert (await boss.send("/notices", {**given, "csrf": boss.csrf})).status_code == 303
    assert "Proposed" not in (await boss.open("/notices")).text
    _, heard = await house.call("CAnext", "+8613811112222")
    assert "来电较多" in heard.said


async def test_it_ends_once_when_it_has_been_calm_for_long_enough(house: House, clock: Any) -> None:
    await on_call(house)
    waiting = await outages(house, OUTAGES)
    await watch_surges(house.runtime)
    for call_id in waiting[:5]:
        await house.hotline.switchboard.end_call(call_id=call_id, by="caller")
    clock.advance(10 * MINUTE_MS)
    assert await watch_surges(house.runtime) == 0, "eight wait: fewer, but more than half"
    for call_id in waiting[5:]:
        await house.hotline.switchboard.end_call(call_id=call_id, by="caller")
    found = []
    for minutes in (0, 4, 1, 1):
        clock.advance(minutes * MINUTE_MS)
        found.append(await watch_surges(house.runtime))
    assert found == [0, 0, 1, 0]
    assert await told(house) == list(TYPES)
    assert await surges_now(house.runtime) == ()


async def test_one_area_that_calls_again_and_again_is_a_surge_of_its_own(house: House, clock: Any) -> None:
    area, *_ = house.plan.areas
    people = [
        Customer(
            customer_id=f"N{n}", name="某", area=area, tier="residential", numbers=(f"+8613700000{n:03d}",)
        )
        for n in range(11)
    ]
    await import_customers(house.runtime, people)
    boss = await house.enter("boss", "supervisor")
    for n in range(11):
        assert await watch_surges(house.runtime) == 0
        caller, heard = await house.call(f"CA{n}", f"+8613700000{n:03d}")
        for key in ("1", "2", ""):
            heard = heard if "Enqueue" in heard.verbs else await caller.press(heard, key)
        await house.hotline.switchboard.end_call(call_id=f"CA{n}", by="caller")
        await house.write_down()
    assert await watch_surges(house.runtime) == 1
    (running,) = await surges_now(house.runtime)
    assert (running.about.area, running.about.count, running.about.queues) == (area, 11, ("outage",))
    name = house.plan.areas[area].name["zh"]
    assert f"目前{name}来电较多" in (await boss.open("/notices")).text
    for minutes, ends in ((11, 0), (5, 1)):
        clock.advance(minutes * MINUTE_MS)
        assert await watch_surges(house.runtime) == ends


async def test_nobody_on_call_is_alerted_in_the_night(house: House, clock: Any) -> None:
    await on_call(house)
    clock.advance(15 * 60 * MINUTE_MS + 30 * MINUTE_MS)
    await outages(house, OUTAGES)
    await watch_surges(house.runtime)
    assert await told(house) == ["surge.begun"]
    clock.advance(7 * 60 * MINUTE_MS + 30 * MINUTE_MS)
    await watch_surges(house.runtime)
    assert await told(house) == ["surge.begun", "surge.alerted"], "at eight in the morning, once"
    await watch_surges(house.runtime)
    assert len(await told(house)) == 2
