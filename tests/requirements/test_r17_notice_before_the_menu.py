"""R17: a caller from the affected area hears the notice first; a caller from another area does not; it stops once the
outage is cleared. In a storm a caller may join the outage's ticket instead of opening another."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.numbers import code_key
from config.runtime import Runtime
from ivr.domain.nodes import GatherNode
from ivr.service.hotlines import active_hotline
from queues.domain.customers import Customer
from queues.domain.tickets import TicketEvent
from queues.service.customers import import_customers
from queues.service.tickets import work_on
from tests.queues.web import notice_form
from tests.queues.web.reader import Reader
from tests.requirements.house import House, open_house
from tests.requirements.reporting import choose, speak
from tests.traces.hotline import Caller, Heard

IN_CITY, IN_VILLAGE, STRANGER, ENGLISH = (f"+861380017000{number}" for number in range(1, 5))
NOTICE = "城区东湖路一带因线路故障停电，预计18点前恢复供电。"
OUTAGE = {
    "kind": "outage",
    "reach": "some",
    "area": "city",
    "text_zh": NOTICE,
    "text_en": "Power is out around East Lake Road; we expect it back by six.",
    "starts": "",
    "ends": "",
    "ticket_no": "",
}


@pytest.fixture
async def house(runtime: Runtime) -> AsyncIterator[House]:
    async with open_house(runtime, "power") as house:
        people = [
            Customer(customer_id="N1", name="城里人", area="city", tier="residential", numbers=(IN_CITY,)),
            Customer(
                customer_id="N2", name="乡下人", area="rural", tier="residential", numbers=(IN_VILLAGE,)
            ),
        ]
        await import_customers(house.runtime, people)
        yield house


async def raised(boss: Reader, **changed: str) -> str:
    return await notice_form.raised(boss, **{**OUTAGE, **changed})


async def test_callers_of_the_area_hear_it_before_the_menu_until_it_is_cleared(house: House) -> None:
    boss = await house.enter("boss", "supervisor")
    _, before = await house.call("CA0", IN_CITY)
    assert NOTICE not in before.said
    notice_id = await raised(boss)

    _, heard = await house.call("CA1", IN_CITY)
    assert (
        heard.said.index("录音") < heard.said.index(f"温馨提示：{NOTICE}") < heard.said.index("停电报修请按1")
    )
    for call_id, number in (("CA2", IN_VILLAGE), ("CA3", STRANGER), ("CA4", "anonymous")):
        _, elsewhere = await house.call(call_id, number)
        assert NOTICE not in elsewhere.said
        assert "停电报修请按1" in elsewhere.said

    assert (await boss.send(f"/notices/{notice_id}/clear", {})).status_code == 303
    _, after = await house.call("CA5", IN_CITY)
    assert NOTICE not in after.said

    audits = await house.rows("audits", "action", "subject", subject=f"notice:{notice_id}")
    assert sorted(each["action"] for each in audits) == ["notice.cleared", "notice.raised"]


@pytest.mark.parametrize("site", ["power", "heat", "gas", "retail"])
async def test_every_hotline_speaks_it_before_its_menu(runtime: Runtime, site: str) -> None:
    async with open_house(runtime, site) as house:
        area, elsewhere, *_ = house.plan.areas
        people = [
            Customer(customer_id="N1", name="城里人", area=area, numbers=(IN_CITY,)),
            Customer(customer_id="N2", name="乡下人", area=elsewhere, numbers=(IN_VILLAGE,)),
        ]
        await import_customers(house.runtime, people)
        await raised(await house.enter("boss", "supervisor"), area=area)
        main_menu = active_hotline(house.runtime).menu.nodes["main_menu"]
        assert isinstance(main_menu, GatherNode)
        menu = main_menu.prompt["zh"]

        said = await said_until(house, "CA1", IN_CITY, menu)
        assert said.index("录音") < said.index(NOTICE) < said.index(menu)
        assert NOTICE not in await said_until(house, "CA2", IN_VILLAGE, menu)


async def said_until(house: House, call_id: str, number: str, menu: str) -> str:
    """All that a caller hears who does nothing; gas offers the emergency alone before the rest."""
    caller, heard = await house.call(call_id, number)
    said = heard.said
    for _ in range(2):
        if menu not in said:
            heard = await caller.press(heard, "")
            said += heard.said
    assert menu in said
    return said


@pytest.mark.parametrize("kind", ["outage", "emergency", "planned"])
async def test_each_caller_hears_it_in_his_own_language(house: House, kind: str) -> None:
    english = Customer(
        customer_id="N4", name="Smith", area="city", tier="residential", numbers=(ENGLISH,), locale="en-US"
    )
    await import_customers(house.runtime, [english])
    await raised(await house.enter("boss", "supervisor"), kind=kind)
    for call_id, number, own, other in (
        ("CA1", ENGLISH, OUTAGE["text_en"], NOTICE),
        ("CA2", IN_CITY, NOTICE, OUTAGE["text_en"]),
    ):
        _, heard = await house.call(call_id, number)
        assert own in heard.said
        assert other not in heard.said


async def test_everybody_hears_what_is_for_everybody(house: House) -> None:
    await raised(await house.enter("boss", "supervisor"), reach="all", area="")
    for call_id, number in (("CA1", IN_CITY), ("CA2", IN_VILLAGE), ("CA3", STRANGER)):
        _, heard = await house.call(call_id, number)
        assert NOTICE in heard.said


async def test_it_is_heard_from_its_start_to_its_end_and_no_longer(house: House, clock: Any) -> None:
    """Nobody has to clear it, and no clock process has to run."""
    boss = await house.enter("boss", "supervisor")
    await raised(boss, starts="2026-11-23T10:00", ends="2026-11-23T11:00")
    heard = []
    for minutes in (59, 1, 59, 1):
        clock.advance(minutes * 60_000)
        _, document = await house.call(f"CA{len(heard)}", IN_CITY)
        heard.append(NOTICE in document.said)
    assert heard == [False, True, True, False]


async def test_a_changed_notice_is_heard_changed(house: House) -> None:
    boss = await house.enter("boss", "supervisor")
    notice_id = await raised(boss)
    changed = {**OUTAGE, "revision": "1", "text_zh": "城区停电，预计20点恢复。"}
    assert (await boss.send(f"/notices/{notice_id}", changed)).status_code == 303
    _, heard = await house.call("CA1", IN_CITY)
    assert "城区停电，预计20点恢复。" in heard.said
    assert NOTICE not in heard.said


async def test_in_a_storm_a_caller_joins_the_outage_ticket_and_opens_no_second_one(house: House) -> None:
    ticket_no = await outage_ticket(house)
    await raised(await house.enter("boss", "supervisor"), ticket_no=ticket_no)

    caller, heard = await house.call("CA1", IN_CITY)
    assert NOTICE in heard.said
    assert "如果您家也停电，请按1登记" in heard.said
    joined = await caller.press(heard, "1")
    assert f"抢修编号{ticket_no[0]} {' '.join(ticket_no[1:])}" in joined.said
    queued = await caller.press(await caller.press(joined, "1"), "2")
    assert "Enqueue" in queued.verbs, queued.said
    assert (await house.facts_of("CA1")).ticket_no == ticket_no
    await caller.report_end()
    await house.settle()

    tickets = await house.rows("tickets", "ticket_no")
    assert [each["ticket_no"] for each in tickets] == [ticket_no]
    (call,) = await house.rows("calls", "ticket_no", "customer_id", call_id="CA1")
    assert call == {"ticket_no": ticket_no, "customer_id": "N1"}


async def test_who_does_not_join_has_the_whole_menu(house: House) -> None:
    ticket_no = await outage_ticket(house)
    await raised(await house.enter("boss", "supervisor"), ticket_no=ticket_no)
    caller, heard = await house.call("CA1", IN_CITY)
    menu = await caller.press(heard, "")
    assert "停电报修请按1" in menu.said
    assert (await house.facts_of("CA1")).ticket_no == ""


async def joined(house: House) -> tuple[Caller, Heard]:
    """A caller who was added to somebody else's repair, and stays on the line."""
    await raised(await house.enter("boss", "supervisor"), ticket_no=await outage_ticket(house))
    caller, heard = await house.call("CA1", IN_CITY)
    return caller, await caller.press(heard, "1")


