"""Said against happened, and handling times of late: of a call that is put through each talk stands for itself."""

from typing import Any

from queues.domain.estimates import Handling
from queues.domain.said import Came
from queues.service.estimating import handling_of_late
from queues.service.said import said_between
from tests.doubles import MONDAY_0900_MS
from tests.queues.hotline import Hotline

DAY_MS = 24 * 3_600_000


async def told(hotline: Hotline, call_id: str, low_s: int = 60, high_s: int = 180) -> None:
    about = {"queue": "general", "tier": "residential", "position": 1}
    await hotline.journal("call.told", call_id, **about, low_s=low_s, high_s=high_s)


async def put_through(hotline: Hotline, call_id: str) -> None:
    """王 has talked for a minute, puts the caller through to another queue, and wraps up for ten seconds."""
    clock: Any = hotline.runtime.clock
    clock.advance(60_000)
    board = hotline.switchboard
    assert (await board.transfer_call(call_id=call_id, agent_id="wang", queue="outage")).is_ok
    clock.advance(10_000)
    await hotline.wrap_up()


async def came(hotline: Hotline) -> list[Came]:
    await hotline.write_down()
    now_ms = hotline.runtime.clock.now_ms()
    found = await said_between(hotline.runtime, MONDAY_0900_MS, MONDAY_0900_MS + DAY_MS)
    return [each.came(now_ms) for each in found]


async def test_what_is_told_after_a_talk_is_about_the_next_one(hotline: Hotline, clock: Any) -> None:
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    await told(hotline, "CA1")
    clock.advance(90_000)
    await hotline.answer("CA1")
    await put_through(hotline, "CA1")
    await told(hotline, "CA1")
    assert await came(hotline) == [Came.WITHIN, Came.OPEN]
    clock.advance(120_000)
    await hotline.answer("CA1")
    assert await came(hotline) == [Came.WITHIN, Came.WITHIN]


async def test_who_hangs_up_after_he_was_put_through_was_not_answered_sooner(
    hotline: Hotline, clock: Any
) -> None:
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    await hotline.answer("CA1")
    await put_through(hotline, "CA1")
    await told(hotline, "CA1")
    clock.advance(20_000)
    await hotline.end("CA1")
    assert await came(hotline) == [Came.LEFT]


async def test_each_talk_that_is_wrapped_up_is_a_handling_time_of_its_queue(
    hotline: Hotline, clock: Any
) -> None:
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    await hotline.answer("CA1")
    await put_through(hotline, "CA1")
    clock.advance(500_000)
    await hotline.answer("CA1")
    clock.advance(30_000)
    await hotline.end("CA1")
    await hotline.write_down()
    assert await handling_of_late(hotline.runtime) == {"general": [Handling(0, 70_000)]}
    clock.advance(5_000)
    await hotline.wrap_up()
    await hotline.write_down()
    assert await handling_of_late(hotline.runtime) == {
        "outage": [Handling(0, 35_000)],
        "general": [Handling(0, 70_000)],
    }
