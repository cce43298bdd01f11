"""R25: 499.99 yuan stays at the desk, 500 goes to the service manager, 2000 to the store manager; food poisoning or
injury goes to the store manager at any amount."""

import re
from collections.abc import AsyncIterator

import pytest

from config.runtime import Runtime
from tests.queues.web.reader import Reader, text_of
from tests.requirements.house import House, open_house

CALLER = "+8613900000001"
DESK, SERVICE, STORE = "desk", "service_manager", "store_manager"


@pytest.fixture
async def house(runtime: Runtime) -> AsyncIterator[House]:
    """A complaint has been made, and its ticket written."""
    async with open_house(runtime, "retail") as house:
        caller, heard = await house.call("CA1", CALLER)
        for key in "61":
            heard = await caller.press(await caller.send_on(heard), key)
        assert "Enqueue" in heard.verbs
        await caller.report_end()
        await house.settle()
        yield house


async def ticket(house: House) -> tuple[str, str]:
    (row,) = await house.rows("tickets", "ticket_no", "post")
    return row["ticket_no"], row["post"]


async def enter(reader: Reader, house: House, amount: str, gravity: str = "", why: str = "") -> str:
    """Amount and gravity on the ticket's page; what it then says."""
    ticket_no, _ = await ticket(house)
    page = await reader.open(f"/tickets/{ticket_no}")
    found = re.search(r'name="revision" value="(\d+)"', page.text)
    assert found
    form = {"revision": found[1], "amount": amount, "gravity": gravity, "why": why}
    answer = await reader.send(f"/tickets/{ticket_no}/weight", form)
    return text_of(await reader.open(f"/tickets/{ticket_no}") if answer.status_code == 303 else answer)


async def test_the_amount_and_the_gravity_decide_who_settles_it(house: House) -> None:
    agent = await house.agent("wang", "王敏")
    found: list[tuple[str, str, str]] = []
    cases = [("", ""), ("0", ""), ("499.99", ""), ("500", ""), ("1,999.99", ""), ("2000", "")]
    cases += [("", "food_poisoning"), ("3.50", "food_poisoning"), ("0", "injury"), ("100", "quarrel")]
    for amount, gravity in cases:
        await enter(agent, house, amount, gravity, why="entered anew")
        found.append((amount, gravity, (await ticket(house))[1]))
    assert found == [
        ("", "", DESK),
        ("0", "", DESK),
        ("499.99", "", DESK),
        ("500", "", SERVICE),
        ("1,999.99", "", SERVICE),
        ("2000", "", STORE),
        ("", "food_poisoning", STORE),
        ("3.50", "food_poisoning", STORE),
        ("0", "injury", STORE),
        ("100", "quarrel", SERVICE),
    ]


async def test_it_goes_up_at_once_and_down_with_a_reason_alone(house: House) -> None:
    agent = await house.agent("wang", "王敏")
    assert "Settled by Store manager" in await enter(agent, house, "2500")
    assert "A lower post would settle it; say why." in await enter(agent, house, "25.00")
    assert (await ticket(house))[1] == STORE
    page = await enter(agent, house, "25.00", why="the comma was in the wrong place")
    said = "Amount 2500 → 25 Settled by Store manager → Service desk"
    assert f"the comma was in the wrong place {said}" in page
    for wrong in ("many", "-1", "4.999", "NaN", "99999999999", "1e999999", "sNaN"):
        assert "Write the amount as a number" in await enter(agent, house, wrong)


async def test_what_stands_with_a_manager_is_on_his_list_and_not_an_agents_to_settle(house: House) -> None:
    agent, boss = await house.agent("wang", "王敏"), await house.enter("boss", "supervisor")
    ticket_no, _ = await ticket(house)
    await enter(agent, house, "500")
    listed = [ticket_no in (await boss.open(f"/tickets?post={post}")).text for post in (DESK, SERVICE, STORE)]
    assert listed == [False, True, False]
    (row,) = await house.rows("tickets", "revision")
    form = {"event": "resolve", "revision": str(row["revision"])}
    assert (await agent.send(f"/tickets/{ticket_no}/move", form)).status_code == 403
    assert (await boss.send(f"/tickets/{ticket_no}/move", form)).status_code == 303
