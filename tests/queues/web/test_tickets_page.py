"""Tickets on their pages: what is due when, who may do what, and nobody's work written over unseen."""

import re
from typing import Any

import pytest

from queues.domain.tickets import REPLY_LENGTH_MAX, TicketEvent
from queues.service import tickets
from tests.doubles import ManualClock
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, text_of

HOUR_MS = 3_600_000


@pytest.fixture
async def ticket_no(hotline: Hotline) -> str:
    """林 in the city had a power cut: due in twelve hours."""
    await hotline.arrive("CA1")
    ticket_no = await hotline.enqueue("CA1", "power_cut", "outage")
    await hotline.write_down()
    return ticket_no


@pytest.fixture
async def boss(door: Door) -> Reader:
    return await door.enter("boss", "supervisor")


async def revision(reader: Reader, ticket_no: str) -> str:
    page = await reader.open(f"/tickets/{ticket_no}")
    found = re.search(r'name="revision" value="(\d+)"', page.text)
    assert found
    return found[1]


async def do(reader: Reader, ticket_no: str, event: str) -> Any:
    form = {"event": event, "revision": await revision(reader, ticket_no)}
    return await reader.send(f"/tickets/{ticket_no}/move", form)


async def test_the_list_says_what_is_due_when_and_how_near_that_is(
    boss: Reader, door: Door, ticket_no: str, clock: ManualClock
) -> None:
    seen = []
    for hours in (0, 9, 4):
        clock.advance(hours * HOUR_MS)
        seen.append(text_of(await boss.open("/tickets")))
    assert "城区" in seen[0]
    assert "11月23日 21:00 按时" in seen[0]
    assert "11月23日 21:00 将到期" in seen[1]
    assert "11月23日 21:00 已超时" in seen[2]
    reader = await door.enter("jane", "supervisor", locale="en")
    assert "23 Nov 21:00 overdue" in text_of(await reader.open("/tickets"))


async def test_the_subject_is_in_the_readers_language(boss: Reader, door: Door, ticket_no: str) -> None:
    assert "停电报修" in text_of(await boss.open(f"/tickets/{ticket_no}"))
    page = text_of(await (await door.enter("jane", "qa", locale="en")).open(f"/tickets/{ticket_no}"))
    assert "Power cut" in page
    assert "停电" not in page


async def test_the_list_is_narrowed_by_state_work_queue_area_and_number(
    boss: Reader, ticket_no: str, hotline: Hotline
) -> None:
    await hotline.arrive("CA2", CHEN_NUMBER)
    other = await hotline.enqueue("CA2", "complaint", "complaint")
    await hotline.write_down()
    shown = {}
    for query in (
        "",
        "work_queue=complaint",
        "area=city",
        "area=rural",
        "state=taken",
        "state=all",
        "q=nine",
    ):
        page = (await boss.open(f"/tickets?{query}")).text
        shown[query] = [each for each in (ticket_no, other) if f">{each}<" in page]
    assert shown == {
        "": [ticket_no, other],
        "work_queue=complaint": [other],
        "area=city": [ticket_no],
        "area=rural": [],
        "state=taken": [],
        "state=all": [ticket_no, other],
        "q=nine": [ticket_no, other],
    }
    found = await boss.open(f"/tickets?q={ticket_no.lower().replace('t0', 't')}")
    assert (found.status_code, found.headers["Location"]) == (303, f"/tickets/{ticket_no}")
    assert "没有工单“T900000”" in text_of(await boss.open("/tickets?q=T900000"))


