"""Customers: found by name, number or account; the file, who may see what of it, and the forms that change it."""

import datetime as dt
import html
import re
from dataclasses import replace
from typing import Any

import pytest

from queues.service import customers, managers, tiers
from queues.service.customers import Contact, Customer, find_customer, import_customers
from queues.service.people import Agent, save_agents
from tests.queues.hotline import LIN, WANG, Hotline
from tests.queues.web.reader import Door, Reader, text_of

VALUES = {
    "customer_kind": "residential",
    "address": "东湖路88号",
    "capacity_kva": "8",
    "annual_kwh": "2400",
    "high_risk": "no",
}
ZHAO = Customer(
    customer_id="C7",
    name="赵奶奶",
    account_no="0033007007",
    tier="special_care",
    is_care=True,
    class_code="S",
    area="city",
    managers=("li",),
    has_consent=True,
    numbers=("+8657155667788",),
    contacts=(Contact(name="赵明", role="儿子", numbers=("+8613700000007",), wants_notices=True),),
    attributes={**VALUES, "special_care": "yes"},
)
LI = Agent(agent_id="li", name="李静", skills=("general",), endpoint="client:li")
WHOLE = ("57155667788", "5566 7788", "13700000007", "137 0000 0007")


@pytest.fixture
async def boss(door: Door, hotline: Hotline) -> Reader:
    lin = replace(LIN, has_consent=True, attributes={**VALUES, "capacity_kva": "2500"})
    await import_customers(hotline.runtime, [ZHAO, lin])
    await save_agents(hotline.runtime, [LI, WANG])
    return await door.enter("boss", "supervisor")


@pytest.mark.parametrize(
    "text", ["赵奶", "0571-5566 7788", "+86 571 55667788", "137 0000 0007", "0033007007"]
)
async def test_a_customer_is_found_by_name_number_or_account(boss: Reader, text: str) -> None:
    await boss.open("/customers")
    found = await boss.send("/customers", {"q": text})
    assert (found.status_code, found.headers["Location"]) == (303, "/customers/C7")


async def test_several_are_listed_and_nobody_is_said_so(boss: Reader, hotline: Hotline) -> None:
    await import_customers(hotline.runtime, [Customer(customer_id="C8", name="赵钱孙", tier="residential")])
    page = await boss.send("/customers", {"q": "赵"})
    assert re.findall(r'<a href="/customers/(C\d)">', page.text) == ["C7", "C8"]
    assert "特殊关怀客户" in text_of(page)
    nobody = await boss.send("/customers", {"q": "没有这个人"})
    assert "没有找到" in text_of(nobody)
    assert 'value="没有这个人"' in nobody.text


async def test_the_file_is_masked_until_somebody_looks_by_right(
    boss: Reader, door: Door, hotline: Hotline
) -> None:
    page = await boss.open("/customers/C7")
    said = text_of(page)
    for shown in ("赵奶奶", "0033007007", "李静", "赵明", "+86 137****0007", "往来记录"):
        assert shown in said
    assert not [number for number in WHOLE if number in page.text]
    revealed = await boss.send("/customers/C7/reveal", {})
    assert "137 0000 0007" in text_of(revealed)
    looks = await hotline.rows("audits", "action", "subject")
    assert looks == [{"action": "customer.revealed", "subject": "C7"}]
    wang = await door.agent()
    assert (await wang.open("/customers/C7")).status_code == 200
    assert (await wang.send("/customers/C7/reveal", {})).status_code == 403
    assert "显示号码" not in text_of(await wang.open("/customers/C7"))


async def test_a_manager_may_see_the_numbers_of_his_own(boss: Reader, door: Door) -> None:
    li = await door.agent("li")
    assert (await li.send("/customers/C7/reveal", {})).status_code == 200
    assert (await li.send("/customers/C1/reveal", {})).status_code == 403


