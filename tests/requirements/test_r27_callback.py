"""R27: a caller who takes the offer keeps the place in the queue and is rung when it comes up."""

from dataclasses import dataclass

import pytest

from config.runtime import Runtime
from config.telephony import LegStatus
from tests.doubles import ManualClock, Placed, TelephonyDouble
from tests.requirements.house import House, open_house
from tests.traces.hotline import Heard

LIN, CHEN, HE = "+8613900000001", "+8613900000002", "+8613900000003"
OFFER = "您也可以按1，挂机等候，我们会按您现在的位置给您回电。"
MINUTE_MS = 60_000


def pass_by(house: House, for_ms: int) -> None:
    assert isinstance(house.runtime.clock, ManualClock)
    house.runtime.clock.advance(for_ms)


def telephony(house: House) -> TelephonyDouble:
    assert isinstance(house.runtime.telephony, TelephonyDouble)
    return house.runtime.telephony


async def tick(house: House) -> None:
    """One look of the dispatcher, and everything that it begins."""
    for _ in range(3):
        await house.dispatcher.tick()
        await house.dispatcher.settle()


async def wait_in_queue(house: House, leg_id: str, number: str) -> Heard:
    caller, heard = await house.call(leg_id, number)
    while "Enqueue" not in heard.verbs:
        heard = await caller.press(heard, "0")
    return heard


async def ask(house: House, leg_id: str, number: str) -> int:
    """He waits a minute, hears the offer, takes it and hangs up; since when he waits."""
    caller, waiting = house.hotline.caller(leg_id, number), await wait_in_queue(house, leg_id, number)
    enqueued = waiting
    for _ in range(3):
        waiting = await caller.wait(waiting)
        assert "Gather" not in waiting.verbs
        pass_by(house, 20_000)
    offered = await caller.wait(waiting)
    assert OFFER in offered.said
    promised = await caller.press(offered, "1")
    assert ("您的位置已保留" in promised.said, promised.verbs[-1]) == (True, "Hangup")
    await caller.leave_queue(enqueued, "hangup", "completed")
    await caller.post("/voice/status", "completed")
    queued_ms = (await house.facts_of(leg_id)).queued_ms
    assert queued_ms is not None
    return queued_ms


@dataclass
class CalledBack:
    """The customer's phone, which we ring."""

    house: House
    leg: Placed

    async def post(self, url: str, status: str = "in-progress", **fields: str) -> Heard:
        about = {"CallSid": self.leg.leg_id, "From": self.leg.from_, "To": self.leg.to}
        return await self.house.hotline.post(
            url, **about, Direction="outbound-api", CallStatus=status, **fields
        )

    async def lift(self) -> Heard:
        return await self.post(self.leg.url)

    async def press(self, heard: Heard, key: str) -> Heard:
        return await self.post(heard.url("Gather", "action"), Digits=key)

    async def report(self, status: str) -> None:
        telephony(self.house).set_leg(self.leg.leg_id, LegStatus.COMPLETED)
        await self.post(self.leg.status_url, status)


async def accept(house: House, agent_id: str = "wang") -> CalledBack:
    """The agent takes the offer in his browser, and the customer's phone rings."""
    await tick(house)
    offered = telephony(house).placed[-1]
    assert offered.to == f"client:{agent_id}"
    about = {"CallSid": offered.leg_id, "From": offered.from_, "To": offered.to}
    post = house.hotline.post
    whisper = await post(offered.url, **about, Direction="outbound-api", CallStatus="in-progress")
    assert whisper.said.startswith("回电。")
    joined = await post(whisper.url("Redirect"), **about, Direction="outbound-api", CallStatus="in-progress")
    assert joined.conference is not None
    await tick(house)
    return CalledBack(house, telephony(house).placed[-1])


async def outcome_of(house: House, call_id: str) -> tuple[str, str, int]:
    await house.settle()
    (row,) = await house.rows("calls", "outcome", "callback", "tries", call_id=call_id)
    return row["outcome"], row["callback"], row["tries"]


