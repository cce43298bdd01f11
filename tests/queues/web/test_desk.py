"""The desk, as an agent lives it: presence, an offer, a call, the wrap-up, and what goes wrong on the way."""

from typing import Any

import pytest

from config.numbers import account_key
from queues.service.customers import Contact, Customer, import_customers
from queues.service.people import Agent, save_agents
from queues.web.desk_feed import Desk
from queues.web.words import Words
from tests.queues.hotline import CHEN_NUMBER, WANG, Hotline
from tests.queues.web.reader import Door, Reader, next_picture, text_of

CARE_NUMBER = "+8657155667788"


@pytest.fixture
async def wang(door: Door) -> Reader:
    return await door.agent()


async def offer(
    hotline: Hotline, call_id: str = "CA1", matter: str = "power_cut", queue: str = "outage"
) -> str:
    """A call waits and is held for 王, whose phone rings."""
    await hotline.arrive(call_id)
    return await offer_arrived(hotline, call_id, matter, queue)


async def offer_arrived(
    hotline: Hotline, call_id: str, matter: str = "power_cut", queue: str = "outage"
) -> str:
    await hotline.enqueue(call_id, matter, queue)
    snapshot = await hotline.switchboard.snapshot()
    why = {
        "rule": "key", "key": 0, "waited_ms": 4000, "head_start_ms": 120000, "is_front": False,
        "queues": [queue], "lanes": 1,
        "agent": {"agent_id": "wang", "idle_for_ms": 9000, "eligible": 1}, "passed_over": [],
        "candidates": [{"call_id": call_id, "lane": f"{queue}|key_customer||0|0", "rule": "key", "key": 0}],
    }  # fmt: skip
    claimed = await hotline.switchboard.claim_offer(
        call_id=call_id, agent_id="wang", turn=snapshot.turn, why=why
    )
    assert claimed.offer_id is not None
    await hotline.switchboard.ring_offer(offer_id=claimed.offer_id, leg_id="CAwang")
    await hotline.switchboard.ringing(offer_id=claimed.offer_id, leg_id="CAwang")
    return claimed.offer_id


async def answer(hotline: Hotline, offer_id: str, call_id: str = "CA1") -> None:
    await hotline.switchboard.answer_offer(offer_id=offer_id, leg_id="CAwang")
    await hotline.switchboard.accept_offer(offer_id=offer_id, leg_id="CAwang")
    await hotline.switchboard.connect_call(call_id=call_id, offer_id=offer_id)


async def talk(hotline: Hotline, call_id: str = "CA1") -> None:
    """王 is at a call whose record the scribe has written."""
    await answer(hotline, await offer(hotline, call_id), call_id)
    await hotline.scribe.drain()


def desk_of(door: Door, locale: str = "zh") -> Desk:
    floor = door.app.state.floor
    words = door.app.state.templates.words
    return Desk(floor, WANG, Words(lambda key, **values: words(locale, key, **values), floor.plan, locale))


async def test_a_call_from_offer_to_wrap_up(wang: Reader, hotline: Hotline, clock: Any) -> None:
    status, told = await wang.post("/desk/presence", presence="ready")
    assert (status, told["desk"]["stage"]) == (200, "idle")

    offer_id = await offer(hotline)
    desk = await wang.get("/desk/state")
    assert desk["stage"] == "offer"
    assert desk["hero"]["title"] == "东湖恒达化纤有限公司"
    assert (desk["hero"]["tier"], desk["hero"]["matter"]) == ("大客户", "停电报修")
    assert desk["hero"]["clock"]["until_ms"] - desk["now_ms"] == hotline.plan.ring_ms
    assert desk["why"] == [
        "提前量 2:00（大客户及其事由），相当于早来 2:00。",
        "已等待 0:04，当时没有其他来电在等。",
        "王敏是当时唯一可接听的座席。",
    ]
    facts = {fact["label"]: fact["text"] for fact in desk["customer"]["facts"]}
    assert facts["户号"] == "0033000001"
    assert facts["来电号码"] == "+86 139****0001"

    await answer(hotline, offer_id)
    await hotline.scribe.drain()
    desk = await wang.get("/desk/state")
    assert (desk["stage"], desk["work"]["call_id"]) == ("talking", "CA1")
    status, told = await wang.post("/desk/note", call_id="CA1", note="变压器跳闸")
    assert (status, told["said"], told["noted"]) == (200, "备注已保存", True)

    clock.advance(60_000)
    await hotline.end("CA1")
    desk = await wang.get("/desk/state")
    assert (desk["stage"], desk["work"]["note"], desk["may"]["extend"]) == ("wrap_up", "变压器跳闸", True)
    status, told = await wang.post("/desk/wrap-up", disposition="dispatched", note="变压器跳闸，已派人")
    assert (status, told["ok"], told["noted"], told["desk"]["stage"]) == (200, True, True, "idle")

    await hotline.scribe.drain()
    rows = await hotline.rows("calls", "agent_id", "disposition", "note")
    assert rows == [{"agent_id": "wang", "disposition": "dispatched", "note": "变压器跳闸，已派人"}]