async def test_who_has_joined_and_then_sees_a_fallen_wire_is_an_emergency_of_his_own(house: House) -> None:
    caller, heard = await joined(house)
    danger = await caller.press(await caller.press(heard, "1"), "1")
    assert danger.said.startswith("已按紧急情况登记")
    await house.settle()
    (ticket,) = await house.rows("tickets", "type", "work_queue", call_id="CA1")
    assert ticket == {"type": "danger", "work_queue": "dispatch_urgent"}


@pytest.mark.parametrize(("key", "type_"), [("1", "complaint"), ("2", "report")])
async def test_who_has_joined_and_then_complains_or_reports_by_name_gets_a_ticket_of_his_own(
    house: House, key: str, type_: str
) -> None:
    caller, heard = await joined(house)
    shared_no = (await house.facts_of("CA1")).ticket_no
    assert (await caller.press(await caller.press(heard, "5"), key)).verbs[-1] == "Enqueue"
    own_no = (await house.facts_of("CA1")).ticket_no
    assert own_no not in ("", shared_no)
    lines = await house.runtime.redis.xrange("{power}:journal")
    (queued,) = [each for _, each in lines if each["type"] == "call.queued" and each["call_id"] == "CA1"]
    assert (json.loads(queued["data"])["ticket_no"], json.loads(queued["data"])["ticket_type"]) == (
        own_no,
        type_,
    )