async def test_an_agent_accepts_resolves_and_answers_and_a_supervisor_closes(
    door: Door, boss: Reader, ticket_no: str, hotline: Hotline
) -> None:
    agent = await door.agent()
    assert (await do(agent, ticket_no, "take")).status_code == 303
    page = text_of(await agent.open(f"/tickets/{ticket_no}"))
    assert "处理中" in page
    assert "经办人 wang" in page
    assert "C 办结" not in page
    assert (await do(agent, ticket_no, "close")).status_code == 403
    reply = {"reply": "线路已修复。", "revision": await revision(agent, ticket_no)}
    assert (await agent.send(f"/tickets/{ticket_no}/reply", reply)).status_code == 303
    assert (await do(agent, ticket_no, "resolve")).status_code == 303
    assert (await do(boss, ticket_no, "close")).status_code == 303
    page = text_of(await boss.open(f"/tickets/{ticket_no}"))
    assert "按时办理" in page
    for line in ("受理 wang", "答复 – → 线路已修复。", "状态 已解决 → 已办结", "办结 boss"):
        assert line in page
    assert await hotline.rows("tickets", "state", "reply") == [{"state": "closed", "reply": "线路已修复。"}]


async def test_whoever_reviews_looks_and_changes_nothing(door: Door, ticket_no: str) -> None:
    reviewer = await door.enter("rev", "qa")
    page = await reviewer.open(f"/tickets/{ticket_no}")
    assert "还没有答复" in text_of(page)
    assert "<textarea" not in page.text
    assert 'name="event"' not in page.text
    for path, form in (("move", {"event": "take"}), ("reply", {"reply": "?"})):
        answer = await reviewer.send(f"/tickets/{ticket_no}/{path}", {**form, "revision": "1"})
        assert answer.status_code == 403


async def test_who_was_slower_sees_the_ticket_as_it_is_and_keeps_what_was_typed(
    boss: Reader, ticket_no: str, hotline: Hotline
) -> None:
    seen = await revision(boss, ticket_no)
    await tickets.work_on(hotline.runtime, ticket_no, TicketEvent.TAKE, "somebody")
    page = await boss.send(f"/tickets/{ticket_no}/reply", {"reply": "马上修。", "revision": seen})
    assert page.status_code == 409
    assert "别人改过这张工单" in text_of(page)
    assert "马上修。" in page.text
    moved = await boss.send(f"/tickets/{ticket_no}/move", {"event": "close", "revision": seen})
    assert moved.status_code == 409
    refused = await boss.send(f"/tickets/{ticket_no}/move", {"event": "take", "revision": "2"})
    assert refused.status_code == 409
    assert "不能这样操作" in text_of(refused)
    long = {"reply": "字" * (REPLY_LENGTH_MAX + 1), "revision": "2"}
    assert (await boss.send(f"/tickets/{ticket_no}/reply", long)).status_code == 422
    assert await hotline.rows("tickets", "state", "reply") == [{"state": "taken", "reply": ""}]


async def test_the_same_form_twice_is_one_move(boss: Reader, ticket_no: str, hotline: Hotline) -> None:
    form = {"event": "take", "revision": await revision(boss, ticket_no)}
    answers = [await boss.send(f"/tickets/{ticket_no}/move", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(await tickets.history_of(hotline.runtime, ticket_no)) == 1


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("move", {"event": "burn", "revision": "1"}, 400),
        ("move", {"event": "take"}, 400),
        ("move", {"event": "take", "revision": "1" * 19}, 400),
        ("reply", {"reply": "?", "revision": "one"}, 400),
        ("reply", {"reply": "?", "revision": "1", "csrf": "forged"}, 403),
    ],
)
async def test_a_form_that_is_none_of_ours_is_refused(
    boss: Reader, ticket_no: str, hotline: Hotline, path: str, form: dict[str, str], status: int
) -> None:
    assert (await boss.send(f"/tickets/{ticket_no}/{path}", form)).status_code == status
    assert (await boss.send(f"/tickets/T999999/{path}", form)).status_code in (403, 404)
    assert await tickets.history_of(hotline.runtime, ticket_no) == []


@pytest.mark.parametrize(
    ("locale", "hint"),
    [("zh", "只有用登记号码来电的客户本人听得到"), ("en", "Heard by this customer alone")],
)
async def test_the_answer_says_who_will_hear_it(door: Door, ticket_no: str, locale: str, hint: str) -> None:
    reader = await door.enter("admin", "admin", "wang", locale)
    assert hint in text_of(await reader.open(f"/tickets/{ticket_no}"))