async def test_the_first_visit_signs_in_and_signing_out_lasts(door: Door, hotline: Hotline) -> None:
    li = await door.agent("li")
    page = await li.open("/desk")
    assert "示忙 · 刚签入" in text_of(page)
    await li.post("/desk/presence", presence="signed_out")
    assert "您还没有签入" in text_of(await li.open("/desk"))
    assert (await li.get("/desk/state"))["stage"] == "signed_out"
    _, told = await li.post("/desk/presence", presence="ready")
    assert told["desk"]["stage"] == "idle"
    _, told = await li.post("/desk/presence", presence="away", reason="meal")
    assert told["desk"]["presence"]["word"] == "示忙 · 用餐"


async def test_away_wished_during_a_call_comes_after_it(wang: Reader, hotline: Hotline) -> None:
    await talk(hotline)
    _, told = await wang.post("/desk/presence", presence="away", reason="meal")
    assert told["desk"]["stage"] == "talking"
    assert told["desk"]["presence"]["next_word"] == "结束后：示忙 · 用餐"
    assert told["desk"]["may"]["ready"] is True
    _, told = await wang.post("/desk/presence", presence="ready")
    assert told["desk"]["presence"]["next_word"] == ""


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"presence": "lunch"}, "presence"),
        ({}, "presence"),
        ({"presence": "away", "reason": "x" * 41}, "reason"),
    ],
)
async def test_a_wrong_presence_names_its_field(wang: Reader, values: dict[str, str], field: str) -> None:
    status, told = await wang.post("/desk/presence", **values)
    assert (status, told["ok"], told["field"]) == (422, False, field)
    assert field in told["said"]


async def test_only_the_offer_on_the_desk_can_be_declined(wang: Reader, hotline: Hotline) -> None:
    offer_id = await offer(hotline)
    status, told = await wang.post("/desk/offers/CA9-1/decline")
    assert (status, told["said"], told["desk"]["stage"]) == (409, "这通来电已不在您这里。", "offer")
    status, told = await wang.post(f"/desk/offers/{offer_id}/decline")
    assert (status, told["desk"]["stage"]) == (200, "idle")
    status, _ = await wang.post(f"/desk/offers/{offer_id}/decline")
    assert status == 409
    call = await hotline.switchboard.read_call(call_id="CA1")
    assert call is not None
    assert call.state == "queued"


async def test_wrap_up_asks_for_a_disposition_and_is_extended_once(wang: Reader, hotline: Hotline) -> None:
    status, told = await wang.post("/desk/wrap-up", disposition="solved")
    assert (status, told["said"]) == (409, "现在不在话后处理中，无需完成。")
    await talk(hotline)
    await hotline.end("CA1")
    for values, field in (({}, "disposition"), ({"disposition": "nonsense"}, "disposition")):
        status, told = await wang.post("/desk/wrap-up", **values)
        assert (status, told["field"]) == (422, field)
    status, told = await wang.post("/desk/wrap-up", disposition="solved", note="x" * 4001)
    assert (status, told["field"]) == (422, "note")
    before = await wang.get("/desk/state")
    status, told = await wang.post("/desk/wrap-up/extend")
    longer_ms = told["desk"]["hero"]["clock"]["until_ms"] - before["hero"]["clock"]["until_ms"]
    assert (status, longer_ms) == (200, hotline.plan.wrap_up_extension_ms)
    status, told = await wang.post("/desk/wrap-up/extend")
    assert (status, told["said"]) == (409, "话后处理时间只能延长一次。")


