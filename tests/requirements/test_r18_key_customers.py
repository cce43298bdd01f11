"""R18: a key customer dialling the main number, or the key line, hears the key menu with his name; a non-key caller on
the key line is asked for the account number and, if not key, goes to an agent."""

from pathlib import Path
from typing import Any

import pytest

from config.runtime import Runtime
from tests.requirements.house import House, open_house

FACTORY, HOSPITAL, RESIDENT, STRANGER = (
    "+8613800000001",
    "+8613800000002",
    "+8613800000003",
    "+8613911112222",
)
NAMES = {FACTORY: "恒达化纤有限公司", HOSPITAL: "瑞康医院", RESIDENT: "陈静"}
ACCOUNTS = {FACTORY: "0033000001", HOSPITAL: "0033000002", RESIDENT: "0033000003"}


def row(number: str, **attributes: Any) -> dict[str, Any]:
    return {
        "account_no": ACCOUNTS[number],
        "name": NAMES[number],
        "phones": number,
        "area": "city",
        "address": "人民路1号",
        "customer_kind": "non_residential",
        "capacity_kva": "10",
        "annual_kwh": "3000",
        "high_risk": "no",
        **attributes,
    }


TABLE = [
    row(FACTORY, capacity_kva="2000"),
    row(HOSPITAL, high_risk="yes"),
    row(RESIDENT, customer_kind="residential"),
]


async def furnished(house: House, tmp_path: Path) -> House:
    await house.import_rows(tmp_path / "power.csv", TABLE)
    return house


@pytest.mark.parametrize("number", [FACTORY, HOSPITAL])
@pytest.mark.parametrize("line", ["main", "key_line"])
async def test_a_key_customer_hears_the_key_menu_with_his_name_on_either_line(
    runtime: Runtime, tmp_path: Path, line: str, number: str
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        caller, heard = await house.call("CA1", number, line)
        assert heard.said.startswith(f"尊敬的{NAMES[number]}，您好，欢迎致电示例供电大客户服务专线。")
        assert "大客户专席请按0" in heard.said
        enqueued = await caller.press(heard, "")
        assert "Enqueue" in enqueued.verbs, "who simply holds is put through"
        assert (await house.facts_of("CA1")).queue == "key"


@pytest.mark.parametrize("number", [RESIDENT, STRANGER])
async def test_another_caller_on_the_key_line_is_asked_for_the_account_and_goes_to_an_agent(
    runtime: Runtime, tmp_path: Path, number: str
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        caller, heard = await house.call("CA1", number, "key_line")
        assert heard.said.startswith("您好，欢迎致电示例供电大客户服务专线。")
        asked = await caller.press(heard, "")
        assert asked.said.startswith("请输入您单位的用电户号，按井号键结束")
        told = await caller.key_in(asked, ACCOUNTS[RESIDENT])
        assert told.said.startswith("未能核实到您的大客户信息，将由座席为您核对。")
        assert "Enqueue" in told.verbs
        assert (await house.facts_of("CA1")).queue == "general"


async def test_who_keys_a_key_customers_account_on_the_key_line_hears_the_key_menu(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        caller, heard = await house.call("CA1", STRANGER, "key_line")
        asked = await caller.press(heard, "")
        menu = await caller.key_in(asked, ACCOUNTS[FACTORY])
        assert menu.said.startswith("停电抢修请按1")
        call = await house.facts_of("CA1")
        assert (call.tier, call.customer_name) == ("key_customer", NAMES[FACTORY])
        assert NAMES[FACTORY] not in menu.said, "who only keys a number is not told whose it is"


async def test_who_only_keys_a_number_does_not_hear_the_name_in_another_language_either(
    runtime: Runtime, tmp_path: Path
) -> None:
    """The language keys lead back to the welcome, which greets a key customer by name."""
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        caller, heard = await house.call("CA1", STRANGER)
        menu = await caller.key_in(await caller.press(heard, "6"), ACCOUNTS[FACTORY])
        for key, hello in (("9", "Hello customer, and welcome"), ("7", "尊敬的客户，您好")):
            menu = await caller.press(menu, key)
            assert menu.said.startswith(hello)
            assert NAMES[FACTORY] not in menu.text


async def test_who_does_not_know_the_number_presses_pound_and_reaches_an_agent(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        caller, heard = await house.call("CA1", STRANGER, "key_line")
        told = await caller.key_in(await caller.press(heard, ""), "")
        assert "Enqueue" in told.verbs
        assert (await house.facts_of("CA1")).queue == "general"
