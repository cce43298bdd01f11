"""R14: key 0 anywhere in the main menu queues for an agent; three silent or wrong tries go on to a person, not to
a hang-up."""

import pytest

from config.runtime import Runtime
from tests.requirements.house import House, open_house
from tests.traces.hotline import Caller, Heard

SITES = ("power", "heat", "gas", "retail")
STRANGER = "+8613911112222"


async def at_the_menu(house: House, call_id: str) -> tuple[Caller, Heard]:
    """At the question with the most choices on the way that silence takes."""
    caller, heard = await house.call(call_id, STRANGER)
    while "Gather" in heard.verbs and "人工服务请按0" not in heard.said:
        heard = await caller.press(heard, "")
    return caller, heard


@pytest.mark.parametrize("site", SITES)
async def test_zero_queues_at_the_menu_and_behind_each_of_its_keys(runtime: Runtime, site: str) -> None:
    async with open_house(runtime, site) as house:
        caller, menu = await at_the_menu(house, "CA0")
        assert (await caller.press(menu, "0")).verbs[-1] == "Enqueue"
        for key in "123456789":
            caller, menu = await at_the_menu(house, f"CA{key}")
            heard = await caller.press(menu, key)
            if "Gather" not in heard.verbs:
                continue
            is_number = next(heard.root.iter("Gather")).get("finishOnKey") == "#"
            left = await caller.key_in(heard, "0") if is_number else await caller.press(heard, "0")
            assert left.verbs[-1] == "Enqueue", key


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("answer", ["", "wrong"])
async def test_three_silent_or_wrong_tries_lead_to_a_person(runtime: Runtime, site: str, answer: str) -> None:
    async with open_house(runtime, site) as house:
        caller, heard = await at_the_menu(house, "CA1")
        for _ in range(3):
            assert "Gather" in heard.verbs
            heard = await (caller.speak(heard, "啊", 0.9) if answer else caller.press(heard, ""))
        assert heard.verbs[-1] == "Enqueue"
        assert (await house.facts_of("CA1")).queue
