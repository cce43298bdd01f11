"""The desk of an agent who puts a caller through: whom he may choose, and what is left of both talks."""

import json
from typing import Any

import pytest

from queues.domain.lanes import Lane
from queues.domain.routing import decide
from queues.service import calls
from queues.service.live_changes import LiveChanges
from queues.service.managers import add_never_route
from queues.service.people import Agent, save_agents
from queues.service.switchboard import COLLEAGUE_MS
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, text_of
from tests.queues.web.test_desk import talk

LI = Agent(agent_id="li", name="李强", skills=("general", "outage"), endpoint="client:li")


@pytest.fixture
async def wang(door: Door) -> Reader:
    wang = await door.agent()
    await wang.post("/desk/presence", presence="ready")
    return wang


async def li_takes(hotline: Hotline, call_id: str = "CA1") -> str:
    """李 takes whoever waits."""
    board = hotline.switchboard
    await board.sign_in(agent_id="li", name=LI.name, skills=LI.skills, endpoint=LI.endpoint)
    await board.set_presence(agent_id="li", presence="ready")
    turn = (await board.snapshot()).turn
    claim = await board.claim_offer(call_id=call_id, agent_id="li", turn=turn, why={})
    assert claim.offer_id, claim.word
    await board.accept_offer(offer_id=claim.offer_id, leg_id="CAli")
    assert (await board.connect_call(call_id=call_id, offer_id=claim.offer_id)).is_ok
    return claim.offer_id


async def test_a_caller_is_put_through_and_both_talks_are_on_the_record(
    wang: Reader, door: Door, hotline: Hotline, clock: Any
) -> None:
    li = await door.agent("li")
    await talk(hotline)
    desk = await wang.get("/desk/state")
    choices = [option["id"] for group in desk["pass"]["groups"] for option in group["options"]]
    assert "queue:general" in choices
    assert "queue:outage" not in choices, "there he is already"
    await wang.post("/desk/note", call_id="CA1", note="变压器跳闸")
    clock.advance(60_000)
    status, told = await wang.post("/desk/transfer", call_id="CA1", to="queue:general")
    assert (status, told["said"], told["desk"]["stage"]) == (200, "已转接，来电者的位置已保留", "wrap_up")
    status, _ = await wang.post("/desk/transfer", call_id="CA1", to="queue:general")
    assert status == 200, "pressed twice it is done once"

    clock.advance(5_000)
    await li_takes(hotline)
    await hotline.scribe.drain()
    seen = await li.get("/desk/state")
    assert seen["stage"] == "talking"
    assert {"label": "王敏", "text": "变压器跳闸"} in seen["hero"]["told"]
    assert seen["work"]["note"] == "", "his own note begins empty"
    assert seen["hero"]["clock"] == {"since_ms": clock.now_ms()}
    await li.post("/desk/note", call_id="CA1", note="已派人")
    await wang.post("/desk/wrap-up", call_id="CA1", disposition="dispatched", note="变压器跳闸，转综合")
    clock.advance(30_000)
    await hotline.end("CA1")
    clock.advance(4_000)
    await li.post("/desk/wrap-up", call_id="CA1", disposition="solved", note="已派人")
    await hotline.scribe.drain()

    names = ("agent_id", "queue", "wait_ms", "ended_as", "disposition", "note")
    assert await hotline.rows("talks", *names) == [
        {"agent_id": "wang", "queue": "outage", "wait_ms": 0, "ended_as": "transferred",
         "disposition": "dispatched", "note": "变压器跳闸，转综合"},
        {"agent_id": "li", "queue": "general", "wait_ms": 5_000, "ended_as": "ended",
         "disposition": "solved", "note": "已派人"},
    ]  # fmt: skip
    (row,) = await hotline.rows(
        "calls", "queue", "wait_ms", "talk_ms", "agent_id", "outcome", "note", "disposition"
    )
    assert row == {
        "queue": "outage", "wait_ms": 0, "talk_ms": 90_000, "agent_id": "li", "outcome": "answered",
        "note": "变压器跳闸，转综合\n已派人", "disposition": "solved",
    }  # fmt: skip
    for agent_id in ("wang", "li"):
        chosen = calls.CallFilter(agent_id=agent_id)
        assert [call.call_id for call in (await calls.list_calls(hotline.runtime, chosen)).calls] == ["CA1"]
    page = text_of(await wang.open("/calls/CA1"))
    assert "各段通话" in page
    assert "等待 0:05，通话 0:30 · 当场解决" in page


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"call_id": "CA1", "to": "queue:nowhere"}, 422, "to"),
        ({"call_id": "CA1", "to": ""}, 422, "to"),
        ({"call_id": "CA9", "to": "queue:general"}, 409, ""),
        ({"to": "queue:general"}, 409, ""),
    ],
)
async def test_a_wrong_choice_puts_nobody_through(
    wang: Reader, hotline: Hotline, values: dict[str, str], status: int, field: str
) -> None:
    await talk(hotline)
    answered, told = await wang.post("/desk/transfer", **values)
    assert (answered, told["field"], told["desk"]["stage"]) == (status, field, "talking")


