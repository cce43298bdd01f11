"""A caller is put through, webhook by webhook: what everybody hears, and what remains."""

from random import Random

import pytest

from tests.doubles import ManualClock
from tests.traces.hotline import Agent, Caller, Heard, Hotline
from tests.traces.test_twice_and_late import Trace, played


async def talk(caller: Caller, agent: Agent) -> tuple[Heard, Heard]:
    """From the offer to the room."""
    await agent.offer(caller.leg_id)
    joined = await agent.join(await agent.answer(), "1")
    return joined, await caller.connect(agent.offer_id)


async def pass_on(hotline: Hotline, agent: Agent, queue: str = "outage") -> str:
    """What the desk does."""
    reply = await hotline.switchboard.transfer_call(call_id="CA1", agent_id=agent.agent_id, queue=queue)
    return reply.word


async def put_through(hotline: Hotline, clock: ManualClock) -> None:
    """Two agents, one call; the news of the first room come after the second has begun."""
    caller, first = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    clock.advance(10_000)
    joined, met = await talk(caller, first)
    clock.advance(60_000)
    await pass_on(hotline, first)
    waiting = await caller.after(met, "in-progress")
    await first.left(joined, "completed")
    await first.mention("completed")
    await caller.report_conference("participant-leave", first.leg_id)
    await caller.report_conference("participant-leave", caller.leg_id, status="in-progress")
    await caller.report_conference("conference-end", caller.leg_id)
    await caller.wait(waiting)
    second = await hotline.agent("li")
    clock.advance(5_000)
    joined, met = await talk(caller, second)
    await caller.leave_queue(waiting, "redirected")
    clock.advance(30_000)
    await caller.after(met, "completed")
    await second.left(joined, "in-progress")
    await caller.report_conference("participant-leave", caller.leg_id, room="CA1-2")
    await caller.report_end()
    await second.mention("completed")


async def leaves_meanwhile(hotline: Hotline, clock: ManualClock) -> None:
    """He hangs up on the way from one to the other."""
    caller, first = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    joined, met = await talk(caller, first)
    clock.advance(60_000)
    await pass_on(hotline, first)
    await caller.after(met, "completed")
    await first.left(joined, "completed")
    await caller.report_conference("participant-leave", caller.leg_id)
    await caller.report_end()
    await first.mention("completed")


async def ask(hotline: Hotline, colleague: Agent) -> Heard:
    """王 holds the caller and asks; the colleague comes into their room."""
    reply = await hotline.switchboard.consult_agent(
        call_id="CA1", agent_id="wang", colleague=colleague.agent_id
    )
    assert reply.is_ok, reply.word
    colleague.offer_id, colleague.leg_id = "CA1-2", "CAleg-CA1-2"
    await hotline.switchboard.ring_offer(offer_id="CA1-2", leg_id=colleague.leg_id)
    return await colleague.join(await colleague.answer(), "1")


async def handed_over(hotline: Hotline, clock: ManualClock) -> None:
    """He is held, a colleague is asked and takes him: the legs' news come in any order."""
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    joined, met = await talk(caller, first)
    clock.advance(60_000)
    asked = await ask(hotline, second)
    clock.advance(20_000)
    await hotline.switchboard.hand_over_call(call_id="CA1", agent_id="wang")
    led = await caller.after(met, "in-progress")
    own = await second.left(asked, "in-progress")
    await first.left(joined, "completed")
    await first.mention("completed")
    await caller.report_conference("participant-leave", first.leg_id)
    await caller.report_conference("participant-leave", second.leg_id, status="in-progress")
    await caller.report_conference("participant-leave", caller.leg_id, status="in-progress")
    met = await caller.send_on(led)
    clock.advance(30_000)
    await caller.after(met, "completed")
    await second.left(own, "in-progress")
    await caller.report_end()
    await second.mention("completed")


async def agent_is_gone_while_he_holds(hotline: Hotline, clock: ManualClock) -> None:
    """All three tell of it; the caller goes back to his place and is answered again."""
    caller, first = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    joined, met = await talk(caller, first)
    clock.advance(60_000)
    await hotline.switchboard.hold_call(call_id="CA1", agent_id="wang", is_held=True)
    await first.left(joined, "completed")
    await first.mention("completed")
    waiting = await caller.after(met, "in-progress")
    await caller.report_conference("participant-leave", caller.leg_id, status="in-progress")
    second = await hotline.agent("li")
    clock.advance(5_000)
    joined, met = await talk(caller, second)
    await caller.leave_queue(waiting, "redirected")
    await caller.after(met, "completed")
    await second.left(joined, "in-progress")
    await caller.report_end()


async def colleague_is_gone(hotline: Hotline, clock: ManualClock) -> None:
    """The one who was asked hangs up; the first goes back to the caller and ends it with him."""
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    joined, met = await talk(caller, first)
    asked = await ask(hotline, second)
    await second.left(asked, "completed")
    await second.mention("completed")
    await hotline.switchboard.hold_call(call_id="CA1", agent_id="wang", is_held=False)
    clock.advance(9_000)
    await first.left(joined, "completed")
    await caller.after(met, "in-progress")
    await caller.report_end()
    await first.mention("completed")


async def hangs_up_while_held(hotline: Hotline, clock: ManualClock) -> None:
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    joined, met = await talk(caller, first)
    asked = await ask(hotline, second)
    await caller.after(met, "completed")
    await first.left(joined, "in-progress")
    await second.left(asked, "in-progress")
    await caller.report_end()


