"""Whole calls, webhook by webhook: what everybody hears, and what remains of the call."""

import json
from typing import Any

import pytest

from tests.doubles import ManualClock
from tests.traces.hotline import OTHER_CALLER, Agent, Hotline


async def lanes(hotline: Hotline) -> list[dict[str, Any]]:
    """The lanes in which somebody waits."""
    found: dict[str, str] = await hotline.runtime.redis.hgetall("{power}:lanes")
    return [json.loads(lane) for _, lane in sorted(found.items())]


async def test_a_power_cut_from_greeting_to_goodbye(hotline: Hotline, clock: ManualClock) -> None:
    caller = hotline.caller()
    greeting = await caller.dial()
    assert greeting.verbs == ["Gather", "Redirect"]
    assert greeting.said.startswith("您好，欢迎致电示例供电24小时供电服务热线。")
    advice = await caller.press(greeting, "1")
    assert advice.said.startswith("请您注意安全")
    enqueued = await caller.press(await caller.press(advice, "2"), "#")
    assert (enqueued.verbs, enqueued.root.findtext("Enqueue")) == (["Say", "Enqueue"], "power")
    waiting = await caller.wait(enqueued)
    assert waiting.said == "座席正忙，您的停电报修已登记，编号T 0 0 0 0 0 1。您排在第1位，请不要挂机。"
    assert waiting.verbs == ["Say", "Play", "Redirect"]

    agent = await hotline.agent("wang")
    clock.advance(22_000)
    await agent.offer("CA1")
    await agent.report("ringing")
    whisper = await agent.answer()
    assert whisper.said == "居民客户，停电报修，已等候22秒。"
    assert (await agent.join(whisper)).conference == "CA1-1"
    assert (await caller.wait(waiting)).said == "正在为您接通，请稍候。"
    assert (await caller.leave_queue(enqueued, "redirected")).verbs == []
    met = await caller.connect(agent.offer_id)
    assert met.conference == "CA1-1"
    assert await hotline.state_of("CA1") == "connected"

    clock.advance(60_000)
    assert (await caller.after(met, "completed")).verbs[-1] == "Hangup"
    await caller.report_end()
    await agent.report("completed")
    assert await hotline.state_of("CA1") == "ended answered"
    desk = await hotline.switchboard.desk_state(agent_id="wang")
    assert desk is not None
    assert desk.state == "wrap_up"