async def test_a_closed_queue_takes_nobody(wang: Reader, hotline: Hotline, clock: Any) -> None:
    clock.advance(10 * 3_600_000)
    await talk(hotline)
    choices = [
        each["id"] for group in (await wang.get("/desk/state"))["pass"]["groups"] for each in group["options"]
    ]
    closed = [queue.id for queue in hotline.plan.queues.values() if f"queue:{queue.id}" not in choices]
    closed.remove("outage")
    assert closed
    status, told = await wang.post("/desk/transfer", call_id="CA1", to=f"queue:{closed[0]}")
    assert (status, told["field"]) == (422, "to")


async def test_a_queue_that_is_closed_by_hand_takes_nobody(wang: Reader, hotline: Hotline) -> None:
    await talk(hotline)
    boss = LiveChanges(hotline.runtime, hotline.switchboard, "chief")
    assert await boss.close_queue("general", "drill", leads=False) == "ok"
    status, told = await wang.post("/desk/transfer", call_id="CA1", to="queue:general")
    assert (status, told["field"], told["said"]) == (422, "to", "该队列现在不接听来电。")
    groups = told["desk"]["pass"]["groups"]
    assert "queue:general" not in [option["id"] for group in groups for option in group["options"]]
    await boss.open_queue("general")
    status, _ = await wang.post("/desk/transfer", call_id="CA1", to="queue:general")
    assert status == 200


async def test_the_page_without_scripts_puts_through_as_well(wang: Reader, hotline: Hotline) -> None:
    await talk(hotline)
    page = await wang.open("/desk")
    assert '<option value="queue:general">' in page.text
    sent = await wang.send("/desk/transfer", {"call_id": "CA1", "to": "queue:general"})
    assert sent.status_code == 303
    assert (await wang.get("/desk/state"))["stage"] == "wrap_up"


async def test_a_colleague_is_named_and_asked_first(
    wang: Reader, door: Door, hotline: Hotline, clock: Any
) -> None:
    await door.agent("li")
    await talk(hotline)
    assert not [
        group for group in (await wang.get("/desk/state"))["pass"]["groups"] if group["word"] == "同事"
    ]
    people = [
        Agent(agent_id=name, name=name.title(), skills=("outage", "general"), endpoint=f"client:{name}")
        for name in ("zhao", "qian")
    ]
    await save_agents(hotline.runtime, people)
    for each in people:
        await hotline.switchboard.sign_in(
            agent_id=each.agent_id, name=each.name, skills=each.skills, endpoint=each.endpoint
        )
    await hotline.switchboard.set_presence(agent_id="qian", presence="ready")
    door.forget()
    groups = {group["word"]: group["options"] for group in (await wang.get("/desk/state"))["pass"]["groups"]}
    assert groups["同事"] == [
        {"id": "agent:qian", "word": "Qian · 空闲"},
        {"id": "agent:zhao", "word": "Zhao · 示忙"},
    ]
    status, told = await wang.post("/desk/transfer", call_id="CA1", to="agent:li")
    assert (status, told["field"]) == (422, "to"), "he has not the skills"
    clock.advance(90_000)
    status, _ = await wang.post("/desk/transfer", call_id="CA1", to="agent:qian")
    assert status == 200
    (match,) = decide(hotline.plan, await hotline.switchboard.snapshot(), clock.now_ms())
    assert (match.agent_id, match.why["named"]["why"]) == ("qian", "transfer")


