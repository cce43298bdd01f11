"""R27, customer first: he is rung before an agent is held, and waits on the line at his place until one comes.

The retail hotline calls back so. What must hold: an agent stays free while the customer is rung; nobody is rung for
whom no agent is free; whoever lifts and presses the key hears the documents of whoever waits, never nothing.
"""

from random import Random

import pytest

from config.runtime import Runtime
from queues.service.live_changes import LiveChanges
from tests.requirements.house import House, open_house
from tests.requirements.test_r27_callback import (
    CHEN,
    HE,
    LIN,
    MINUTE_MS,
    CalledBack,
    ask,
    outcome_of,
    pass_by,
    telephony,
    tick,
    wait_in_queue,
)
from tests.traces.hotline import Heard


async def rung(house: House) -> CalledBack:
    """The dispatcher looks: the customer's phone rings, and no agent's."""
    await tick(house)
    leg = telephony(house).placed[-1]
    assert leg.to == LIN
    return CalledBack(house, leg)


async def is_free(house: House, agent_id: str) -> bool:
    desk = await house.hotline.switchboard.desk_state(agent_id=agent_id)
    return desk is not None and desk.state == "ready"


async def accepts(house: House, agent_id: str) -> str:
    """The agent takes what his browser rings for; the room he is in."""
    await tick(house)
    leg = telephony(house).placed[-1]
    assert leg.to == f"client:{agent_id}"
    about = {"CallSid": leg.leg_id, "From": leg.from_, "To": leg.to, "Direction": "outbound-api"}
    whisper = await house.hotline.post(leg.url, **about, CallStatus="in-progress")
    joined = await house.hotline.post(whisper.url("Redirect"), **about, CallStatus="in-progress")
    await tick(house)
    return joined.conference or ""


async def is_pulled(house: House, customer: CalledBack) -> Heard:
    """The provider takes the customer out of its queue, and asks what he hears now."""
    _, leg_id, url = telephony(house).pulled[-1]
    assert leg_id == customer.leg.leg_id, "his own leg, not the one he asked on"
    return await customer.post(url)


@pytest.mark.parametrize("course", ["once", "doubled", "late"])
async def test_he_is_rung_waits_on_the_line_talks_and_is_put_through(runtime: Runtime, course: str) -> None:
    async with open_house(runtime, "retail") as house:
        began_ms = await ask(house, "CA1", LIN)
        await wait_in_queue(house, "CA2", CHEN)
        house.hotline.doubled = course == "doubled"
        await house.agent("wang", "王敏")
        customer = await rung(house)
        assert (await house.facts_of("CA1")).state == "calling"
        assert await house.offered_to("wang") == "CA2", (
            "nobody is held for him: the agent takes who is on the line"
        )
        greeting = await customer.lift()
        assert "请按1" in greeting.said
        if course == "late":  # the first news of his leg come last, and say nothing any more
            house.hotline.late = Random(7)
        await house.hotline.report(
            customer.leg.status_url, CallSid=customer.leg.leg_id, CallStatus="ringing", To=LIN
        )
        waiting = await customer.press(greeting, "1")
        assert ("正在为您接通" in waiting.said, waiting.verbs[-1]) == (True, "Enqueue")
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms, call.leg_id) == ("queued", began_ms, customer.leg.leg_id)
        on_the_wall = (await house.hotline.switchboard.wall_state()).waiting
        assert [(each.waiting, each.callbacks) for each in on_the_wall] == [(2, 0)], (
            "he is on the line, as CA2 is"
        )
        heard = await customer.post(waiting.url("Enqueue", "waitUrl"))
        assert "Gather" not in heard.verbs, "he is called back: nothing is offered to him"
        assert "Play" in heard.verbs
        old_line = house.hotline.caller("CA1", LIN)
        assert "Hangup" in (await old_line.post("/voice/wait?l=zh-CN&n=9")).verbs, "that line is not he"
        await house.agent("li", "李雷")
        room = await accepts(house, "li")
        talking = await is_pulled(house, customer)
        assert (talking.conference, (await house.facts_of("CA1")).callback) == (room, "kept")
        await house.hotline.settle()
        house.hotline.late = None
        await tick(house)
        assert customer.leg.leg_id not in telephony(house).hung_up, "late news of his leg end nothing"
        assert telephony(house).recorded[-1][0] == customer.leg.leg_id
        await is_held_and_put_through(house, customer, talking, room)
        await customer.report("completed")
        await tick(house)
        assert await outcome_of(house, "CA1") == ("callback", "kept", 0)


async def is_held_and_put_through(house: House, customer: CalledBack, talking: Heard, room: str) -> None:
    """As with any caller: held, a colleague asked about him, and put through to another queue."""
    board = house.hotline.switchboard
    assert (await board.hold_call(call_id="CA1", agent_id="li", is_held=True)).word == "ok"
    await tick(house)
    assert telephony(house).held[-1] == (room, customer.leg.leg_id, True)
    await house.agent("zhao", "赵云")
    assert (await board.consult_agent(call_id="CA1", agent_id="li", colleague="zhao")).word == "ok"
    assert (await board.hold_call(call_id="CA1", agent_id="li", is_held=False)).word == "ok"
    await tick(house)
    assert (await board.transfer_call(call_id="CA1", agent_id="li", queue="complaint")).word == "ok"
    back = await customer.post(talking.url("Dial", "action"), DialCallStatus="answered")
    assert back.verbs == ["Say", "Enqueue"]
    telephony(house).pulled.clear()  # he is in the provider's queue again
    waiting = await customer.post(back.url("Enqueue", "waitUrl"))
    assert "Play" in waiting.verbs
    assert await accepts(house, "zhao") != room
    again = await is_pulled(house, customer)
    assert again.conference == (await house.facts_of("CA1")).room
    assert (await house.facts_of("CA1")).agent_id == "zhao"


