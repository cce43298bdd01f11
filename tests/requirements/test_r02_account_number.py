"""R2: keying a valid 户号 attaches that customer and tier to the call; pressing # alone goes on, and the ticket
carries the caller's number."""

from pathlib import Path

from config.runtime import Runtime
from queues.service.customers import number_of
from tests.requirements.firms import row
from tests.requirements.house import House, open_house

STRANGER = "+8613911112222"


async def ticket_of(house: House, call_id: str) -> dict[str, object]:
    """The only one there is, once the scribe and the workers have done their part."""
    await house.settle()
    (found,) = await house.rows("tickets", call_id=call_id)
    return found


async def test_a_keyed_account_number_attaches_its_customer_and_tier(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(
            tmp_path / "power.csv", [{**row("47110001", "2500", "0", "no"), "phones": "13800004711"}]
        )
        caller, heard = await house.call("CA1", STRANGER)
        before = await house.facts_of("CA1")
        assert (before.is_known, before.tier) == (False, "residential")

        asked = await caller.press(await caller.press(heard, "1"), "2")
        assert "户号" in asked.said
        assert (await caller.key_in(asked, "47110001")).verbs[-1] == "Enqueue"
        facts = await house.facts_of("CA1")
        assert facts.is_known
        assert facts.customer_id == await house.id_of("47110001")
        assert (facts.tier, facts.area) == ("key_customer", "city")
        ticket = await ticket_of(house, "CA1")
        assert (ticket["customer_id"], ticket["tier"]) == (facts.customer_id, "key_customer")


async def test_pound_alone_goes_on_and_the_ticket_leads_to_the_callers_number(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        caller, heard = await house.call("CA1", STRANGER)
        asked = await caller.press(await caller.press(heard, "1"), "2")
        assert (await caller.key_in(asked, "")).verbs[-1] == "Enqueue"
        ticket = await ticket_of(house, "CA1")
        assert not ticket["customer_id"]
        assert await number_of(house.runtime, str(ticket["caller_ref"])) == STRANGER


async def test_a_number_that_nobody_has_goes_on_without_a_customer(runtime: Runtime) -> None:
    async with open_house(runtime, "gas") as house:
        caller, heard = await house.call("CA1", STRANGER)
        heard = await caller.press(await caller.press(heard, ""), "2")
        asked = await caller.press(heard, "2")
        for _ in range(3):
            assert "户号" in asked.said
            asked = await caller.key_in(asked, "99999999")
        assert asked.verbs[-1] == "Enqueue"
        assert not (await house.facts_of("CA1")).is_known
