"""Calls, one call, tickets and health: what stands on them, for whom, and in which language."""

import re
from pathlib import Path
from typing import Any

import pytest

import queues.web
import queues.web.api
import recordings.web
from config.numbers import account_key
from config.web.words import Words as Catalogue
from queues.domain.agents import AgentState
from queues.domain.calls import CallState, Outcome
from queues.domain.journal import LineType
from queues.domain.tickets import TicketState
from queues.domain.timeline import SpanKind
from queues.service.customers import Contact, Customer, import_customers
from queues.web.words import AREAS, AWAY_REASONS
from recordings.domain.recordings import Kind, Recording, RecordingState, Why
from recordings.store import recordings as recording_store
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, text_of

STOREYS = [Path(package.__file__).parent for package in (queues.web, queues.web.api, recordings.web)]
KEY = re.compile(r"\b(?:desk|wall|calls|call|tickets|health|state|why|rail)\.[a-z_]+(?:\.[a-z_]+)*\b")


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


async def a_days_calls(hotline: Hotline, clock: Any) -> str:
    """林 is answered, 陈 gives up, somebody without a number leaves a message; the tickets are open."""
    ticket_no = await hotline.answered_call("CA1", matter="power_cut")
    await hotline.arrive("CA2", CHEN_NUMBER)
    await hotline.enqueue("CA2", "billing")
    clock.advance(40_000)
    await hotline.end("CA2")
    await hotline.arrive("CA3", "")
    await hotline.enqueue("CA3")
    await hotline.switchboard.divert_call(call_id="CA3", to="voicemail")
    await hotline.switchboard.leave_message(call_id="CA3")
    await hotline.end("CA3")
    await hotline.write_down()
    return ticket_no


def names_in(page: str) -> list[str]:
    return [name for name in ("东湖恒达化纤有限公司", "陈静", "未知来电") if name in page]


async def test_the_list_is_newest_first_and_masked(boss: Reader, hotline: Hotline, clock: Any) -> None:
    assert "还没有通话" in text_of(await boss.open("/calls"))
    await a_days_calls(hotline, clock)
    answer = await boss.open("/calls")
    page = text_of(answer)
    assert re.findall(r'href="/calls/(CA\d)"', answer.text) == ["CA3", "CA2", "CA1"]
    assert "+86 139****0001" in page
    assert "号码未显示" in page
    assert "13900000001" not in answer.text
    assert all(word in page for word in ("已接听", "排队放弃", "已留言", "0:12", "1:00"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("outcome=answered", ["东湖恒达化纤有限公司"]),
        ("q=陈", ["陈静"]),
        ("q=0033000001", ["东湖恒达化纤有限公司"]),
        ("q=139 0000 0002", ["陈静"]),
        ("agent=wang", ["东湖恒达化纤有限公司"]),
        ("day=2026-11-23", ["东湖恒达化纤有限公司", "陈静", "未知来电"]),
        ("day=2026-11-22", []),
        ("queue=outage", []),
    ],
)
async def test_the_list_is_narrowed(
    boss: Reader, hotline: Hotline, clock: Any, query: str, found: list[str]
) -> None:
    await a_days_calls(hotline, clock)
    page = text_of(await boss.open(f"/calls?{query}"))
    assert names_in(page) == found
    assert ("没有符合条件的通话" in page) == (not found)