@pytest.mark.parametrize(
    "end", ["no-answer", "mailbox", "never reported", "left", "left while it rings", "line lost"]
)
async def test_nobody_there_is_a_try_and_costs_no_agent(runtime: Runtime, end: str) -> None:
    async with open_house(runtime, "retail") as house:
        began_ms = await ask(house, "CA1", LIN)
        await house.agent("wang", "王敏")
        customer, idle = await rung(house), dict(await idle_since(house))
        pass_by(house, 1_000)
        assert await is_free(house, "wang")
        if end == "no-answer":
            await customer.report("no-answer")
        elif end == "mailbox":
            await customer.press(await customer.lift(), "")
        elif end == "never reported":
            pass_by(house, 2 * MINUTE_MS)
            await tick(house)
        else:
            waiting = await customer.press(await customer.lift(), "1")
            if end == "left while it rings":
                assert await house.offered_to("wang") == "CA1"
            if end == "line lost":  # the hang-up was never told; the watch asks after his own leg
                await customer.report("ringing")
                await house.hotline.switchboard.doubt_call(call_id="CA1")
                house.dispatcher._watch_at_ms = 0
                await tick(house)
            else:
                await customer.post(
                    waiting.url("Enqueue", "action"), "completed", QueueResult="hangup", QueueTime="3"
                )
                await customer.report("completed")
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms, call.leg_id) == ("resting", began_ms, "")
        await tick(house)
        assert await is_free(house, "wang")
        assert dict(await idle_since(house)) == idle, "he is not to blame: his idle time runs on"
        (row,) = await told_of(house)
        assert (row["tries"], row["missed"]) == (
            1,
            "left" if end.startswith(("left", "line")) else row["missed"],
        )
        assert [leg.to for leg in telephony(house).placed].count(LIN) == 1, "not again before its time"


async def idle_since(house: House) -> list[tuple[str, int]]:
    """Who is ready, and since when."""
    pools = (await house.hotline.switchboard.snapshot()).pools
    return [(agent_id, idle_ms) for pool in pools for idle_ms, agent_id in pool.agents]


async def told_of(house: House) -> list[dict[str, object]]:
    await house.settle()
    return await house.rows("calls", "tries", "missed", call_id="CA1")


async def test_no_more_customers_are_rung_than_agents_are_free(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await ask(house, "CA1", LIN)
        await ask(house, "CA2", CHEN)
        await house.agent("wang", "王敏")
        customer = await rung(house)
        await tick(house)
        assert [leg.to for leg in telephony(house).placed] == [LIN], "one agent is free: one customer is rung"
        await customer.press(await customer.lift(), "1")
        assert await house.offered_to("wang") == "CA1"
        await wait_in_queue(house, "CA3", HE)
        await house.agent("li", "李雷")
        await tick(house)
        assert [leg.to for leg in telephony(house).placed if leg.to.startswith("+")] == [LIN, CHEN]
        assert await house.offered_to("li") == "CA3", (
            "who is on the line does not wait for one who is only rung"
        )


async def test_a_promise_that_failed_says_after_how_many_tries_and_why(runtime: Runtime) -> None:
    """On the pages of the call and of its ticket, in both languages."""
    async with open_house(runtime, "retail") as house:
        await ask(house, "CA1", LIN)
        await house.agent("wang", "王敏")
        for end in ("no-answer", "busy", "no-answer"):
            await (await rung(house)).report(end)
            pass_by(house, 10 * MINUTE_MS)
        assert await outcome_of(house, "CA1") == ("callback", "failed", 3)
        (row,) = await house.rows("calls", "ticket_no", "missed", call_id="CA1")
        assert row["missed"] == "unanswered"
        for locale, told in (
            ("en", "not reached (3 tries; at last: no answer)"),
            ("zh", "3次未接通；最后一次：无人接听"),
        ):
            reader = await house.enter(f"chief-{locale}", "supervisor", locale=locale)
            pages = ["/calls/CA1", *([f"/tickets/{row['ticket_no']}"] if row["ticket_no"] else [])]
            for path in pages:
                assert told in (await reader.open(path)).text, path


async def test_a_promise_whose_customer_is_engaged_costs_nobody_his_turn(runtime: Runtime) -> None:
    """His other one is tried: it rests, and the look goes on without it. Seeds 5 and 7 of the days."""
    async with open_house(runtime, "retail") as house:
        await ask(house, "CA1", LIN)
        await tick(house)
        changes = LiveChanges(house.runtime, house.hotline.switchboard, "chief")
        (waiting,) = (await house.hotline.switchboard.queue_board()).waiting
        assert await changes.move_call("CA1", waiting.lane_id, "complaint", "x") == "ok"
        await ask(house, "CA2", LIN)
        await ask(house, "CA3", CHEN)
        await house.agent("wang", "王敏")
        await rung(house)
        await wait_in_queue(house, "CA4", HE)
        await house.agent("li", "李雷")
        await tick(house)
        assert [leg.to for leg in telephony(house).placed if leg.to.startswith("+")] == [LIN, CHEN]