async def test_who_is_offered_as_a_colleague_is_decided_as_routing_would(
    wang: Reader, door: Door, hotline: Hotline
) -> None:
    """His language, skills that were lent, seats that are dedicated, and whom he may not meet since a moment ago."""
    board, own = hotline.switchboard, ("english", "general", "outage")
    await board.sign_in(agent_id="wang", name="王敏", skills=own, endpoint="client:wang")
    skills = {"ann": own, "bo": own[1:], "cid": ("general",), "dan": (*own, "@key_customer"), "eve": own}
    for name, has in skills.items():
        await board.sign_in(agent_id=name, name=name.title(), skills=has, endpoint=f"client:{name}")
        await board.set_presence(agent_id=name, presence="ready")
    await hotline.arrive("CA1")
    matter = hotline.plan.matters["power_cut"]
    lane = Lane("outage", "residential", hotline.plan.needs("outage", "en-US"), matter.head_start_ms)
    about = {"call_id": "CA1", "queue": "outage", "matter": "power_cut", "tier": "residential"}
    await board.enqueue_call(**about, lane=lane, locale="en-US")
    await hotline.answer("CA1")
    await hotline.scribe.drain()

    async def colleagues() -> list[str]:
        door.forget()
        groups = (await wang.get("/desk/state"))["pass"]["groups"]
        options = [each["id"] for group in groups for each in group["options"]]
        return [each.removeprefix("agent:") for each in options if each.startswith("agent:")]

    assert await colleagues() == ["ann", "eve"]
    await board.lend_agent(agent_id="cid", queue="outage", skills=["outage"], by="chief")
    assert await colleagues() == ["ann", "eve"], "he still has no English"
    await board.lend_agent(agent_id="cid", queue="key", skills=["english"], by="chief")
    assert await colleagues() == ["ann", "cid", "eve"]
    await set_apart(hotline, "eve")
    assert await colleagues() == ["ann", "cid"]
    for name in ("bo", "dan", "eve"):
        for what in ("transfer", "consult"):
            status, told = await wang.post(f"/desk/{what}", call_id="CA1", to=f"agent:{name}")
            assert (status, told["field"]) == (422, "to"), (name, what)
    assert (await wang.post("/desk/transfer", call_id="CA1", to="agent:cid"))[0] == 200


async def test_a_pair_set_apart_during_the_talk_does_not_meet_after_it(
    wang: Reader, hotline: Hotline, clock: Any
) -> None:
    """Not by the hand-over, and not because the call goes back to the others."""
    board = hotline.switchboard
    await talk(hotline)
    await board.sign_in(agent_id="li", name=LI.name, skills=LI.skills, endpoint=LI.endpoint)
    await board.set_presence(agent_id="li", presence="ready")
    assert (await wang.post("/desk/consult", call_id="CA1", to="agent:li"))[0] == 200
    await board.answer_offer(offer_id="CA1-2", leg_id="CAli")
    await board.accept_offer(offer_id="CA1-2", leg_id="CAli")
    await set_apart(hotline, "li")
    status, told = await wang.post("/desk/hand-over", call_id="CA1")
    assert (status, told["said"]) == (409, "这位同事现在不能接这通电话。")
    assert (await wang.post("/desk/transfer", call_id="CA1", to="queue:general"))[0] == 200
    snapshot = await board.snapshot()
    assert [pool.agents[0][1] for pool in snapshot.pools] == ["li"], "she is ready, and nobody else"
    assert decide(hotline.plan, snapshot, clock.now_ms()) == ()
    await hotline.scribe.drain()
    lines = await hotline.rows("events", "type", "data")
    (line,) = [json.loads(each["data"]) for each in lines if each["type"] == "call.transferred"]
    assert line["never"] == "li", "a replay knows it as well"


async def test_who_was_raised_by_hand_stays_so_when_he_is_put_through(
    wang: Reader, hotline: Hotline, clock: Any
) -> None:
    """To a queue and to a colleague: before the key customer who came earlier."""
    board = hotline.switchboard
    boss = LiveChanges(hotline.runtime, board, "chief")
    await hotline.arrive("CA1", CHEN_NUMBER)
    await hotline.enqueue("CA1")
    (waiting,) = (await board.queue_board()).waiting
    assert await boss.raise_call("CA1", waiting.lane_id, "high_risk", "a hospital") == "ok"
    for to in ("queue:outage", "agent:li"):
        await hotline.answer("CA1")
        await board.sign_in(agent_id="li", name=LI.name, skills=LI.skills, endpoint=LI.endpoint)
        assert (await wang.post("/desk/transfer", call_id="CA1", to=to))[0] == 200
        (now,) = (await board.queue_board()).waiting
        assert (now.lane.is_raised, now.lane.tier, now.queued_ms) == (True, "high_risk", waiting.queued_ms)
        assert now.lane.queue == "outage"
        clock.advance(61_000)
        await board.close_wrap_up(agent_id="wang")