async def test_a_note_that_comes_after_the_wrap_up_is_kept(
    wang: Reader, hotline: Hotline, clock: Any
) -> None:
    await talk(hotline)
    await hotline.end("CA1")
    clock.advance(hotline.plan.wrap_up_ms)
    await hotline.switchboard.close_wrap_up(agent_id="wang", by="deadline")
    status, told = await wang.post("/desk/wrap-up", call_id="CA1", disposition="solved", note="还没写完")
    assert (status, told["ok"], told["desk"]["stage"]) == (200, True, "idle")
    assert await hotline.rows("calls", "note") == [{"note": "还没写完"}]


async def test_a_note_whose_call_has_no_record_yet_stays_in_the_browser(
    wang: Reader, hotline: Hotline
) -> None:
    await answer(hotline, await offer(hotline))
    _, told = await wang.post("/desk/note", call_id="CA1", note="早了一点")
    assert (told["ok"], told["noted"]) == (True, False)
    await hotline.scribe.drain()
    _, told = await wang.post("/desk/note", call_id="CA1", note="早了一点")
    assert told["noted"] is True


async def test_nobody_writes_on_anothers_call(door: Door, hotline: Hotline) -> None:
    await talk(hotline)
    li = await door.agent("li")
    status, told = await li.post("/desk/note", call_id="CA1", note="不是我的")
    assert (status, told["field"]) == (409, "call_id")
    assert await hotline.rows("calls", "note") == [{"note": ""}]


async def test_a_browser_without_scripts_can_do_it_all(wang: Reader, hotline: Hotline) -> None:
    await wang.open("/desk")
    done = await wang.send("/desk/presence", {"away": "meal"})
    assert (done.status_code, done.headers["location"]) == (303, "/desk")
    assert "示忙 · 用餐" in text_of(await wang.open("/desk"))
    await wang.send("/desk/presence", {"presence": "ready"})
    await talk(hotline)
    await hotline.end("CA1")
    wrong = await wang.send("/desk/wrap-up", {"note": "打了一半的字", "call_id": "CA1"})
    assert wrong.status_code == 422
    assert "请选择小结" in text_of(wrong)
    assert ">打了一半的字</textarea>" in wrong.text
    done = await wang.send("/desk/wrap-up", {"note": "打完了", "disposition": "solved", "call_id": "CA1"})
    assert done.status_code == 303
    assert await hotline.rows("calls", "note") == [{"note": "打完了"}]


async def test_nothing_is_done_without_the_token_or_a_session(
    wang: Reader, door: Door, hotline: Hotline
) -> None:
    for path in ("/desk/presence", "/desk/beat", "/desk/wrap-up", "/desk/note", "/desk/offers/x/decline"):
        forged = await wang.client.post(path, json={"presence": "away"})
        assert (forged.status_code, forged.json()) == (403, {"error": "forged"})
    stranger = Reader(door.app, "nobody")
    assert await stranger.get("/desk/state") == {"error": "signed_out"}
    assert (await wang.get("/desk/state"))["presence"]["state"] == "ready"
    await stranger.client.aclose()


async def test_an_account_without_a_seat_is_shown_where_to_go(door: Door) -> None:
    boss = await door.enter("boss", "supervisor")
    page = await boss.open("/desk")
    assert page.status_code == 200
    assert "这个账号没有座席" in text_of(page)
    assert await boss.post("/desk/presence", presence="ready") == (409, {"ok": False, "error": "no_seat"})


async def test_a_beat_says_whether_anybody_listens(wang: Reader) -> None:
    assert await wang.post("/desk/beat") == (200, {"ok": True, "word": "ok"})
    await wang.post("/desk/presence", presence="signed_out")
    assert await wang.post("/desk/beat") == (200, {"ok": False, "word": "gone"})


async def test_the_desk_is_told_what_happens(wang: Reader, door: Door, hotline: Hotline) -> None:
    await wang.open("/desk")
    events = desk_of(door).events()
    assert (await next_picture(events))["stage"] == "idle"
    offer_id = await offer(hotline)
    picture = await next_picture(events)
    while picture["stage"] != "offer" or picture["hero"]["clock"] is None:
        picture = await next_picture(events)
    assert picture["offer"]["offer_id"] == offer_id
    await hotline.end("CA1")
    while picture["stage"] != "idle":
        picture = await next_picture(events)
    assert picture["customer"] is None
    await events.aclose()