async def test_everything_that_happened_is_in_one_line_of_time(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    ticket_no = await hotline.answered_call("CA1", matter="power_cut")
    await hotline.write_down()
    clock.advance(60_000)
    await customers.update_customer(
        hotline.runtime, "C1", {"capacity_kva": "3150"}, by="boss", reason="增容报装"
    )
    page = await boss.open("/customers/C1")
    said = text_of(page)
    kinds = re.findall(r'<li data-kind="(\w+)">', page.text)
    assert kinds[0] in ("change", "tier")
    assert kinds.index("change") < kinds.index("call")
    assert {"call", "ticket", "change"} <= set(kinds)
    assert 'href="/calls/CA1"' in page.text
    assert f'href="/tickets/{ticket_no}"' in page.text
    assert "增容报装" in said
    assert "→ 3150" in said


async def test_a_long_line_turns_its_page(boss: Reader, hotline: Hotline, clock: Any) -> None:
    for number in range(70):
        clock.advance(1_000)
        done = await customers.update_customer(
            hotline.runtime, "C1", {"capacity_kva": str(100 + number)}, by="boss", reason=f"第{number}次"
        )
        assert done is not None
        assert done.changes
    first = await boss.open("/customers/C1")
    older = re.search(r'href="(/customers/C1\?before=\d+)"', first.text)
    assert older
    second = await boss.open(older[1])
    seen = re.findall(r"第(\d+)次", first.text) + re.findall(r"第(\d+)次", second.text)
    assert list(dict.fromkeys(map(int, seen))) == list(range(69, -1, -1))


async def test_values_are_changed_with_a_reason(boss: Reader, hotline: Hotline) -> None:
    page = await boss.open("/customers/C7/edit")
    form = (
        hidden(page.text) | typed(page.text) | {"reason": "电话告知", "capacity_kva": "12", "consent": "yes"}
    )
    sent = await boss.send("/customers/C7/edit", form)
    assert sent.status_code == 303, text_of(sent)
    after = await find_customer(hotline.runtime, "C7")
    assert after is not None
    assert after.attributes["capacity_kva"] == "12"
    assert after.everybodys_numbers == ZHAO.everybodys_numbers
    assert after.contacts == ZHAO.contacts
    assert after.has_consent


async def test_a_wrong_value_names_its_field_and_is_kept(boss: Reader, hotline: Hotline) -> None:
    page = await boss.open("/customers/C7/edit")
    whole = hidden(page.text) | typed(page.text) | {"consent": "yes"}
    wrong = await boss.send("/customers/C7/edit", {**whole, "capacity_kva": "很多", "reason": "电话告知"})
    assert wrong.status_code == 422
    assert "“很多”不是数字" in text_of(wrong)
    assert 'value="很多"' in wrong.text
    assert 'href="#capacity_kva"' in wrong.text
    assert (await boss.send("/customers/C7/edit", {**whole, "reason": ""})).status_code == 422
    assert (await find_customer(hotline.runtime, "C7")) == ZHAO


async def test_who_may_not_change_the_file_cannot(boss: Reader, door: Door) -> None:
    wang, qa = await door.agent(), await door.enter("qa", "qa")
    for reader in (wang, qa):
        for path in (
            "/customers/C7/edit",
            "/customers/C7/managers",
            "/customers/import",
            "/customers/leaves",
        ):
            assert (await reader.open(path)).status_code == 403, path
    assert (await wang.open("/customers/tiers")).status_code == 403
    assert (await qa.open("/customers/tiers")).status_code == 200
    assert (await qa.send("/customers/tiers/x/approve", {})).status_code == 403


async def test_a_tier_is_asked_for_by_one_and_approved_by_another(
    boss: Reader, door: Door, hotline: Hotline
) -> None:
    wang = await door.agent()
    asked = {"tier": "key_customer", "reason": "重点工程用电", "until": "2026-12-31"}
    wrong = await wang.send("/customers/C1/tier", {**asked, "until": "2026-11-01"})
    assert wrong.status_code == 422
    assert "有效期已经过去" in text_of(wrong)
    assert "重点工程用电" in wrong.text
    assert (await wang.send("/customers/C2/tier", asked)).status_code == 303
    (change,) = await tiers.pending_changes(hotline.runtime)
    page = await boss.open("/customers/tiers")
    assert "待批准 1" in text_of(page)
    assert "重点工程用电" in text_of(page)
    assert (await wang.send(f"/customers/tiers/{change.change_id}/approve", {})).status_code == 403
    assert (await boss.send(f"/customers/tiers/{change.change_id}/approve", {})).status_code == 303
    file = text_of(await boss.open("/customers/C2"))
    assert "大客户" in file
    assert "由人工指定" in file
    assert "重点工程用电；有效至 2026年12月31日；wang 申请，boss 批准" in file
    again = await boss.send(f"/customers/tiers/{change.change_id}/refuse", {})
    assert again.status_code == 409
    assert "别人已经处理过" in text_of(again)


async def test_nobody_approves_his_own(boss: Reader, hotline: Hotline) -> None:
    asked = {"tier": "key_customer", "reason": "重点工程", "until": "2026-12-31"}
    assert (await boss.send("/customers/C2/tier", asked)).status_code == 303
    (change,) = await tiers.pending_changes(hotline.runtime)
    assert "您自己的申请要由别人批准" in text_of(await boss.open("/customers/tiers"))
    refused = await boss.send(f"/customers/tiers/{change.change_id}/approve", {})
    assert refused.status_code == 409
    assert (await boss.send(f"/customers/C2/tier/{change.change_id}/withdraw", {})).status_code == 303
    assert await tiers.pending_changes(hotline.runtime) == []


async def test_the_tiers_page_tells_rules_and_bounds(boss: Reader) -> None:
    said = text_of(await boss.open("/customers/tiers"))
    for word in (
        "高危重点客户",
        "≥ 2000",
        "提前量",
        "等待上限",
        "最多可以先于",
        "特殊关怀客户",
        "没有客户经理的客户",
    ):
        assert word in said, word


async def test_managers_are_ranked_go_on_leave_and_pairs_are_kept(
    boss: Reader, hotline: Hotline, clock: Any
) -> None:
    rows = [("manager", "wang"), ("wait", "30"), ("manager", "li"), ("wait", "")]
    body = "&".join(f"{name}={value}" for name, value in rows)
    sent = await boss.client.post(
        "/customers/C1/managers",
        content=f"csrf={boss.csrf}&{body}",
        headers={"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert sent.status_code == 303
    ranked = await managers.managers_of(hotline.runtime, "C1")
    assert [(each.agent_id, each.wait_ms) for each in ranked] == [("wang", 30_000), ("li", 20_000)]
    wrong = await boss.send("/customers/C1/managers", {"manager": "wang", "wait": "9999"})
    assert "等候时间要在 1 到 600 秒之间" in text_of(wrong)
    leave = {"agent": "wang", "from": "2026-11-23T08:00", "until": "2026-11-24T18:00", "cover": "li"}
    assert (await boss.send("/customers/leaves", {**leave, "cover": "wang"})).status_code == 422
    assert (await boss.send("/customers/leaves", leave)).status_code == 303
    file = text_of(await boss.open("/customers/C1"))
    assert "现由 李静 代 王敏" in file
    assert "休假至 2026年11月24日" in file
    pair = {"agent": "wang", "never_reason": "曾有纠纷"}
    assert (await boss.send("/customers/C1/never", {**pair, "never_reason": ""})).status_code == 422
    assert (await boss.send("/customers/C1/never", pair)).status_code == 303
    assert "曾有纠纷" in text_of(await boss.open("/customers/C1"))
    assert (await boss.send("/customers/C1/never/wang/remove", {})).status_code == 303
    assert "曾有纠纷" not in text_of(await boss.open("/customers/C1"))
    (known,) = await managers.leaves(hotline.runtime)
    assert (await boss.send(f"/customers/leaves/{known.leave_id}/end", {})).status_code == 303
    assert "没有登记的休假" in text_of(await boss.open("/customers/leaves"))


async def test_the_pages_speak_english_and_miss_no_word(door: Door, hotline: Hotline, clock: Any) -> None:
    await import_customers(hotline.runtime, [ZHAO])
    await save_agents(hotline.runtime, [LI, WANG])
    boss = await door.enter("boss", "supervisor", locale="en")
    await hotline.answered_call("CA1")
    await hotline.write_down()
    until = dt.date(2026, 12, 31)
    await tiers.request_change(
        hotline.runtime, customer_id="C7", tier="key_customer", reason="why", until=until, by="x"
    )
    for path in (
        *("/customers", "/customers/C7", "/customers/C1", "/customers/C7/edit", "/customers/C7/tier"),
        *("/customers/C7/managers", "/customers/tiers", "/customers/leaves", "/customers/import"),
    ):
        page = await boss.open(path)
        assert page.status_code == 200, path
        assert not re.search(r"\b(customers|tiers|imports|notices|state)\.[a-z_.]+\b", text_of(page)), path
    assert (await boss.open("/customers/none")).status_code == 404


def hidden(page: str) -> dict[str, str]:
    """The form's hidden fields as a browser sends them."""
    found = re.findall(r'<input type="hidden" name="(was_\w+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def typed(page: str) -> dict[str, str]:
    return {name.removeprefix("was_"): value for name, value in hidden(page).items()}
