"""R27: whoever waits too long is led to a choice and keeps his place; whoever finds a queue full is led on at once."""

import pytest

from config.runtime import Runtime
from queues.domain.lanes import Lane
from queues.service.live_changes import LiveChanges
from tests.requirements.house import House, open_house
from tests.requirements.test_r27_callback import CHEN, LIN, MINUTE_MS, pass_by, wait_in_queue
from tests.traces.hotline import Heard


async def waits_ten_minutes(house: House, leg_id: str = "CA1") -> Heard:
    """On hold until his queue leads him on; what he hears then."""
    caller, enqueued = house.hotline.caller(leg_id, LIN), await wait_in_queue(house, leg_id, LIN)
    pass_by(house, 10 * MINUTE_MS - 1)
    waiting = await caller.wait(enqueued)
    assert "Leave" not in waiting.verbs
    pass_by(house, 1)
    assert (await caller.wait(waiting)).verbs == ["Leave"]
    return await caller.leave_queue(enqueued, "leave")


@pytest.mark.parametrize("key", ["1", "2", "hangs up"])
async def test_who_waits_too_long_is_asked_and_keeps_his_place(runtime: Runtime, key: str) -> None:
    async with open_house(runtime, "heat") as house:
        began_ms = (house.runtime.clock.now_ms(),)
        caller = house.hotline.caller("CA1", LIN)
        asked = await waits_ten_minutes(house)
        assert "继续等候请按1" in asked.said
        call = await house.facts_of("CA1")
        assert (call.state, call.node, (call.queued_ms,)) == ("menu", "long_wait", began_ms)
        again = await caller.post("/voice/left-queue?l=zh-CN", "in-progress", QueueResult="leave")
        assert "继续等候请按1" in (await caller.post(again.url("Redirect"))).said, "the same news twice"
        if key == "hangs up":
            await caller.post("/voice/status", "completed")
            await house.settle()
            assert (await house.rows("calls", "outcome", call_id="CA1"))[0]["outcome"] == "abandoned"
            await wait_in_queue(house, "CA2", LIN)
            assert ((await house.facts_of("CA2")).queued_ms,) == began_ms, (
                "his place outlives his line here too"
            )
            return
        heard = await caller.press(asked, key)
        call = await house.facts_of("CA1")
        if key == "2":
            assert (heard.verbs[-2:], call.state) == (["Record", "Redirect"], "messaging")
            return
        assert (heard.verbs[-1], call.state, (call.queued_ms,)) == ("Enqueue", "queued", began_ms)
        pass_by(house, 10 * MINUTE_MS)
        assert "Leave" not in (await caller.wait(heard)).verbs, "once in a call"
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA1"


async def test_who_is_found_an_agent_while_he_is_led_stays(runtime: Runtime) -> None:
    """The agent was offered him between the wait document and the end of his waiting."""
    async with open_house(runtime, "heat") as house:
        caller, enqueued = house.hotline.caller("CA1", LIN), await wait_in_queue(house, "CA1", LIN)
        pass_by(house, 10 * MINUTE_MS)
        assert (await caller.wait(enqueued)).verbs == ["Leave"]
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA1"
        assert (await caller.leave_queue(enqueued, "leave")).verbs == ["Enqueue"]
        assert (await house.facts_of("CA1")).state == "offered"


async def test_who_was_raised_by_hand_stays_so_when_he_goes_on_elsewhere(runtime: Runtime) -> None:
    """His queue has led him to the menu; from there he comes to a queue again, and is still before the others."""
    async with open_house(runtime, "heat") as house:
        board, caller = house.hotline.switchboard, house.hotline.caller("CA1", LIN)
        enqueued = await wait_in_queue(house, "CA1", LIN)
        was = await board.lane_of(call_id="CA1")
        assert was is not None
        tier = min(house.plan.tiers.values(), key=lambda each: each.rank)
        assert was.tier != tier.id
        hand = LiveChanges(house.runtime, board, "chief")
        assert await hand.raise_call("CA1", was.lane_id, tier.id, "孩子在家") == "ok"
        raised = await board.lane_of(call_id="CA1")
        pass_by(house, 10 * MINUTE_MS)
        assert (await caller.wait(enqueued)).verbs == ["Leave"]
        asked = await caller.leave_queue(enqueued, "leave")
        assert (await caller.press(asked, "1")).verbs[-1] == "Enqueue"
        assert await board.lane_of(call_id="CA1") == raised


async def crowd(house: House, queue: str, count: int) -> None:
    """So many wait there already."""
    board = house.hotline.switchboard
    lane = Lane(queue, house.plan.default_tier, house.plan.needs(queue, "zh-CN"), 0)
    for n in range(count):
        ids = {"call_id": f"CX{n}", "line": "main", "caller_ref": f"r{n}", "number": "", "number_key": ""}
        await board.arrive(**ids)
        await board.enqueue_call(call_id=f"CX{n}", queue=queue, matter="order", tier="", lane=lane)


async def test_who_finds_the_queue_full_is_led_to_the_machine_at_once(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await crowd(house, "order", 39)
        caller, heard = await house.call("CA1", CHEN)
        heard = await caller.press(heard, "1")
        while "Enqueue" not in heard.verbs and "Record" not in heard.verbs:
            heard = await caller.press(heard, "#")
        assert heard.verbs[-1] == "Enqueue", "the fortieth"
        caller, heard = await house.call("CA2", LIN)
        heard = await caller.press(heard, "1")
        while "Enqueue" not in heard.verbs and "Record" not in heard.verbs:
            heard = await caller.press(heard, "#")
        assert ("订货来电很多" in heard.said, "Record" in heard.verbs) == (True, True)
        assert (await house.facts_of("CA2")).state == "messaging"
        await caller.post("/voice/status", "completed")
        await house.settle()
        chief = await house.enter("chief", "supervisor")
        page = (await chief.open("/calls/CA2")).text
        assert "The queue was full, so it waited for nobody" in page
        assert "Queue was full" in page
        (row,) = await house.rows("calls", "outcome", "queue", call_id="CA2")
        assert (row["outcome"], row["queue"]) == ("full", "order")
