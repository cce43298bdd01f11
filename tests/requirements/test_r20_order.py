"""R20: with one seat free emergency goes first, then the key customer, then the resident, whatever the order of
arrival; a resident who has waited 4 minutes goes ahead of a business caller just arrived; within a tier, first come
first served. Read as: our schema has head starts in place of ageing. At the power site a business caller counts as if
he had come one minute earlier, so a resident is ahead of him from one minute on, and at four minutes all the more."""

from itertools import permutations

import pytest

from config.runtime import Runtime
from queues.service.customers import Customer, import_customers
from tests.doubles import ManualClock
from tests.requirements.house import House, open_house

FACTORY, SHOP, RESIDENT, NEIGHBOUR = (f"+861390000000{n}" for n in range(1, 5))
FILES = tuple(
    Customer(customer_id=f"C{n}", name=f"客户{n}", tier=tier, locale="zh-CN", numbers=(number,))
    for n, (number, tier) in enumerate(
        [(FACTORY, "key_customer"), (SHOP, "business"), (RESIDENT, "residential"), (NEIGHBOUR, "residential")]
    )
)
MINUTE_MS = 60_000
# The keys of a fallen wire; every other caller asks for a person.
DANGER, PERSON = "11", "0"


async def rings(house: House, clock: ManualClock, call_id: str, number: str, keys: str = PERSON) -> None:
    """A caller comes as far as the queue, a second after whoever came before him."""
    clock.advance(1_000)
    caller, heard = await house.call(call_id, number)
    for key in keys:
        heard = await caller.press(heard, key)
    assert "Enqueue" in heard.verbs


async def served(house: House, calls: int) -> list[str]:
    """Whom the one free seat is offered, one after another; each has gone again before the next."""
    order = []
    for _ in range(calls):
        order.append(await house.offered_to("wang"))
        await house.hotline.caller(order[-1]).report_end()
    return order


@pytest.fixture
async def arrivals() -> dict[str, tuple[str, str]]:
    return {"danger": (NEIGHBOUR, DANGER), "key": (FACTORY, PERSON), "resident": (RESIDENT, PERSON)}


async def test_emergency_then_key_customer_then_resident_whatever_the_order_of_arrival(
    runtime: Runtime, clock: ManualClock, arrivals: dict[str, tuple[str, str]]
) -> None:
    async with open_house(runtime, "power") as house:
        await import_customers(runtime, FILES)
        await house.agent("wang", "王敏")
        for n, order in enumerate(permutations(arrivals)):
            board = house.hotline.switchboard
            await board.set_presence(agent_id="wang", presence="away", reason="meal")
            for name in order:
                number, keys = arrivals[name]
                await rings(house, clock, f"CA{n}{name}", number, keys)
            await board.set_presence(agent_id="wang", presence="ready")
            assert await served(house, 3) == [f"CA{n}danger", f"CA{n}key", f"CA{n}resident"], order


@pytest.mark.parametrize(
    ("waited_ms", "first"),
    [
        (4 * MINUTE_MS, "CAresident"),
        (MINUTE_MS, "CAresident"),
        (MINUTE_MS - 1_000, "CAshop"),
        (0, "CAshop"),
    ],
)
async def test_a_resident_goes_ahead_of_a_business_caller_when_he_came_a_head_start_earlier(
    runtime: Runtime, clock: ManualClock, waited_ms: int, first: str
) -> None:
    async with open_house(runtime, "power") as house:
        await import_customers(runtime, FILES)
        head_start_ms = house.plan.tiers["business"].head_start_ms
        assert (head_start_ms, house.plan.tiers["residential"].head_start_ms) == (MINUTE_MS, 0)
        await rings(house, clock, "CAresident", RESIDENT)
        # The second between two callers is part of it.
        clock.advance(max(0, waited_ms - 1_000))
        await rings(house, clock, "CAshop", SHOP)
        await house.agent("wang", "王敏")
        assert (await served(house, 2))[0] == first


async def test_nobody_starves_however_many_key_customers_come_after_him(
    runtime: Runtime, clock: ManualClock
) -> None:
    """Ever new key customers, one a minute; the resident's turn comes when his ceiling is reached."""
    async with open_house(runtime, "power") as house:
        await import_customers(runtime, FILES)
        ceiling_ms = house.plan.tiers["residential"].ceiling_ms
        await rings(house, clock, "CAresident", RESIDENT)
        began_ms = clock.now_ms()
        await house.agent("wang", "王敏")
        passed = []
        for n in range(30):
            clock.advance(MINUTE_MS)
            await rings(house, clock, f"CAkey{n}", FACTORY)
            (call_id,) = await served(house, 1)
            if call_id == "CAresident":
                break
            passed.append(call_id)
        assert call_id == "CAresident"
        assert clock.now_ms() - began_ms <= ceiling_ms + MINUTE_MS + 1_000
        assert passed, "somebody did pass him"


async def test_within_a_tier_first_come_first_served(runtime: Runtime, clock: ManualClock) -> None:
    async with open_house(runtime, "power") as house:
        await import_customers(runtime, FILES)
        calls = [f"CA{n}" for n in (3, 1, 2, 0)]
        for call_id, number in zip(calls, (RESIDENT, NEIGHBOUR, "anonymous", "+8613911112222"), strict=True):
            await rings(house, clock, call_id, number)
        await house.agent("wang", "王敏")
        assert await served(house, 4) == calls


async def test_two_who_come_in_the_same_instant_are_served_as_they_arrived(
    runtime: Runtime, clock: ManualClock
) -> None:
    async with open_house(runtime, "power") as house:
        for call_id, number in (("CAz", RESIDENT), ("CAa", NEIGHBOUR)):
            caller, heard = await house.call(call_id, number)
            await caller.press(heard, PERSON)
        await house.agent("wang", "王敏")
        assert await served(house, 2) == ["CAz", "CAa"]