TRACES: tuple[Trace, ...] = (
    put_through,
    leaves_meanwhile,
    handed_over,
    agent_is_gone_while_he_holds,
    colleague_is_gone,
    hangs_up_while_held,
)


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
async def test_every_webhook_twice_gives_the_same_documents_and_records(
    hotline: Hotline, trace: Trace
) -> None:
    once = await played(hotline, trace)
    hotline.doubled = True
    twice = await played(hotline, trace)
    assert [path for path, first, second in hotline.answers if first != second] == []
    assert twice == once
    assert all(call["state"] == "ended" for call in once["calls"].values())


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
async def test_late_reports_leave_the_same_records(hotline: Hotline, trace: Trace) -> None:
    in_time = await played(hotline, trace)
    for seed in range(6):
        hotline.late = Random(seed)
        late = await played(hotline, trace)
        assert late["calls"] == in_time["calls"], f"seed {seed}"
        assert late["agents"] == in_time["agents"], f"seed {seed}"


async def test_the_caller_hears_that_he_is_put_through_and_waits_at_his_place(
    hotline: Hotline, clock: ManualClock
) -> None:
    caller, first = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    before = await hotline.switchboard.read_call(call_id="CA1")
    assert before is not None
    _, met = await talk(caller, first)
    clock.advance(60_000)
    assert await pass_on(hotline, first) == "ok"
    assert await pass_on(hotline, first) == "again"
    heard = await caller.after(met, "in-progress")
    assert heard.said == "正在为您转接，您的位置已保留，请不要挂机。"
    assert heard.verbs == ["Say", "Enqueue"]
    now = await hotline.switchboard.read_call(call_id="CA1")
    assert now is not None
    assert (now.state, now.queue, now.queued_ms, now.ticket_no, now.tier) == (
        "queued", "outage", before.queued_ms, before.ticket_no, before.tier,
    )  # fmt: skip


async def test_the_second_agent_has_a_room_of_his_own(hotline: Hotline, clock: ManualClock) -> None:
    """He may accept before the first room has ended; and the end of that room says nothing about his."""
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    _, met = await talk(caller, first)
    clock.advance(9_000)
    await pass_on(hotline, first)
    await second.offer("CA1")
    joined = await second.join(await second.answer(), "1")
    assert (met.conference, joined.conference) == ("CA1-1", "CA1-2")
    await caller.wait(await caller.after(met, "in-progress"))
    assert (await caller.connect(second.offer_id)).conference == "CA1-2"
    await caller.report_conference("participant-leave", caller.leg_id)
    assert (await caller.after(met, "in-progress")).conference == "CA1-2", "told twice: he goes where he is"
    assert await hotline.state_of("CA1") == "connected"


async def test_a_line_that_comes_back_while_he_is_put_through_waits_on(hotline: Hotline) -> None:
    """Everything died between: the provider's own document brings him to the front door."""
    caller, first = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    await talk(caller, first)
    await pass_on(hotline, first)
    assert "Enqueue" in (await caller.post("/voice/incoming?r=1")).verbs
    assert await hotline.state_of("CA1") == "queued"


async def test_a_held_line_that_comes_back_is_held_no_more(hotline: Hotline) -> None:
    """He hears the room from then on: the desk says so, and the colleague who was asked about him is gone."""
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    await talk(caller, first)
    await ask(hotline, second)
    assert (await caller.post("/voice/incoming?r=1")).conference == "CA1-1"
    desk = await hotline.switchboard.desk_state(agent_id="wang")
    assert desk
    assert desk.call
    assert (desk.call.state, desk.call.held_ms, desk.call.asked_agent) == ("connected", None, "")
    asked = await hotline.switchboard.desk_state(agent_id="li")
    assert asked
    assert asked.state == "ready"
    assert (await caller.post("/voice/incoming?r=1")).conference == "CA1-1", "told twice"


async def test_a_colleague_who_is_asked_ends_nothing_when_he_goes_and_both_meet_in_his_room(
    hotline: Hotline, clock: ManualClock
) -> None:
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    joined, met = await talk(caller, first)
    asked = await ask(hotline, second)
    rooms = [next(each.root.iter("Conference")) for each in (joined, asked)]
    assert [room.text for room in rooms] == ["CA1-1", "CA1-1"]
    assert [room.attrib["endConferenceOnExit"] for room in rooms] == ["true", "false"]
    assert await hotline.state_of("CA1") == "connected"
    reply = await hotline.switchboard.hand_over_call(call_id="CA1", agent_id="wang")
    assert reply.is_ok
    own = await second.left(asked, "in-progress")
    met = await caller.send_on(await caller.after(met, "in-progress"))
    assert (own.conference, met.conference) == ("CA1-2", "CA1-2")
    assert await hotline.state_of("CA1") == "connected"
    assert (await first.left(joined, "in-progress")).verbs == ["Hangup"]
    assert await hotline.state_of("CA1") == "connected"


async def test_on_hold_he_hears_our_tone_again_and_again(hotline: Hotline) -> None:
    heard = await hotline.caller().post("/voice/held")
    assert heard.verbs == ["Play", "Play", "Redirect"]
    assert heard.url("Redirect").endswith("/voice/held")


async def test_a_colleague_who_hangs_up_before_he_accepts_has_declined(hotline: Hotline) -> None:
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    await talk(caller, first)
    await hotline.switchboard.consult_agent(call_id="CA1", agent_id="wang", colleague="li")
    second.offer_id, second.leg_id = "CA1-2", "CAleg-CA1-2"
    await second.report("ringing")
    await second.answer()
    await second.mention("completed")
    desk = await hotline.switchboard.desk_state(agent_id="li")
    assert desk is not None
    assert desk.state == "ready"
    assert await hotline.state_of("CA1") == "connected"
