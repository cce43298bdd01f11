"""Customers: in SQL, and found by their number in one step when they call."""

import json
from dataclasses import replace

from config import numbers
from queues.service.customers import find_customer, forget_number, import_customers, number_of, rebuild_index
from queues.service.people import Agent, agents_of_site, find_agent, save_agents
from tests.queues.hotline import CHEN, CHEN_NUMBER, LIN, LIN_NUMBER, WANG, Hotline


async def index_of(hotline: Hotline) -> tuple[dict[str, str], dict[str, str]]:
    redis = hotline.runtime.redis
    return await redis.hgetall("{power}:numbers"), await redis.hgetall("{power}:customers")  # type: ignore[misc]


def key(hotline: Hotline, number: str) -> str:
    return numbers.number_key(hotline.runtime.settings.secret_key, number)


async def test_a_customer_is_known_by_his_number(hotline: Hotline) -> None:
    await hotline.arrive("CA1", LIN_NUMBER)
    await hotline.arrive("CA2", "+8613911112222")
    known = await hotline.switchboard.read_call(call_id="CA1")
    unknown = await hotline.switchboard.read_call(call_id="CA2")
    assert known is not None
    assert unknown is not None
    assert (known.customer_id, known.customer_name, known.tier) == ("C1", LIN.name, "key_customer")
    assert (unknown.customer_id, unknown.is_known, unknown.tier) == ("", False, hotline.plan.default_tier)


async def test_the_file_comes_back_as_it_was_given(hotline: Hotline) -> None:
    given = replace(
        LIN, attributes={"since": "2009", "supply": "dual"}, numbers=("+8613900000001", "+8657187654321")
    )
    await import_customers(hotline.runtime, [given])
    assert await find_customer(hotline.runtime, "C1") == given
    assert await find_customer(hotline.runtime, "C404") is None


async def test_the_live_index_holds_no_number(hotline: Hotline) -> None:
    found, files = await index_of(hotline)
    assert found == {key(hotline, LIN_NUMBER): "C1", key(hotline, CHEN_NUMBER): "C2"}
    assert json.loads(files["C1"]) == {
        "name": LIN.name,
        "tier": "key_customer",
        "locale": "zh-CN",
        "managers": ["wang"],
        "area": "city",
        "account_no": "0033000001",
    }
    assert LIN_NUMBER[3:] not in str((found, files))


async def test_importing_again_replaces(hotline: Hotline) -> None:
    moved = replace(CHEN, tier="business", numbers=("+8613900000003",))
    assert await import_customers(hotline.runtime, [moved]) == 1
    assert await find_customer(hotline.runtime, "C2") == moved
    found, files = await index_of(hotline)
    assert found == {key(hotline, LIN_NUMBER): "C1", key(hotline, "+8613900000003"): "C2"}
    assert json.loads(files["C2"])["tier"] == "business"


async def test_a_number_may_be_in_two_files_that_of_the_higher_tier_first(hotline: Hotline) -> None:
    await import_customers(hotline.runtime, [replace(CHEN, numbers=(CHEN_NUMBER, LIN_NUMBER))])
    found, _ = await index_of(hotline)
    assert found[key(hotline, LIN_NUMBER)] == "C1\nC2"
    await import_customers(hotline.runtime, [replace(CHEN, tier="high_risk", numbers=(LIN_NUMBER,))])
    found, _ = await index_of(hotline)
    assert found == {key(hotline, LIN_NUMBER): "C2\nC1"}
    assert await find_customer(hotline.runtime, "C1") == LIN


async def test_a_lost_index_is_made_again_from_sql(hotline: Hotline) -> None:
    before = await index_of(hotline)
    await hotline.runtime.redis.delete("{power}:numbers", "{power}:customers")
    assert await rebuild_index(hotline.runtime) == 2
    assert await index_of(hotline) == before
    await hotline.runtime.redis.hset("{power}:numbers", "stale", "C9")  # type: ignore[misc]
    await rebuild_index(hotline.runtime)
    assert await index_of(hotline) == before


async def test_many_customers_go_in_batches(hotline: Hotline) -> None:
    many = [
        replace(CHEN, customer_id=f"D{number:04d}", numbers=(f"+86137{number:08d}",))
        for number in range(1201)
    ]
    assert await import_customers(hotline.runtime, iter(many)) == 1201
    assert await rebuild_index(hotline.runtime) == 1203


async def test_a_forgotten_number_is_gone(hotline: Hotline) -> None:
    await hotline.arrive("CA1", CHEN_NUMBER)
    await hotline.scribe.drain()
    caller_ref = key(hotline, CHEN_NUMBER)
    assert await number_of(hotline.runtime, caller_ref) == CHEN_NUMBER
    assert await forget_number(hotline.runtime, caller_ref) is True
    assert await forget_number(hotline.runtime, caller_ref) is False
    assert await number_of(hotline.runtime, caller_ref) is None


async def test_agents_are_kept_and_replaced(hotline: Hotline) -> None:
    zhao = Agent(agent_id="zhao", name="赵磊", skills=("english",), endpoint="+8613711110000")
    await save_agents(hotline.runtime, [zhao])
    await save_agents(hotline.runtime, [replace(zhao, skills=())])
    assert await agents_of_site(hotline.runtime) == [WANG, replace(zhao, skills=())]
    assert await find_agent(hotline.runtime, "nobody") is None