async def test_who_has_joined_and_then_reports_anonymously_is_told_the_number_of_his_report(
    house: House,
) -> None:
    caller, heard = await joined(house)
    digits, code = await speak(caller, await choose(caller, heard))
    await house.settle()
    (ticket,) = await house.rows("tickets", "ticket_no", "type", "code_key", call_id="CA1")
    key = code_key(house.runtime.settings.secret_key, code)
    assert ticket == {"ticket_no": f"T{digits}", "type": "anonymous_report", "code_key": key}


async def test_nobody_is_added_to_a_repair_that_is_closed(house: House) -> None:
    ticket_no = await outage_ticket(house)
    await raised(await house.enter("boss", "supervisor"), ticket_no=ticket_no)
    caller, heard = await house.call("CA1", IN_CITY)
    await work_on(house.runtime, ticket_no, TicketEvent.CLOSE, "wang")
    menu = await caller.press(heard, "1")
    assert "已为您登记" not in menu.said
    assert "停电报修请按1" in menu.said
    assert (await house.facts_of("CA1")).ticket_no == ""


@pytest.mark.parametrize("key", ["*", "8", "5"])
async def test_who_is_asked_while_the_notice_is_cleared_goes_on_to_the_menu(house: House, key: str) -> None:
    ticket_no = await outage_ticket(house)
    boss = await house.enter("boss", "supervisor")
    notice_id = await raised(boss, ticket_no=ticket_no)
    caller, heard = await house.call("CA1", IN_CITY)
    await boss.send(f"/notices/{notice_id}/clear", {})
    menu = await caller.press(heard, key)
    assert "请按1登记" not in menu.said
    assert "停电报修请按1" in menu.said


async def outage_ticket(house: House) -> str:
    """Somebody of the same street was first; his repair is under way."""
    caller, heard = await house.call("CAfirst", STRANGER)
    account = await caller.press(await caller.press(heard, "1"), "2")
    queued = await caller.press(account, "")  # he does not know his account number
    assert "Enqueue" in queued.verbs, queued.said
    await caller.report_end()
    await house.settle()
    (ticket,) = await house.rows("tickets", "ticket_no")
    return str(ticket["ticket_no"])
