"""R10: two different linked numbers open the same file and reach the same owner. "Reach the same owner" is read as: the
desk of whoever is offered the call names the same account manager. That the manager himself is rung first comes with
routing to managers, and is not shown here."""

from pathlib import Path

import pytest

from config.runtime import Runtime
from queues.service.people import Agent, save_agents
from tests.requirements.firms import row
from tests.requirements.house import open_house

OFFICE, MOBILE, BUYER = "+8657188886666", "+8613800138000", "+8613700001111"


@pytest.mark.parametrize("number", [OFFICE, MOBILE, BUYER])
async def test_every_number_of_a_firm_opens_its_file_and_names_its_manager(
    runtime: Runtime, tmp_path: Path, number: str
) -> None:
    async with open_house(runtime, "power") as house:
        wang = Agent(agent_id="wang", name="王敏", skills=(), endpoint="client:wang")
        await save_agents(house.runtime, [wang])
        firm = {
            **row("0001", "2500", "0", "no"),
            "phones": "0571-88886666、138 0013 8000",
            "联系人": "李梅 | 采购 | 13700001111",
            "客户经理": "王敏",
        }
        await house.import_rows(tmp_path / "power.csv", [firm])
        caller, heard = await house.call("CA1", number)
        facts = await house.facts_of("CA1")
        assert (facts.customer_id, facts.manager) == (await house.id_of("0001"), "wang")
        await caller.press(heard, "0")
        desk = await house.agent("li", "李静")
        assert await house.offered_to("li") == "CA1"
        assert {"label": "Manager", "text": "王敏"} in (await desk.get("/desk/state"))["customer"]["facts"]


async def test_a_number_of_two_files_opens_that_of_the_higher_tier_and_tells_of_the_other(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        small, large = row("0001", "8", "0", "no"), row("0002", "2500", "0", "no")
        table = [{**small, "phones": "13800138000"}, {**large, "phones": "13800138000"}]
        await house.import_rows(tmp_path / "power.csv", table)
        await house.call("CA1", MOBILE)
        facts = await house.facts_of("CA1")
        assert (facts.customer_id, facts.tier) == (await house.id_of("0002"), "key_customer")
        assert facts.shared == 1