async def test_what_no_store_keeps_as_text_is_refused_before_any_is_asked(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    await a_days_calls(hotline, clock)
    for path in ("/calls?q=%00", "/figures?queue=%00", "/simulate?like=%00", "/tickets?%00=x"):
        assert (await boss.open(path)).status_code == 400, path
        assert await boss.get(path) == {"error": "unread"}, path
    assert (await boss.open("/calls/%00")).status_code == 404
    assert (await boss.open("/calls?q=%2500")).status_code == 200
    for nothing in ("\\u0000", "\\ud800"):
        answer = await boss.client.post(
            "/queues/calls",
            content=f'{{"call": "{nothing}", "act": "move", "reason": "x"}}',
            headers={"X-CSRF-Token": boss.csrf, "Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()) == (400, {"error": "unread"})
    stranger = await boss.client.post("/sign-in", data={"name": "\0", "password": "x"})
    assert stranger.status_code == 400


async def test_a_wrong_day_is_named_and_the_rest_is_shown(boss: Reader, hotline: Hotline, clock: Any) -> None:
    await a_days_calls(hotline, clock)
    answer = await boss.open("/calls?day=yesterday")
    assert answer.status_code == 422
    assert "日期（day）的写法是" in text_of(answer)


async def test_one_call_tells_its_course_and_why(boss: Reader, hotline: Hotline, clock: Any) -> None:
    ticket_no = await a_days_calls(hotline, clock)
    answer = await boss.open("/calls/CA1")
    page = text_of(answer)
    assert "综合服务 · 王敏 于 0:12 后接听 · 通话 1:00" in page
    course = page[page.index("通话过程") : page.index("分配原因")]
    assert [
        word
        for word in ("语音导航 0:05", "排队 0:12", "通话 王敏 1:00", "话后处理 王敏 0:10")
        if word in course
    ] == [
        "语音导航 0:05",
        "排队 0:12",
        "通话 王敏 1:00",
        "话后处理 王敏 0:10",
    ]
    assert f'href="/tickets/{ticket_no}"' in answer.text
    assert "没有保存这次分配的理由" in page, "the hotline of the stories stores none"
    assert "当场解决" in page
    assert "13900000001" not in answer.text
    assert (await boss.open("/calls/CA404")).status_code == 404


async def test_a_call_without_an_agent_does_not_ask_why_this_one(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    await a_days_calls(hotline, clock)
    told = {call_id: (await boss.open(f"/calls/{call_id}")).text for call_id in ("CA1", "CA2", "CA3")}
    headings = {call_id: re.findall(r'<h2 id="why">([^<]*)</h2>', page) for call_id, page in told.items()}
    assert headings == {"CA1": ["分配原因"], "CA2": ["原因"], "CA3": ["原因"]}


async def test_recordings_are_played_or_say_why_not(boss: Reader, hotline: Hotline, clock: Any) -> None:
    await a_days_calls(hotline, clock)
    rows = [
        Recording(recording_id="RE1", call_id="CA1", kind=Kind.CALL, state=RecordingState.FETCHED),
        Recording(
            recording_id="missing-CA1",
            call_id="CA1",
            kind=Kind.CALL,
            state=RecordingState.MISSING,
            missing_why=Why.NOT_STARTED,
        ),
    ]
    assert "还没有录音记录" in text_of(await boss.open("/calls/CA1"))
    assert "没有接通，没有录音" in text_of(await boss.open("/calls/CA2"))
    async with hotline.runtime.database.transaction() as connection:
        await recording_store.save(connection, rows)
    answer = await boss.open("/calls/CA1")
    assert 'src="/recordings/RE1/audio"' in answer.text
    assert "录音缺失 服务商未能开始录音。" in text_of(answer)


async def test_an_agent_hears_his_own_calls_only(door: Door, hotline: Hotline, clock: Any) -> None:
    await a_days_calls(hotline, clock)
    recording = Recording(recording_id="RE1", call_id="CA1", kind=Kind.CALL, state=RecordingState.FETCHED)
    async with hotline.runtime.database.transaction() as connection:
        await recording_store.save(connection, [recording])
    wang, li = await door.agent(), await door.agent("li")
    assert 'src="/recordings/RE1/audio"' in (await wang.open("/calls/CA1")).text
    strangers = await li.open("/calls/CA1")
    assert "RE1/audio" not in strangers.text
    assert "您没有收听它的权限" in text_of(strangers)
    assert "显示号码" not in text_of(strangers)


async def test_showing_a_number_is_by_right_and_written_down(
    boss: Reader, door: Door, hotline: Hotline, clock: Any
) -> None:
    await a_days_calls(hotline, clock)
    assert "显示号码" in text_of(await boss.open("/calls/CA1"))
    li = await door.agent("li")
    assert (await li.send("/calls/CA1/number", {})).status_code == 403
    assert await hotline.rows("audits") == []
    shown = await boss.send("/calls/CA1/number", {})
    assert "完整号码（已记录）：+86 139 0000 0001" in text_of(shown)
    audits = await hotline.rows("audits", "action", "subject")
    assert audits == [{"action": "number.revealed", "subject": "CA1"}]
    assert await boss.post("/calls/CA3/number") == (200, {"ok": False, "number": ""})
    forged = await boss.client.post("/calls/CA1/number")
    assert forged.status_code == 403


async def test_open_tickets_stand_by_work_queue_and_priority(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    assert "没有未结工单" in text_of(await boss.open("/tickets"))
    ticket_no = await a_days_calls(hotline, clock)
    page = text_of(await boss.open("/tickets"))
    assert "未结 3 件" in page
    assert page.index("dispatch_normal") < page.index("desk 2")
    assert page.index(ticket_no) < page.index("陈静")
    ticket = text_of(await boss.open(f"/tickets/{ticket_no}"))
    assert all(
        word in ticket for word in (ticket_no, "停电报修", "东湖恒达化纤有限公司", "待处理", "已接听", "王敏")
    )
    assert (await boss.open("/tickets/T999999")).status_code == 404


async def test_health_is_for_those_who_run_the_house(
    boss: Reader, door: Door, hotline: Hotline, clock: Any
) -> None:
    await a_days_calls(hotline, clock)
    assert "dispatcher 异常 没有进程持有" in text_of(await boss.open("/health"))
    await hotline.switchboard.hold_lease(name="dispatcher", holder="here", lease_s=3)
    page = text_of(await boss.open("/health"))
    assert all(
        word in page
        for word in ("一切正常", "实时存储", "scribe", "dispatch_normal", "https://hotline.example")
    )
    wang = await door.agent()
    assert (await wang.open("/health")).status_code == 403
    live = await boss.client.get("/health/live")
    stores = {"live_store": "ok", "database": "ok", "job_store": "ok"}
    assert (live.status_code, live.json()) == (200, {"ok": True, "stores": stores})


# Words


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([storey / "locale" for storey in STOREYS])


def places(sentence: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", sentence))


def test_both_languages_say_the_same_things(catalogue: Catalogue) -> None:
    assert catalogue.keys("zh") == catalogue.keys("en")
    for key in catalogue.keys("zh") - {"why.skipped"}:  # one of its forms has no number in English
        assert places(catalogue("zh", key)) == places(catalogue("en", key)), key


def used_words() -> set[str]:
    """Every key that is written out in a template or a module, and those that are made of an enum's words."""
    used: set[str] = set()
    for storey in STOREYS:
        for source in [*storey.glob("templates/*.html"), *storey.glob("*.py")]:
            used |= set(re.findall(r"""\bt\(\s*["']([\w.]+)["'][,)]""", source.read_text("utf-8")))
            used |= set(re.findall(r"""(?:Refused|Done)\(\s*["']([\w.]+)["']""", source.read_text("utf-8")))
    made = {
        "state.agent": AgentState,
        "state.call": CallState,
        "state.outcome": Outcome,
        "state.ticket": TicketState,
        "state.reason": (*AWAY_REASONS, "signed_in", "lost", "missed"),
        "state.area": AREAS,
        "state.level": ("good", "near", "past", "off"),
        "call.span": SpanKind,
        "call.ended_as": ("accepted", "declined", "expired", "unrung", "withdrawn"),
        "call.kind": Kind,
        "call.state": RecordingState,
        "call.missing": (*Why, "in_progress", "completed", "unknown"),
        "call.by": ("caller", "agent", "system", "provider", "deadline"),
        "call.journal_word": [line.replace(".", "_") for line in LineType],
    }
    return used | {f"{prefix}.{word}" for prefix, words in made.items() for word in words}


def test_every_word_that_a_page_uses_is_there(catalogue: Catalogue) -> None:
    assert used_words() - catalogue.keys("zh") - house_words() == set()


def house_words() -> frozenset[str]:
    import config.web

    return Catalogue([Path(config.web.__file__).parent / "locale"]).keys("zh")


PAGES = (
    "/desk",
    "/wall",
    "/calls",
    "/calls/CA1",
    "/calls/CA3",
    "/tickets",
    "/tickets/{ticket_no}",
    "/health",
)


@pytest.mark.parametrize("locale", ["zh", "en"])
async def test_no_page_shows_a_key_or_the_other_language(
    door: Door, hotline: Hotline, clock: Any, locale: str
) -> None:
    ticket_no = await a_days_calls(hotline, clock)
    admin = await door.enter("admin", "admin", "wang", locale)
    for path in PAGES:
        page = text_of(await admin.open(path.format(ticket_no=ticket_no)))
        assert KEY.findall(page) == [], path
        assert "{" not in page, path
        if locale == "en":
            rest = re.sub("东湖恒达化纤有限公司|王敏|陈静|中文|停电报修", "", page)
            assert re.findall(r"[\u4e00-\u9fff]+", rest) == [], path


async def test_the_call_tells_of_its_caller_what_the_desk_told(boss: Reader, hotline: Hotline) -> None:
    number = "+8657155667788"
    care = Customer(
        customer_id="C7", name="赵奶奶", tier="special_care", is_care=True, class_code="S1", managers=("wang",),
        account_no="0033007007", contacts=(Contact(name="赵明", numbers=(number,)),),
    )  # fmt: skip
    other = Customer(customer_id="C8", name="赵明", tier="residential", numbers=(number,))
    await import_customers(hotline.runtime, [care, other])
    await hotline.arrive("CA1", number)
    await hotline.switchboard.keep_given(call_id="CA1", name="meter_reading", value="04711")
    await hotline.enqueue("CA1")
    await hotline.answer("CA1")
    await hotline.end("CA1")
    await hotline.write_down()
    page = await boss.open("/calls/CA1")
    said = text_of(page)
    for told in (
        "特殊关怀客户",
        "共用号码，另有 1 户",
        "S1",
        "联系人 赵明",
        "meter reading 04711",
        "客户经理 王敏",
    ):
        assert told in said, told
    assert 'href="/customers/C7"' in page.text
    assert "55667788" not in page.text


async def test_the_call_tells_that_a_keyed_number_opened_the_file(boss: Reader, hotline: Hotline) -> None:
    chen = Customer(customer_id="C7", name="陈静", tier="residential", account_no="47110007")
    await import_customers(hotline.runtime, [chen])
    await hotline.arrive("CA1", "")
    key = account_key(hotline.runtime.settings.secret_key, "power", "47110007")
    assert (await hotline.switchboard.identify_call(call_id="CA1", account_key=key)).is_ok
    await hotline.end("CA1")
    await hotline.write_down()
    said = text_of(await boss.open("/calls/CA1"))
    assert "陈静" in said
    assert "凭按键输入的户号打开，请先核实身份" in said
