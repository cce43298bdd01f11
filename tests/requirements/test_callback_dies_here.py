"""The steps of a callback at which a process may die, by agent and by customer first: what he hears, who finds it.

The agent is first at the power supplier's, the customer at the retail supplier's. A performer that dies has claimed
its effect, and perhaps placed the leg; the next dispatcher recalls what it held.
"""

from typing import Final

import pytest

from config.runtime import Runtime
from queues.dispatcher import Dispatcher
from tests.requirements.house import House, open_house
from tests.requirements.test_r27_callback import (
    CHEN,
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

SITES: Final = ("power", "retail")


async def about_to_dial(house: House) -> str:
    """An agent is there, or free, and the customer's leg is due; the try's offer."""
    await tick(house)
    await house.agent("wang", "王敏")
    board = house.hotline.switchboard
    claim = await board.claim_offer(
        call_id="CA1", agent_id="wang", turn=(await board.snapshot()).turn, why={"rule": "key"}
    )
    offer_id = (await house.facts_of("CA1")).offer_id
    if claim.effect is not None:  # the agent is first: he takes it
        await board.finish_effect(effect_id=claim.effect.effect_id)
        await board.accept_offer(offer_id=offer_id, leg_id="CAwang")
    return str(offer_id)


async def dies_dialling(house: House, offer_id: str, *, has_placed: bool) -> None:
    """It had the effect in hand; nobody acknowledges it, and the next one takes over."""
    board, links = house.hotline.switchboard, house.runtime.links
    (effect,) = await board.claim_effects()
    assert effect.effect_id == f"dial:{offer_id}"
    if has_placed:
        numbers = house.runtime.settings.hotline_numbers
        await telephony(house).place(
            to=LIN,
            from_=numbers["main"],
            url=links.url("voice_customer", offer_id=offer_id),
            status_url=links.url("voice_customer_status", offer_id=offer_id),
            timeout_s=25,
            fallback_url="",
        )
    house.dispatcher = Dispatcher.of(house.runtime)
    await house.dispatcher.lead()
    await tick(house)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("has_placed", [False, True], ids=["before the dial", "before its acknowledgement"])
async def test_the_next_dispatcher_dials_once(runtime: Runtime, site: str, has_placed: bool) -> None:
    async with open_house(runtime, site) as house:
        began_ms = await ask(house, "CA1", LIN)
        offer_id = await about_to_dial(house)
        await dies_dialling(house, offer_id, has_placed=has_placed)
        (leg,) = [each for each in telephony(house).placed if each.to == LIN]
        customer = CalledBack(house, leg)
        await customer.press(await customer.lift(), "1")
        call = await house.facts_of("CA1")
        assert (call.state, call.leg_id) == ("connected" if site == "power" else "queued", leg.leg_id)
        assert call.queued_ms == began_ms


@pytest.mark.parametrize("site", SITES)
async def test_a_try_at_which_nobody_was_there_to_ring_him_does_not_count(
    runtime: Runtime, site: str
) -> None:
    """The only dispatcher was away until the time of the try was up: his phone never rang."""
    async with open_house(runtime, site) as house:
        began_ms = await ask(house, "CA1", LIN)
        await about_to_dial(house)
        pass_by(house, 3 * MINUTE_MS)
        await tick(house)
        await tick(house)
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms) == ("offered" if site == "power" else "calling", began_ms)
        await house.write_down()
        (row,) = await house.rows("calls", "tries", "missed", call_id="CA1")
        assert ((row["tries"] or 0), row["missed"]) == (0, "unrung")


@pytest.mark.parametrize("site", SITES)
async def test_a_second_leg_is_told_the_truth_and_changes_nothing(runtime: Runtime, site: str) -> None:
    """Its answer to our request was lost; the first one's phone rings already."""
    async with open_house(runtime, site) as house:
        await ask(house, "CA1", LIN)
        offer_id = await about_to_dial(house)
        await tick(house)
        customer = CalledBack(house, next(each for each in telephony(house).placed if each.to == LIN))
        about = {"CallSid": "CAsecond", "To": LIN, "Direction": "outbound-api", "CallStatus": "in-progress"}
        second = await house.hotline.post(customer.leg.url, **about)
        assert "Hangup" in second.verbs
        gone = await house.hotline.post(f"/voice/customer/{offer_id}/join", **about, Digits="1")
        assert "Hangup" in gone.verbs
        await house.hotline.post(customer.leg.status_url, **{**about, "CallStatus": "completed"})
        assert (await house.facts_of("CA1")).state == ("connecting" if site == "power" else "calling")
        greeting = await customer.lift()
        assert "请按1" in greeting.said


