"""One clock for all: the same text shows the same instant, at any speed."""

import asyncio

import pytest

from config.clock import Clock, ClockTextError
from tests.doubles import MONDAY_0900_MS, ManualClock


def test_a_real_clock_shows_the_wall_and_a_copy_of_its_text_is_the_same_clock() -> None:
    clock = Clock.real()
    assert clock.is_real
    assert str(clock) == "0:0:1"
    assert Clock.parse(str(clock)) == clock
    assert abs(Clock.parse("0:0:1").now_ms() - clock.now_ms()) < 1000


def test_a_fast_clock_starts_where_it_is_told_and_runs_as_many_times_as_fast() -> None:
    clock = Clock.starting_at(MONDAY_0900_MS, 30)
    slow = Clock(clock.origin_ms, clock.anchor_ms, 1)
    assert 0 <= clock.now_ms() - MONDAY_0900_MS < 30_000
    assert not clock.is_real
    # thirty times what has gone by since the anchor, seen a moment later
    assert clock.now_ms() - MONDAY_0900_MS >= 30 * (slow.now_ms() - MONDAY_0900_MS) - 30 * 100


def test_human_time_scales_and_machine_time_is_written_in_real_seconds() -> None:
    clock = Clock(MONDAY_0900_MS, 0, 30)
    assert clock.real_s(15_000) == 0.5  # a phone rings for fifteen product seconds
    assert clock.product_ms(10) == 300_000  # a socket waits for ten real ones
    assert clock.product_ms(clock.real_s(45_000)) == 45_000


@pytest.mark.parametrize(
    "text", ["", "now", "1:2", "1:2:3:4", "1:2:0", "1:2:-1", "1:2:nan", "1:2:inf", "1.5:2:1"]
)
def test_a_text_that_is_no_clock_is_refused_with_the_form_it_should_have(text: str) -> None:
    with pytest.raises(ClockTextError, match="origin_ms:anchor_ms:speed"):
        Clock.parse(text)


async def test_sleeping_takes_a_thirtieth_at_thirty_times_the_speed() -> None:
    clock = Clock.starting_at(MONDAY_0900_MS, 1000)
    before_ms = clock.now_ms()
    await clock.sleep(50_000)
    assert clock.now_ms() - before_ms >= 49_000


async def test_a_manual_clock_wakes_each_sleeper_when_its_time_has_come(clock: ManualClock) -> None:
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, for_ms: int) -> None:
        await clock.sleep(for_ms)
        woken.append((name, clock.now_ms() - MONDAY_0900_MS))

    tasks = [asyncio.ensure_future(sleeper(name, for_ms)) for name, for_ms in (("b", 900), ("a", 300))]
    await asyncio.sleep(0)
    clock.advance(299)
    await asyncio.sleep(0)
    assert woken == []
    await clock.pass_by(10_000)
    await asyncio.gather(*tasks)
    assert woken == [("a", 300), ("b", 900)]
    assert clock.now_ms() == MONDAY_0900_MS + 10_299