async def test_the_agent_hangs_up_first_and_the_caller_hears_goodbye(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    joined = await agent.join(await agent.answer())
    met = await caller.connect(agent.offer_id)
    await agent.left(joined, "completed")
    assert (await caller.after(met, "in-progress")).said == "感谢您的来电，祝您生活愉快，再见。"
    call = await hotline.switchboard.read_call(call_id="CA1")
    assert call is not None
    assert (call.state, call.outcome) == ("ended", "answered")


async def test_whoever_hangs_up_in_the_queue_has_abandoned(hotline: Hotline) -> None:
    caller = hotline.caller()
    enqueued = await caller.dial_and_press("2")
    await caller.wait(enqueued)
    await caller.leave_queue(enqueued, "hangup", "completed")
    assert await hotline.state_of("CA1") == "ended abandoned"


async def test_whoever_hangs_up_in_the_menu_has_left_in_the_menu(hotline: Hotline) -> None:
    caller = hotline.caller()
    await caller.dial_and_press("5")
    await caller.report_end()
    assert await hotline.state_of("CA1") == "ended left_in_menu"


async def test_a_phone_must_be_accepted_by_its_key(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("li", "+8657188880001")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    whisper = await agent.answer()
    assert whisper.said == "居民客户，咨询，已等候0秒。 接听请按1。"
    assert (await agent.join(whisper, "1")).conference == "CA1-1"


async def test_another_key_is_a_no_and_the_caller_keeps_his_place(
    hotline: Hotline, clock: ManualClock
) -> None:
    caller, agent = hotline.caller(), await hotline.agent("li", "+8657188880001")
    await caller.dial_and_press("0")
    before = await hotline.switchboard.read_call(call_id="CA1")
    clock.advance(5_000)
    await agent.offer("CA1")
    assert (await agent.join(await agent.answer(), "2")).verbs == ["Hangup"]
    after = await hotline.switchboard.read_call(call_id="CA1")
    assert before is not None
    assert after is not None
    assert (after.state, after.queued_ms) == ("queued", before.queued_ms)


async def test_a_mailbox_is_silent_and_gets_no_caller(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("li", "+8657188880001")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    assert (await agent.join(await agent.answer(), "")).verbs == ["Hangup"]
    assert await hotline.state_of("CA1") == "offered", "its time to accept is not up yet"


@pytest.mark.parametrize(
    ("endpoint", "status", "then"),
    [
        ("client:li", "no-answer", "expired"),
        ("client:li", "busy", "declined"),
        ("+8657188880001", "busy", "unrung"),
        ("+8657188880001", "failed", "unrung"),
    ],
)
async def test_a_phone_that_does_not_answer_gives_the_call_back(
    hotline: Hotline, endpoint: str, status: str, then: str
) -> None:
    caller, agent = hotline.caller(), await hotline.agent("li", endpoint)
    enqueued = await caller.dial_and_press("0")
    offer_id = await agent.offer("CA1")
    await agent.report(status)
    assert await hotline.state_of("CA1") == "queued"
    assert await hotline.runtime.redis.hget(f"{{power}}:offer:{offer_id}", "state") == then
    assert "Play" in (await caller.wait(enqueued)).verbs


async def test_a_caller_who_hangs_up_while_the_phone_rings_leaves_nobody_to_talk_to(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    enqueued = await caller.dial_and_press("0")
    await agent.offer("CA1")
    await agent.report("ringing")
    await caller.leave_queue(enqueued, "hangup", "completed")
    heard = await agent.answer()
    assert (heard.said, heard.verbs) == ("来电者已挂机。", ["Say", "Hangup"])
    assert await hotline.state_of("CA1") == "ended abandoned"


async def test_an_agent_lost_before_the_caller_came_gives_him_his_place_back(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    joined = await agent.join(await agent.answer())
    await agent.left(joined, "completed")
    back = await caller.connect(agent.offer_id)
    assert back.said == "非常抱歉，线路中断。您的位置已保留，我们马上为您重新接通。"
    assert back.verbs == ["Say", "Enqueue"]
    assert await hotline.state_of("CA1") == "queued"


async def test_the_end_of_an_old_leg_does_not_touch_the_next_agents_call(hotline: Hotline) -> None:
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    await first.offer("CA1")
    await first.report("busy")
    await second.offer("CA1")
    await second.join(await second.answer())
    await caller.connect(second.offer_id)
    for news in ("completed", "no-answer", "busy", "ringing"):
        await first.report(news)
    assert await hotline.state_of("CA1") == "connected"


async def stray_reports(hotline: Hotline, agent: Agent, status: str) -> None:
    """News of a second leg to the same phone, placed because the answer to the first was lost."""
    about = {**agent.about, "CallSid": "CAstray"}
    await hotline.post(f"/voice/agent/{agent.offer_id}/status", **about, CallStatus=status)


@pytest.mark.parametrize("endpoint", ["client:wang", "+8657188880001"])
@pytest.mark.parametrize("status", ["busy", "canceled", "no-answer", "failed", "completed"])
async def test_the_end_of_a_second_leg_does_not_end_the_ringing_of_the_first(
    hotline: Hotline, endpoint: str, status: str
) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang", endpoint)
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    await agent.report("ringing")
    await stray_reports(hotline, agent, status)
    assert await hotline.state_of("CA1") == "offered"
    await agent.join(await agent.answer(), "1")
    await caller.connect(agent.offer_id)
    assert await hotline.state_of("CA1") == "connected"


@pytest.mark.parametrize("has_caller_come", [False, True])
async def test_the_end_of_a_second_leg_does_not_end_the_conversation_on_the_first(
    hotline: Hotline, has_caller_come: bool
) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang", "+8657188880001")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    joined = await agent.join(await agent.answer(), "1")
    if has_caller_come:
        await caller.connect(agent.offer_id)
    before = await hotline.state_of("CA1")
    stray = Agent(hotline, "wang", agent.endpoint, agent.offer_id, "CAstray")
    assert (await stray.answer()).said == "来电者已挂机。"
    await stray.left(joined, "completed")
    await stray.report("completed")
    assert await hotline.state_of("CA1") == before


async def test_a_leg_hung_up_as_the_second_does_not_unring_the_first(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    board = hotline.switchboard
    claim = await board.claim_offer(
        call_id="CA1", agent_id="wang", turn=(await board.snapshot()).turn, why={}
    )
    assert claim.offer_id
    agent.offer_id, agent.leg_id = claim.offer_id, "CAfirst"
    await agent.report("ringing")
    assert (await board.ring_offer(offer_id=claim.offer_id, leg_id="CAstray")).word == "gone"
    await stray_reports(hotline, agent, "canceled")
    assert await hotline.state_of("CA1") == "offered"


async def test_outside_office_hours_a_message_is_taken(hotline: Hotline, clock: ManualClock) -> None:
    clock.advance(9 * 3_600_000)  # 18:00
    caller = hotline.caller()
    record = await caller.dial_and_press("3")
    assert record.verbs == ["Say", "Record", "Redirect"]
    assert record.url("Record", "recordingStatusCallback").endswith("/recordings/callback/CA1/voicemail")
    assert await hotline.state_of("CA1") == "messaging"
    thanks = await caller.post(
        record.url("Record", "action"), RecordingUrl="https://x/RE1", RecordingDuration="9", Digits="#"
    )
    assert thanks.said == "您的留言已收到，感谢您的来电，再见。"
    await caller.report_end()
    assert await hotline.state_of("CA1") == "ended voicemail"


async def test_without_a_message_the_closed_desk_ends_the_call_as_closed(
    hotline: Hotline, clock: ManualClock
) -> None:
    clock.advance(9 * 3_600_000)
    caller = hotline.caller()
    record = await caller.dial_and_press("3")
    assert (await caller.post(record.url("Redirect"))).said == "感谢您的来电，祝您生活愉快，再见。"
    await caller.report_end()
    assert await hotline.state_of("CA1") == "ended closed"


async def test_whoever_refuses_recording_is_connected_without_it(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("80")
    await agent.offer("CA1")
    await agent.join(await agent.answer())
    await caller.connect(agent.offer_id)
    effects = await hotline.switchboard.claim_effects()
    assert [effect.kind for effect in effects if effect.kind == "record"] == []
    call = await hotline.switchboard.read_call(call_id="CA1")
    assert call is not None
    assert call.record == "refused"


async def test_a_full_queue_sends_the_caller_back_and_not_without_end(hotline: Hotline) -> None:
    caller = hotline.caller()
    heard = await caller.dial_and_press("0")
    for _ in range(5):
        back = await caller.leave_queue(heard, "queue-full")
        assert back.verbs == ["Pause", "Redirect"]
        heard = await caller.post(back.url("Redirect"))
        assert heard.verbs == ["Enqueue"]
    assert (await caller.leave_queue(heard, "queue-full")).verbs == ["Dial"], "the duty phone"
    assert await hotline.state_of("CA1") == "messaging", "and no agent is rung for him any more"


async def test_an_english_caller_is_spoken_to_in_english_to_the_end(hotline: Hotline) -> None:
    caller = hotline.caller()
    enqueued = await caller.dial_and_press("90")
    assert enqueued.said == "We are connecting you to an agent. Please hold."
    assert (await caller.wait(enqueued)).said.startswith("All agents are busy.")
    assert [lane["needs"] for lane in await lanes(hotline)] == [["english", "general"]]


async def test_danger_is_queued_before_everybody(hotline: Hotline) -> None:
    await hotline.caller("CA1").dial_and_press("0")
    await hotline.caller("CA2", OTHER_CALLER).dial_and_press("11")
    assert {lane["queue"]: lane["is_safety"] for lane in await lanes(hotline)} == {
        "general": False,
        "outage": True,
    }


async def test_a_caller_who_comes_back_goes_on_where_he_was(hotline: Hotline, clock: ManualClock) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    greeting = await caller.dial()
    assert (await caller.dial()).text == greeting.text
    submenu = await caller.press(greeting, "5")
    assert (await caller.dial()).said == submenu.said
    enqueued = await caller.press(submenu, "1")
    for _ in range(2):
        assert (await caller.dial()).verbs == ["Enqueue"]
    await agent.offer("CA1")
    assert (await caller.dial()).verbs == ["Enqueue"]
    await agent.join(await agent.answer())
    assert (await caller.dial()).verbs == ["Enqueue"]
    met = await caller.connect(agent.offer_id)
    assert (await caller.dial()).text == met.text
    await caller.after(met, "completed")
    assert (await caller.dial()).verbs == ["Say", "Hangup"]
    assert enqueued.verbs == ["Say", "Enqueue"]


async def test_a_caller_who_comes_back_to_a_conversation_is_looked_after_at_once(
    hotline: Hotline, clock: ManualClock
) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    await agent.join(await agent.answer())
    await caller.connect(agent.offer_id)
    silent = {"silent_ms": 120_000, "talking_ms": 600_000}
    assert (await caller.post("/voice/incoming")).conference == "CA1-1"
    assert await hotline.switchboard.silent_calls(**silent) == []
    assert (await caller.post("/voice/incoming?r=1")).conference == "CA1-1"
    assert await hotline.switchboard.silent_calls(**silent) == ["CA1"]


async def test_an_agent_who_comes_back_by_the_fallback_goes_on_where_he_was(hotline: Hotline) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang", "+8657188880001")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    assert "Gather" in (await agent.post("/voice/incoming?r=1")).verbs
    assert await hotline.state_of("CA1") == "offered"
    await agent.join(await agent.answer(), "1")
    assert (await agent.post("/voice/incoming?r=1")).conference == "CA1-1"
    await caller.connect(agent.offer_id)
    assert (await agent.post("/voice/incoming?r=1")).conference == "CA1-1"
    await caller.report_end()
    assert (await agent.post("/voice/incoming?r=1")).said == "来电者已挂机。"
    stranger = Agent(hotline, "wang", agent.endpoint, leg_id="CAstranger")
    assert (await stranger.post("/voice/incoming")).said == "来电者已挂机。"
    assert await hotline.state_of("CAstranger") == "unknown"


async def test_a_call_whose_first_webhook_never_came_is_recorded_at_its_end(hotline: Hotline) -> None:
    caller = hotline.caller()
    await caller.report_end()
    assert await hotline.state_of("CA1") == "ended left_in_menu"
    assert (await caller.dial()).verbs == ["Say", "Hangup"], "the first webhook comes after the last"


async def test_a_number_that_is_withheld_is_welcome(hotline: Hotline) -> None:
    caller = hotline.caller(from_="anonymous")
    await caller.dial()
    call = await hotline.switchboard.read_call(call_id="CA1")
    assert call is not None
    assert (call.caller_ref, call.line) == ("withheld", "main")


async def test_what_is_not_signed_is_not_heard(hotline: Hotline) -> None:
    answer = await hotline.client.post("/voice/incoming", data={"CallSid": "CA1"})
    assert (answer.status_code, answer.text) == (403, "")
    assert await hotline.state_of("CA1") == "unknown"


async def test_the_hold_tone_is_a_sound(hotline: Hotline) -> None:
    answer = await hotline.client.get("/voice/hold.wav")
    assert (answer.status_code, answer.headers["content-type"], answer.content[:4]) == (
        200,
        "audio/wav",
        b"RIFF",
    )