async def test_the_day_so_far_stands_on_the_desk(wang: Reader, hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.answered_call("CA2", CHEN_NUMBER, "billing")
    await hotline.scribe.drain()
    desk = await wang.get("/desk/state")
    assert desk["today"] == {"calls": 2, "mean": "12 秒"}
    assert [(line["text"], line["note"]) for line in desk["mine"]] == [
        ("陈静 · 电费电量", "当场解决 · 1:00"),
        ("东湖恒达化纤有限公司 · 咨询", "当场解决 · 1:00"),
    ]


async def test_the_desk_tells_who_calls_for_whom(wang: Reader, hotline: Hotline) -> None:
    """Care with the site's advice, the person, the class code, the manager, a shared number, what was keyed."""
    care = Customer(
        customer_id="C7", name="赵奶奶", tier="special_care", is_care=True, class_code="S1", managers=("li", "wang"),
        contacts=(Contact(name="赵明", role="儿子", numbers=(CARE_NUMBER,)),), attributes={"capacity_kva": "8"},
    )  # fmt: skip
    others = Customer(customer_id="C8", name="赵明", tier="residential", numbers=(CARE_NUMBER,))
    await import_customers(hotline.runtime, [care, others])
    await save_agents(
        hotline.runtime,
        [Agent(agent_id="li", name="李静", skills=("general",), endpoint="client:li"), WANG],
    )
    await wang.post("/desk/presence", presence="ready")
    await hotline.arrive("CA1", CARE_NUMBER)
    await hotline.switchboard.keep_given(call_id="CA1", name="meter_reading", value="04711")
    await offer_arrived(hotline, "CA1")
    desk = await wang.get("/desk/state")
    hero = desk["hero"]
    assert hero["title"] == "赵奶奶"
    assert hero["class_code"] == "S1"
    assert hero["advice"] == hotline.plan.care.advice["zh"]
    assert [mark["text"] for mark in hero["marks"]] == ["特殊关怀客户", "共用号码，另有 1 户"]
    assert {each["label"]: each["text"] for each in hero["told"]} == {
        "联系人": "赵明",
        "meter reading": "04711",
    }
    facts = {fact["label"]: fact["text"] for fact in desk["customer"]["facts"]}
    assert facts["客户经理"] == "李静"
    assert desk["customer"]["href"] == "/customers/C7"
    page = await wang.open("/desk")
    assert hotline.plan.care.advice["zh"] in text_of(page)
    assert CARE_NUMBER not in page.text


@pytest.mark.parametrize(
    ("locale", "mark"),
    [
        ("zh", "凭按键输入的户号打开，请先核实身份"),
        ("en", "Opened by a keyed number: verify who is speaking"),
    ],
)
async def test_a_file_that_a_keyed_number_opened_is_to_be_verified(
    wang: Reader, door: Door, hotline: Hotline, locale: str, mark: str
) -> None:
    """The name on the desk is the customer's; the voice may be anybody's."""
    chen = Customer(customer_id="C7", name="陈静", tier="residential", account_no="47110007")
    await import_customers(hotline.runtime, [chen])
    await wang.post("/desk/presence", presence="ready")
    await hotline.arrive("CA1", "")
    key = account_key(hotline.runtime.settings.secret_key, "power", "47110007")
    assert (await hotline.switchboard.identify_call(call_id="CA1", account_key=key)).is_ok
    await offer_arrived(hotline, "CA1")
    desk = await desk_of(door, locale).view()
    assert desk["hero"]["title"] == "陈静"
    assert [each["text"] for each in desk["hero"]["marks"]] == [mark]


async def test_a_caller_who_joined_a_ticket_is_marked_so(wang: Reader, hotline: Hotline) -> None:
    first = await hotline.answered_call("CA0", CHEN_NUMBER, "power_cut")
    await hotline.write_down()
    await wang.post("/desk/presence", presence="ready")
    await hotline.arrive("CA1")
    await hotline.switchboard.join_ticket(call_id="CA1", ticket_no=first)
    await offer_arrived(hotline, "CA1")
    hero = (await wang.get("/desk/state"))["hero"]
    assert [mark["text"] for mark in hero["marks"]] == [f"已并入工单 {first}"]