async def set_apart(hotline: Hotline, agent_id: str) -> None:
    await save_agents(
        hotline.runtime,
        [Agent(agent_id=agent_id, name=agent_id, skills=LI.skills, endpoint=f"client:{agent_id}")],
    )
    pair = {"customer_id": "C1", "agent_id": agent_id, "reason": "he asked for it", "by": "chief"}
    assert await add_never_route(hotline.runtime, **pair) == "ok"


async def test_a_busy_colleague_is_waited_for_and_then_anybody_may(
    wang: Reader, hotline: Hotline, clock: Any
) -> None:
    board, plan = hotline.switchboard, hotline.plan
    await talk(hotline)
    for name in ("zhao", "qian"):
        await board.sign_in(
            agent_id=name, name=name.title(), skills=("outage", "general"), endpoint=f"client:{name}"
        )
        await board.set_presence(agent_id=name, presence="ready")
    await hotline.arrive("CA2")
    await hotline.enqueue("CA2", "power_cut", "outage")
    turn = (await board.snapshot()).turn
    await board.claim_offer(call_id="CA2", agent_id="qian", turn=turn, why={})
    clock.advance(120_000)
    reply = await board.transfer_call(call_id="CA1", agent_id="wang", colleague="qian")
    assert reply.is_ok
    assert decide(plan, await board.snapshot(), clock.now_ms()) == (), "Qian is at work"
    clock.advance(COLLEAGUE_MS)
    (match,) = decide(plan, await board.snapshot(), clock.now_ms())
    assert (match.call_id, match.agent_id) == ("CA1", "zhao")


async def test_the_desk_holds_asks_and_hands_over(
    wang: Reader, door: Door, hotline: Hotline, clock: Any
) -> None:
    li, board = await door.agent("li"), hotline.switchboard
    await save_agents(hotline.runtime, [LI])
    await talk(hotline)
    await board.sign_in(agent_id="li", name=LI.name, skills=LI.skills, endpoint=LI.endpoint)
    await board.set_presence(agent_id="li", presence="ready")
    door.forget()
    _, told = await wang.post("/desk/hold", call_id="CA1", is_held="1")
    assert (told["desk"]["hold"]["is_held"], told["desk"]["hold"]["word"]) == (True, "恢复通话")
    assert (told["desk"]["hero"]["clock_word"], told["desk"]["hero"]["eyebrow"]) == ("已保持", "来电者保持中")
    status, told = await wang.post("/desk/hand-over", call_id="CA1")
    assert (status, told["said"]) == (409, "还没有同事接起咨询。")
    status, told = await wang.post("/desk/consult", call_id="CA1", to="queue:general")
    assert (status, told["field"]) == (422, "to")
    status, told = await wang.post("/desk/consult", call_id="CA1", to="agent:li")
    assert (status, told["desk"]["hold"]["told"]) == (200, "李强：振铃中")
    assert (await li.get("/desk/state"))["hero"]["eyebrow"] == "王敏请教您"
    await board.answer_offer(offer_id="CA1-2", leg_id="CAli")
    await board.accept_offer(offer_id="CA1-2", leg_id="CAli")
    desk = await wang.get("/desk/state")
    assert (desk["hold"]["told"], desk["hold"]["may_hand_over"]) == ("李强：咨询中", True)
    clock.advance(8_000)
    status, told = await wang.post("/desk/hand-over", call_id="CA1")
    assert (status, told["desk"]["stage"]) == (200, "wrap_up")
    await board.connect_call(call_id="CA1", offer_id="CA1-2")
    assert (await li.get("/desk/state"))["stage"] == "talking"
    clock.advance(12_000)
    await hotline.end("CA1")
    await hotline.scribe.drain()
    ended = await hotline.rows("talks", "agent_id", "ended_as")
    assert ended == [
        {"agent_id": "wang", "ended_as": "handed_over"},
        {"agent_id": "li", "ended_as": "ended"},
    ]
    page = text_of(await wang.open("/calls/CA1"))
    assert "咨询同事" in page
    assert "转给同事" in page
