"""Notices: who may raise one, what the form says and keeps, and that what callers hear follows SQL whatever dies."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from queues.domain.notices import Wording, faults_of, spoken_s
from queues.service import tickets
from queues.service.notices import change_notice, clear_notice, mend_notices
from queues.service.switchboard import Switchboard
from queues.store import notices as store
from queues.store.audits import audits
from tests.queues.hotline import Hotline
from tests.queues.web import notice_form
from tests.queues.web.reader import Door, Reader, text_of

OUTAGE = {
    "kind": "outage",
    "reach": "all",
    "text_zh": "城东片区因线路故障停电，预计18点恢复。",
    "text_en": "Power is out in the east of the city; we expect it back at six.",
    "starts": "",
    "ends": "",
    "ticket_no": "",
}


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


async def raised(boss: Reader, **changed: str) -> str:
    return await notice_form.raised(boss, **{**OUTAGE, **changed})


async def live(hotline: Hotline) -> dict[str, Any]:
    return await store.live(hotline.runtime.redis, hotline.runtime.settings.site)


async def test_without_a_notice_the_page_says_what_to_do(boss: Reader) -> None:
    page = await boss.open("/notices")
    assert page.status_code == 200
    assert "现在没有公告" in text_of(page)
    assert 'href="/notices/new"' in page.text


async def test_agents_read_and_do_not_raise(door: Door, boss: Reader, hotline: Hotline) -> None:
    notice_id = await raised(boss)
    agent = await door.agent()
    page = await agent.open("/notices")
    assert OUTAGE["text_zh"] in text_of(page)
    assert "/notices/new" not in page.text
    assert "撤销…" not in text_of(page)
    assert (await agent.open("/notices/new")).status_code == 403
    assert (await agent.send(f"/notices/{notice_id}/clear", {})).status_code == 403
    shown = await agent.open(f"/notices/{notice_id}")
    assert shown.status_code == 200
    assert "<textarea" not in shown.text
    assert await live(hotline)


async def test_raised_it_is_live_at_once_and_audited(boss: Reader, hotline: Hotline) -> None:
    notice_id = await raised(boss)
    held = (await live(hotline))[notice_id]
    assert held["text"] == {"zh": OUTAGE["text_zh"], "en": OUTAGE["text_en"]}
    assert (held["areas"], held["ends_ms"], held["ticket_no"]) == ([], None, "")
    page = text_of(await boss.open("/notices"))
    assert "正在播报 1 条" in page
    assert "已播报" in page
    assert "发布人：boss" in page
    assert await audited(hotline) == [("notice.raised", f"notice:{notice_id}")]


async def test_the_same_form_twice_is_one_notice(boss: Reader, hotline: Hotline) -> None:
    form = await notice_form.new_form(boss, **OUTAGE)
    first, second = await boss.send("/notices", form), await boss.send("/notices", form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert len(await live(hotline)) == 1
    assert len(await audited(hotline)) == 1


async def test_a_wrong_form_says_every_fault_and_keeps_what_was_typed(boss: Reader, hotline: Hotline) -> None:
    form = await notice_form.new_form(boss, **OUTAGE)
    wrong = {**form, "text_en": "", "ends": "2026-11-22T09:00", "ticket_no": "T999999"}
    page = await boss.send("/notices", wrong)
    said = text_of(page)
    assert page.status_code == 422
    assert "请更正 3 处后再发布" in said
    assert "请写英文内容" in said
    assert "结束时间要晚于开始时间" in said
    assert "没有这个工单号" in said
    assert OUTAGE["text_zh"] in page.text
    assert 'value="2026-11-22T09:00"' in page.text
    assert 'href="#text_en"' in page.text
    assert await live(hotline) == {}
    assert await audited(hotline) == []


async def test_the_page_says_what_callers_hear_and_for_how_long(boss: Reader) -> None:
    form = await notice_form.new_form(boss, **OUTAGE)
    status, heard = await boss.post("/notices/preview", **form)
    assert status == 200
    assert heard["zh"]["heard"] == [f"温馨提示：{OUTAGE['text_zh']}", f"最新停电信息：{OUTAGE['text_zh']}"]
    assert heard["zh"]["length"] == f"约 {spoken_s(heard['zh']['heard'][1])} 秒"
    assert heard["en"]["is_long"] is False


async def test_a_change_is_live_and_tells_before_and_after(boss: Reader, hotline: Hotline) -> None:
    notice_id = await raised(boss)
    changed = {**OUTAGE, "revision": "1", "text_zh": "城东片区停电，预计20点恢复。"}
    assert (await boss.send(f"/notices/{notice_id}", changed)).status_code == 303
    assert (await live(hotline))[notice_id]["text"]["zh"] == "城东片区停电，预计20点恢复。"
    page = await boss.open(f"/notices/{notice_id}")
    assert f"<del>{OUTAGE['text_zh']}</del>" in page.text
    assert await audited(hotline) == [
        ("notice.changed", f"notice:{notice_id}"),
        ("notice.raised", f"notice:{notice_id}"),
    ]


async def test_a_change_of_words_leaves_the_start_as_it_was(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    clock.advance(17_000)  # a form shows minutes
    notice_id = await raised(boss)
    before = (await live(hotline))[notice_id]
    clock.advance(90_000)
    changed = {**OUTAGE, "revision": "1", "starts": "2026-11-23T09:00", "text_zh": "改过的。"}
    assert (await boss.send(f"/notices/{notice_id}", changed)).status_code == 303
    after = (await live(hotline))[notice_id]
    assert (after["starts_ms"], after["text"]["zh"]) == (before["starts_ms"], "改过的。")


async def test_who_was_slower_does_not_write_over_the_others_words(boss: Reader, hotline: Hotline) -> None:
    notice_id = await raised(boss)
    first = {**OUTAGE, "revision": "1", "text_zh": "先写的。"}
    assert (await boss.send(f"/notices/{notice_id}", first)).status_code == 303
    second = {**OUTAGE, "revision": "1", "text_zh": "后写的。"}
    page = await boss.send(f"/notices/{notice_id}", second)
    assert page.status_code == 422
    assert "别人已经改过这条公告" in text_of(page)
    assert "后写的。" in page.text
    assert (await live(hotline))[notice_id]["text"]["zh"] == "先写的。"


async def test_cleared_it_is_past_and_out_of_the_live_store(boss: Reader, hotline: Hotline) -> None:
    notice_id = await raised(boss)
    for _ in range(2):
        assert (await boss.send(f"/notices/{notice_id}/clear", {})).status_code == 303
    assert await live(hotline) == {}
    page = text_of(await boss.open("/notices"))
    assert "由 boss 撤销" in page
    assert [action for action, _ in await audited(hotline)] == ["notice.cleared", "notice.raised"]
    refused = await boss.send(f"/notices/{notice_id}", {**OUTAGE, "revision": "1"})
    assert refused.status_code == 422
    assert "这条公告已经结束" in text_of(refused)


async def test_what_a_death_left_undone_is_mended(boss: Reader, hotline: Hotline) -> None:
    """Between SQL and the live store the process died, in either direction; or the live store is a new one."""
    runtime = hotline.runtime
    lost, kept = await raised(boss), await raised(boss, text_zh="另一条公告。")
    await runtime.redis.hdel(f"{{{runtime.settings.site}}}:notices", lost)
    assert "正在生效" in text_of(await boss.open("/notices"))
    assert await mend_notices(runtime) == 1
    assert set(await live(hotline)) == {lost, kept}
    async with runtime.database.transaction() as connection:
        assert await store.clear(connection, kept, runtime.clock.now_ms(), "boss")
    assert await mend_notices(runtime) == 1
    assert set(await live(hotline)) == {lost}
    assert await mend_notices(runtime) == 0


async def test_a_notice_ends_by_itself(boss: Reader, hotline: Hotline, clock: Any) -> None:
    notice_id = await raised(boss, ends="2026-11-23T10:00")
    clock.advance(3_600_000)
    assert "到时自动结束" in text_of(await boss.open("/notices"))
    assert await mend_notices(hotline.runtime) == 1
    assert await live(hotline) == {}
    assert not await clear_notice(hotline.runtime, notice_id, "boss")
    assert [action for action, _ in await audited(hotline)] == ["notice.ended", "notice.raised"]


async def test_nobody_joins_a_ticket_that_is_closed(boss: Reader, hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1", matter="power_cut")
    await hotline.write_down()
    notice_id = await raised(boss, ticket_no=ticket_no.lower())
    assert (await live(hotline))[notice_id]["ticket_no"] == ticket_no
    assert "来电者可并入此工单" in text_of(await boss.open("/notices"))
    assert await close(hotline, ticket_no)
    assert await mend_notices(hotline.runtime) == 1
    assert (await live(hotline))[notice_id]["ticket_no"] == ""
    assert "工单已结束，不再并入" in text_of(await boss.open("/notices"))


async def close(hotline: Hotline, ticket_no: str) -> bool:
    return await tickets.move_ticket(hotline.runtime, ticket_no, tickets.TicketEvent.CLOSE)


async def test_the_pages_speak_english(door: Door) -> None:
    boss = await door.enter("boss", "supervisor", locale="en")
    notice_id = await raised(boss)
    assert "Notices 1 running, 0 coming" in text_of(await boss.open("/notices"))
    for path in ("/notices", "/notices/new", f"/notices/{notice_id}"):
        assert not re.search(r"\bnotices\.[a-z_.]+\b", text_of(await boss.open(path))), path


async def test_a_forged_form_changes_nothing(boss: Reader, hotline: Hotline) -> None:
    notice_id = await raised(boss)
    assert (await boss.send(f"/notices/{notice_id}/clear", {"csrf": "guessed"})).status_code == 403
    assert notice_id in await live(hotline)
    assert (await boss.open("/notices/none-of-ours")).status_code == 404


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"kind": "rumour"}, "kind"),
        ({"areas": ("nowhere",)}, "area"),
        ({"text": {"zh": "x" * 501, "en": "y"}}, "text_long"),
        ({"text": {"zh": "{customer_name}", "en": "y"}}, "text_signs"),
        ({"text": {"zh": "x", "en": "y\x00"}}, "text_signs"),
        ({"ends_ms": 900}, "ends_before_start"),
        ({"starts_ms": 1, "ends_ms": 900}, "ends_past"),
        ({"ends_ms": 1000 + 91 * 86_400_000}, "runs_long"),
    ],
)
def test_a_wording_is_refused(changed: dict[str, Any], key: str) -> None:
    good = {
        "kind": "outage",
        "areas": (),
        "text": {"zh": "停电", "en": "Out"},
        "starts_ms": 1000,
        "ends_ms": None,
    }
    faults = faults_of(Wording(**{**good, **changed}), languages=("zh", "en"), areas=("east",), now_ms=1000)
    assert [fault.key for fault in faults] == [key]


def test_a_voice_needs_longer_for_more() -> None:
    assert spoken_s("") == 0
    assert 4 <= spoken_s("城东片区因线路故障停电，预计18点恢复。") <= 7
    assert 3 <= spoken_s("Power is out in the east of the city; we expect it back at six.") <= 6


async def audited(hotline: Hotline) -> list[tuple[str, str]]:
    query = select(audits.c.action, audits.c.subject, audits.c.detail).order_by(audits.c.action)
    async with hotline.runtime.database.read() as connection:
        rows = (await connection.execute(query)).all()
    assert all(json.loads(row.detail).keys() == {"before", "after"} for row in rows)
    return [(row.action, row.subject) for row in rows]


@pytest.mark.parametrize("other", ["clears", "changes"])
async def test_whoever_comes_late_with_his_change_does_not_put_back_what_another_made_of_it(
    boss: Reader, hotline: Hotline, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    notice_id = await raised(boss)
    put, runtime = Switchboard.raise_notice, hotline.runtime
    now_ms = runtime.clock.now_ms()
    first, second = (
        Wording(kind="outage", areas=(), text={"zh": text, "en": text}, starts_ms=now_ms, ends_ms=None)
        for text in ("First.", "Second.")
    )

    async def while_another_comes_first(*given: Any, **more: Any) -> str:
        monkeypatch.setattr(Switchboard, "raise_notice", put)
        if other == "clears":
            assert await clear_notice(runtime, notice_id, "li")
        else:
            await change_notice(runtime, notice_id, 2, second, "li")
        return await put(*given, **more)

    monkeypatch.setattr(Switchboard, "raise_notice", while_another_comes_first)
    await change_notice(runtime, notice_id, 1, first, "boss")
    heard = {name: form["text"]["en"] for name, form in (await live(hotline)).items()}
    assert heard == ({} if other == "clears" else {notice_id: "Second."})