@pytest.mark.parametrize("site", SITES)
async def test_the_answer_to_his_key_was_lost_and_the_safe_document_asks_again(
    runtime: Runtime, site: str
) -> None:
    async with open_house(runtime, site) as house:
        await ask(house, "CA1", LIN)
        offer_id = await about_to_dial(house)
        await tick(house)
        customer = CalledBack(house, next(each for each in telephony(house).placed if each.to == LIN))
        await customer.lift()
        asked = await customer.post(f"/voice/customer/{offer_id}/join?r=1")
        assert "请按1" in asked.said, "the script did not run: asked again, no try"
        first = await customer.press(asked, "1")
        again = await customer.post(f"/voice/customer/{offer_id}/join?r=1")
        assert again.verbs[-1] == first.verbs[-1], "the script ran: he is where it led him"
        front = await customer.post("/voice/incoming?r=1")
        assert front.verbs[-1] == first.verbs[-1], (
            "and so he is at the front door, by the provider's fallback"
        )


@pytest.mark.parametrize("site", SITES)
async def test_the_hang_up_after_he_asked_is_lost_and_the_deadline_wakes_him(
    runtime: Runtime, site: str
) -> None:
    async with open_house(runtime, site) as house:
        caller, enqueued = house.hotline.caller("CA1", LIN), await wait_in_queue(house, "CA1", LIN)
        pass_by(house, MINUTE_MS)
        await caller.press(await caller.wait(enqueued), "1")
        await house.agent("wang", "王敏")
        await tick(house)
        assert (await house.facts_of("CA1")).state == "resting", (
            "nobody rings who may still be listening to us"
        )
        pass_by(house, 31_000)
        await tick(house)
        assert (await house.facts_of("CA1")).state == ("offered" if site == "power" else "calling")


@pytest.mark.parametrize("site", SITES)
async def test_a_queue_closed_for_who_waits_keeps_its_promises_until_it_is_open_again(
    runtime: Runtime, site: str
) -> None:
    async with open_house(runtime, site) as house:
        began_ms = await ask(house, "CA1", LIN)
        await tick(house)
        queue = (await house.facts_of("CA1")).queue
        chief = await house.enter("chief", "supervisor")
        form = {"act": "close", "leads": "1", "reason": "fire drill"}
        closed = await chief.send(f"/queues/{queue}/hours", form)
        assert closed.headers["location"] == "/queues?done=close_led"
        assert "Promised callbacks keep their places" in (await chief.open("/queues?done=close_led")).text
        await house.agent("wang", "王敏")
        await tick(house)
        assert (await house.facts_of("CA1")).state == "resting"
        assert telephony(house).placed == [], "nobody is called to a closed queue"
        await chief.send(f"/queues/{queue}/hours", {"act": "open"})
        await tick(house)
        call = await house.facts_of("CA1")
        assert (call.state, call.queued_ms) == ("offered" if site == "power" else "calling", began_ms)


@pytest.mark.parametrize("site", SITES)
async def test_who_is_forgotten_while_he_is_rung_is_not_rung_again(runtime: Runtime, site: str) -> None:
    async with open_house(runtime, site) as house:
        await ask(house, "CA1", LIN)
        await about_to_dial(house)
        await tick(house)
        customer = CalledBack(house, next(each for each in telephony(house).placed if each.to == LIN))
        ref = (await house.facts_of("CA1")).caller_ref
        assert await house.hotline.switchboard.forget_caller(caller_ref=ref) == "ok"
        await customer.report("no-answer")
        assert await outcome_of(house, "CA1") == ("callback", "failed", 1)


@pytest.mark.parametrize("site", SITES)
async def test_a_second_promise_in_a_queue_goes_with_the_older_place(runtime: Runtime, site: str) -> None:
    """He waits in another queue too, is moved by hand to the one that has promised him a call, and asks there."""
    async with open_house(runtime, site) as house:
        began_ms = await ask(house, "CA1", LIN)
        await tick(house)
        queue = (await house.facts_of("CA1")).queue
        board = house.hotline.switchboard
        board_lane = house.plan.lane_in("complaint", await lane_of(house, "CA1"), "zh-CN")
        await house.call("CA2", LIN)
        await board.enqueue_call(
            call_id="CA2", queue="complaint", matter="complaint", tier="", lane=board_lane
        )
        there = house.plan.lane_in(queue, board_lane, "zh-CN")
        moved = await board.relane_call(
            call_id="CA2", from_lane_id=board_lane.lane_id, lane=there, is_raised=False, by="chief"
        )
        assert moved.word == "ok"
        assert (await board.ask_callback(call_id="CA2")).word == "ok"
        await board.end_call(call_id="CA2", by="caller", leg_id="CA2")
        await tick(house)
        assert await outcome_of(house, "CA2") == ("callback", "joined", 0)
        assert (await house.facts_of("CA1")).queued_ms == began_ms
        await wait_in_queue(house, "CA3", CHEN)
        await house.agent("wang", "王敏")
        await tick(house)
        assert (await house.facts_of("CA1")).state == ("offered" if site == "power" else "calling")


async def lane_of(house: House, call_id: str) -> object:
    place = await house.hotline.switchboard._store.read_place(call_id)
    assert place is not None
    return place.lane