async def test_he_keeps_his_place_is_rung_and_talks(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await ask(house, "CA1", LIN)
        pass_by(house, MINUTE_MS)
        await tick(house)
        await wait_in_queue(house, "CA2", CHEN)
        (waiting,) = (await house.hotline.switchboard.wall_state()).waiting
        assert (waiting.waiting, waiting.callbacks) == (1, 1), "on the line, and to be called back"
        await house.agent("wang", "王敏")
        customer = await accept(house)
        assert (customer.leg.to, (await house.facts_of("CA1")).state) == (LIN, "connecting")
        greeting = await customer.lift()
        assert "这里是示例供电" in greeting.said
        talking = await customer.press(greeting, "1")
        assert talking.conference == "CA1-1"
        assert (await house.facts_of("CA1")).state == "connected"
        held = await house.hotline.switchboard.hold_call(call_id="CA1", agent_id="wang", is_held=True)
        assert held.word == "ok"
        await tick(house)
        assert telephony(house).held[-1] == ("CA1-1", customer.leg.leg_id, True), "not the leg he came with"
        assert telephony(house).recorded[-1][0] == customer.leg.leg_id
        pass_by(house, MINUTE_MS)
        await customer.post(talking.url("Dial", "action"), "completed", DialCallStatus="answered")
        await customer.report("completed")
        assert await outcome_of(house, "CA1") == ("callback", "kept", 0)
        (row,) = await house.rows("calls", "wait_ms", "talk_ms", "ticket_no", call_id="CA1")
        assert (row["wait_ms"], row["talk_ms"]) == (MINUTE_MS, MINUTE_MS), "his own waiting, on the line"
        assert row["ticket_no"]


@pytest.mark.parametrize("end", ["no-answer", "busy", "mailbox", "silence", "never reported"])
async def test_nobody_there_costs_a_try_and_frees_the_agent(runtime: Runtime, end: str) -> None:
    async with open_house(runtime, "power") as house:
        began_ms = await ask(house, "CA1", LIN)
        await house.agent("wang", "王敏")
        for tried in (1, 2, 3):
            customer = await accept(house)
            if end == "mailbox":
                await customer.press(await customer.lift(), "")
            elif end == "silence":
                await customer.lift()
                await customer.report("completed")
            elif end == "never reported":
                pass_by(house, 2 * MINUTE_MS)
                await tick(house)
            else:
                await customer.report(end)
            desk = await house.hotline.switchboard.desk_state(agent_id="wang")
            assert desk is not None
            assert desk.state == "ready"
            call = await house.facts_of("CA1")
            assert call.queued_ms == began_ms
            assert call.state == ("resting" if tried < 3 else "ended")
            await tick(house)
            pass_by(house, 10 * MINUTE_MS)
        assert await outcome_of(house, "CA1") == ("callback", "failed", 3)
        assert await house.rows("tickets", call_id="CA1"), "the promise we did not keep is somebody's work"


async def test_the_key_decides_between_the_called_and_the_calling(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await wait_in_queue(house, "CA0", HE)
        pass_by(house, 1_000)
        await ask(house, "CA1", LIN)
        await wait_in_queue(house, "CA2", CHEN)
        await tick(house)
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA0", "who waited before him goes first"
        await house.agent("li", "李雷")
        assert await house.offered_to("li") == "CA1", "and he before who came after"


async def test_who_rings_again_takes_over_his_own_place(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        began_ms = await ask(house, "CA1", LIN)
        pass_by(house, 10 * MINUTE_MS)
        await wait_in_queue(house, "CA2", LIN)
        assert (await house.facts_of("CA2")).queued_ms == began_ms
        assert await outcome_of(house, "CA1") == ("callback", "joined", 0)
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA2"
        assert telephony(house).placed[-1].to == "client:wang", "he is on the line: nobody rings him"


async def test_one_promise_for_a_customer_and_one_call_at_a_time(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await ask(house, "CA1", LIN)
        await house.agent("wang", "王敏")
        customer = await accept(house)
        await wait_in_queue(house, "CA2", LIN)
        await customer.report("busy")
        assert await outcome_of(house, "CA1") == ("callback", "joined", 1)
        await tick(house)
        assert [leg.to for leg in telephony(house).placed if leg.to == LIN] == [LIN]


async def test_in_quiet_hours_nobody_is_called(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        pass_by(house, int(11.75 * 60) * MINUTE_MS)
        began_ms = await ask(house, "CA1", LIN)
        await tick(house)
        assert (await house.facts_of("CA1")).state == "queued"
        pass_by(house, 15 * MINUTE_MS)
        await tick(house)
        assert (await house.facts_of("CA1")).state == "resting", "21:01"
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == ""
        pass_by(house, 11 * 60 * MINUTE_MS)
        await tick(house)
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms) == ("offered", began_ms)


async def test_a_promise_ends_after_a_day(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await ask(house, "CA1", LIN)
        await tick(house)
        pass_by(house, 24 * 60 * MINUTE_MS)
        await tick(house)
        assert await outcome_of(house, "CA1") == ("callback", "failed", 0)


async def test_who_withholds_his_number_is_not_offered_a_call(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        waiting = await wait_in_queue(house, "CA1", "anonymous")
        pass_by(house, 2 * MINUTE_MS)
        assert "Gather" not in (await house.hotline.caller("CA1", "anonymous").wait(waiting)).verbs


async def test_the_agent_who_leaves_while_it_rings_costs_the_customer_nothing(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        began_ms = await ask(house, "CA1", LIN)
        await house.agent("wang", "王敏")
        customer = await accept(house)
        offer_id = (await house.facts_of("CA1")).offer_id
        await house.hotline.switchboard.requeue_call(call_id="CA1", offer_id=offer_id)
        assert "我们稍后再给您回电" in (await customer.lift()).said
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms) == ("queued", began_ms)
        await tick(house)
        assert customer.leg.leg_id in telephony(house).hung_up


async def test_who_is_declined_after_his_queue_was_closed_rests_until_it_is_open(runtime: Runtime) -> None:
    """An agent was being rung for him when the supervisor closed it for those who wait as well."""
    async with open_house(runtime, "power") as house:
        began_ms = await ask(house, "CA1", LIN)
        board = house.hotline.switchboard
        await house.agent("wang", "王敏")
        assert await house.offered_to("wang") == "CA1"
        queue = (await house.facts_of("CA1")).queue
        assert await board.close_queue(queue=queue, leads=True, by="boss") == "ok"
        await house.agent("li", "李雷")
        await board.decline_offer(offer_id="CA1-1")
        await tick(house)
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms) == ("resting", began_ms)
        assert await board.open_queue(queue=queue, by="boss") == "ok"
        assert await house.offered_to("li") == "CA1"
