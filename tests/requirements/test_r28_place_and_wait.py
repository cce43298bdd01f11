"""R28: who waits hears his place in polite words, falling as others are served, and how long it may take once that is
known; what was said is held against what happened."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.runtime import Runtime
from queues.service.estimating import estimate_waits
from tests.requirements.house import House, open_house
from tests.traces.hotline import Caller, Heard

PLACE, NEXT, TIME = "您前面还有", "您是下一位", "预计等候"


@pytest.fixture
async def house(runtime: Runtime) -> AsyncIterator[House]:
    async with open_house(runtime, "power") as house:
        yield house


async def queued(house: House, leg_id: str, number: str, key: str = "0") -> tuple[Caller, Heard]:
    """Somebody who waits for a person."""
    caller, heard = await house.call(leg_id, number)
    while "Enqueue" not in heard.verbs:
        heard = await caller.press(heard, key)
        key = "0"
    return caller, heard


async def waits(clock: Any, caller: Caller, heard: Heard, for_s: int) -> Heard:
    clock.advance(for_s * 1000)
    return await caller.wait(heard)


async def ends(house: House, leg_id: str) -> None:
    await house.hotline.switchboard.end_call(call_id=leg_id, by="caller")


async def talks(house: House, call_id: str) -> None:
    """The agent to whom he is offered lifts his phone."""
    board, offer_id = house.hotline.switchboard, (await house.facts_of(call_id)).offer_id
    about = {"offer_id": offer_id, "leg_id": (await board.leg_of_offer(offer_id=offer_id))[0]}
    for step in (board.ringing, board.answer_offer, board.accept_offer):
        await step(**about)
    assert (await board.connect_call(call_id=call_id, offer_id=offer_id)).is_ok


async def handled_before(house: House, clock: Any, count: int = 20, talk_s: int = 240) -> None:
    """So many calls of the morning, each with an answer at once and a talk of the same length."""
    board = house.hotline.switchboard
    await house.agent("mei", "美")
    for n in range(count):
        caller, _ = await queued(house, f"CAold{n}", f"+8613700000{n:03d}")
        assert await house.offered_to("mei") == caller.leg_id
        await talks(house, caller.leg_id)
        clock.advance(talk_s * 1000)
        await board.end_call(call_id=caller.leg_id, by="caller")
        await board.close_wrap_up(agent_id="mei", disposition="solved")
    await house.write_down()


async def test_the_second_in_line_hears_that_one_is_ahead_and_the_figure_falls(
    house: House, clock: Any
) -> None:
    first, first_heard = await queued(house, "CA1", "+8613900000001")
    clock.advance(1_000)
    second, heard = await queued(house, "CA2", "+8613900000002")
    clock.advance(1_000)
    third, third_heard = await queued(house, "CA3", "+8613900000003")
    rounds = [
        await caller.wait(each)
        for caller, each in ((first, first_heard), (second, heard), (third, third_heard))
    ]
    assert [PLACE in each.said for each in rounds] == [False] * 3, "they have only just come"
    rounds = [
        await waits(clock, caller, each, seconds)
        for caller, each, seconds in ((first, rounds[0], 15), (second, rounds[1], 0), (third, rounds[2], 0))
    ]
    assert NEXT in rounds[0].said
    assert "您前面还有1位，请不要挂机" in rounds[1].said
    assert "您前面还有两位，请不要挂机" in rounds[2].said
    await ends(house, "CA1")
    quiet = await waits(clock, third, rounds[2], 20)
    assert PLACE not in quiet.said, "not so soon again"
    heard = await waits(clock, third, quiet, 40)
    assert "您前面还有1位" in heard.said


async def test_a_place_told_never_gets_worse_though_others_go_ahead(house: House, clock: Any) -> None:
    caller, heard = await queued(house, "CA1", "+8613900000001", key="4")
    await queued(house, "CA2", "+8613900000002")
    heard = await waits(clock, caller, await caller.wait(heard), 15)
    assert NEXT in heard.said
    board = house.hotline.switchboard
    facts = await house.facts_of("CA1")
    for n in range(3):
        await queued(house, f"CA7{n}", f"+861390000007{n}", key="1")
    heard = await waits(clock, caller, heard, 60)
    assert NEXT in heard.said
    assert (await house.facts_of("CA1")).position == 1
    assert facts.queue == (await board.read_call(call_id="CA1")).queue  # type: ignore[union-attr]


async def test_a_webhook_that_comes_twice_hears_the_same_and_is_told_once(house: House, clock: Any) -> None:
    caller, heard = await queued(house, "CA1", "+8613900000001")
    heard = await caller.wait(heard)
    house.hotline.doubled = True
    heard = await waits(clock, caller, heard, 15)
    ((_, one, other),) = house.hotline.answers
    assert one == other
    assert NEXT in heard.said
    await house.write_down()
    assert [row["position"] for row in await house.rows("announcements", "position")] == [1]


async def test_how_long_it_takes_is_told_once_twenty_calls_were_handled(house: House, clock: Any) -> None:
    await handled_before(house, clock, 19)
    busy, _ = await queued(house, "CAbusy", "+8613900000009")
    assert await house.offered_to("mei") == busy.leg_id
    caller, heard = await queued(house, "CA1", "+8613900000001")
    await estimate_waits(house.runtime)
    heard = await waits(clock, caller, await caller.wait(heard), 15)
    assert NEXT in heard.said
    assert TIME not in heard.said, "nineteen are too few"


async def test_said_is_held_against_what_happened(house: House, clock: Any) -> None:
    await handled_before(house, clock)
    board = house.hotline.switchboard
    busy, _ = await queued(house, "CAbusy", "+8613900000009")
    assert await house.offered_to("mei") == busy.leg_id
    await talks(house, "CAbusy")
    caller, heard = await queued(house, "CA1", "+8613900000001")
    heard = await caller.wait(heard)
    clock.advance(15_000)
    await estimate_waits(house.runtime)
    heard = await caller.wait(heard)
    assert "您是下一位" in heard.said
    assert "预计等候三到五分钟" in heard.said
    clock.advance(225_000)
    await board.end_call(call_id="CAbusy", by="caller")
    await board.close_wrap_up(agent_id="mei", disposition="solved")
    assert await house.offered_to("mei") == "CA1"
    await talks(house, "CA1")
    await house.write_down()
    (row,) = await house.rows("announcements", "call_id", "position", "low_s", "high_s")
    assert row == {"call_id": "CA1", "position": 1, "low_s": 180, "high_s": 300}
    boss = await house.enter("boss", "supervisor")
    page = (await boss.open("/said")).text
    assert "100%" in page
    assert "<rect" in page
    agent = await house.enter("somebody", "agent", "mei")
    assert (await agent.open("/said")).status_code == 403


async def test_a_caller_in_danger_hears_no_numbers(runtime: Runtime, clock: Any) -> None:
    async with open_house(runtime, "gas") as house:
        caller, heard = await house.call("CA1", "+8613911112222")
        heard = await caller.press(heard, "1")
        heard = await caller.wait(heard)
        for _ in range(4):
            heard = await waits(clock, caller, heard, 20)
            assert PLACE not in heard.said
            assert NEXT not in heard.said
        assert (await house.facts_of("CA1")).told is None


async def test_a_day_without_announcements_says_how_they_come(house: House) -> None:
    boss = await house.enter("boss", "supervisor")
    page = (await boss.open("/said?day=2026-01-01")).text
    assert "No caller was told his place" in page
    assert (await boss.open("/said?day=soon")).status_code == 422
    await boss.speak("zh")
    assert "预告与实际" in (await boss.open("/said")).text
