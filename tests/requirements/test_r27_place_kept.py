"""R27 and the law of the kept place: whoever waits, loses his line and rings again has the place he had."""

from config.runtime import Runtime
from tests.doubles import ManualClock
from tests.requirements.house import House, open_house

LIN, CHEN = "+8613900000001", "+8613900000002"
WAIT_MS = 60_000


def pass_by(runtime: Runtime, for_ms: int) -> None:
    assert isinstance(runtime.clock, ManualClock)
    runtime.clock.advance(for_ms)


async def wait_in_queue(house: House, leg_id: str, number: str) -> int:
    """He is put through to a person, and nobody is there; since when he waits."""
    caller, heard = await house.call(leg_id, number)
    while "Enqueue" not in heard.verbs:
        heard = await caller.press(heard, "0")
    queued_ms = (await house.facts_of(leg_id)).queued_ms
    assert queued_ms is not None
    return queued_ms


async def test_a_lost_line_costs_no_place_and_the_figures_count_each_wait(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        began_ms = await wait_in_queue(house, "CA1", LIN)
        pass_by(runtime, WAIT_MS)
        caller = house.hotline.caller("CA1", LIN)
        await caller.post("/voice/status", "completed")
        pass_by(runtime, WAIT_MS)
        await wait_in_queue(house, "CA2", CHEN)
        assert await wait_in_queue(house, "CA3", LIN) == began_ms
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA3", "he is in front of who came while he was away"
        await house.write_down()
        rows = await house.rows("calls", "call_id", "outcome", "queued_ms", "wait_ms")
        told = {row["call_id"]: row for row in rows}
        assert (told["CA1"]["outcome"], told["CA1"]["wait_ms"]) == ("abandoned", WAIT_MS)
        assert told["CA3"]["queued_ms"] == began_ms + 2 * WAIT_MS, "his own wait begins with his own entry"


async def test_after_five_minutes_he_is_the_last(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await wait_in_queue(house, "CA1", LIN)
        await house.hotline.caller("CA1", LIN).post("/voice/status", "completed")
        pass_by(runtime, 5 * 60_000)
        await house.dispatcher.tick()
        assert await runtime.redis.hlen("{power}:places") == 0
        await wait_in_queue(house, "CA2", CHEN)
        await wait_in_queue(house, "CA3", LIN)
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA2"


async def test_who_withholds_his_number_cannot_be_known_again(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        began_ms = await wait_in_queue(house, "CA1", "anonymous")
        pass_by(runtime, WAIT_MS)
        await house.hotline.caller("CA1", "anonymous").post("/voice/status", "completed")
        assert await wait_in_queue(house, "CA2", "anonymous") == began_ms + WAIT_MS
