"""Account managers: a ranked list, leaves with cover, pairs kept apart on paper; SQL first, then the live store."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.domain.managers import Appointment, Leave, Manager, effective_manager
from queues.service import managers
from queues.service.customers import import_customers
from queues.service.people import Agent, mend_people, save_agents
from tests.doubles import ManualClock
from tests.queues.outlets import column, rows

HOUR_MS = 3_600_000
PEOPLE = "{power}:people"


def agent(agent_id: str, name: str) -> Agent:
    return Agent(agent_id=agent_id, name=name, skills=("general",), endpoint=f"client:{agent_id}")


WANG, LI, ZHAO = agent("wang", "王敏"), agent("li", "李强"), agent("zhao", "赵云")


@pytest.fixture
async def house(runtime: Runtime) -> Runtime:
    await save_agents(runtime, [WANG, LI, ZHAO])
    await import_customers(
        runtime,
        [
            Customer(customer_id="C1", name="恒达化纤", tier="key_customer"),
            Customer(customer_id="C2", name="陈静", tier="residential"),
            Customer(customer_id="C3", name="市医院", tier="high_risk"),
        ],
    )
    return runtime


def appointed(*agent_ids: str, wait_ms: int = 20_000) -> list[Appointment]:
    return [Appointment(agent_id=agent_id, wait_ms=wait_ms) for agent_id in agent_ids]


async def live(runtime: Runtime, key: str) -> dict[str, Any]:
    return {str(name): json.loads(text) for name, text in (await runtime.redis.hgetall(key)).items()}


async def set_c1(house: Runtime, *agent_ids: str, by: str = "mei") -> str:
    return await managers.set_managers(house, customer_id="C1", managers=appointed(*agent_ids), by=by)


async def test_a_list_is_ranked_and_each_has_a_wait_of_his_own(house: Runtime, clock: ManualClock) -> None:
    given = [Appointment(agent_id="li", wait_ms=15_000), Appointment(agent_id="wang", wait_ms=40_000)]
    assert await managers.set_managers(house, customer_id="C1", managers=given, by="mei") == "ok"
    since = clock.now_ms()
    told = [
        (each.agent_id, each.wait_ms, each.since_ms, each.origin, each.account_id)
        for each in await managers.managers_of(house, "C1")
    ]
    assert told == [("li", 15_000, since, "hand", "mei"), ("wang", 40_000, since, "hand", "mei")]
    assert (await live(house, "{power}:customers"))["C1"]["managers"] == ["li", "wang"]


async def test_who_stays_keeps_the_date_of_his_appointment(house: Runtime, clock: ManualClock) -> None:
    await set_c1(house, "wang", "li")
    first_ms = clock.now_ms()
    clock.advance(HOUR_MS)
    await set_c1(house, "zhao", "wang", by="an")
    told = [
        (each.agent_id, each.since_ms, each.account_id) for each in await managers.managers_of(house, "C1")
    ]
    assert told == [("zhao", clock.now_ms(), "an"), ("wang", first_ms, "mei")]
    assert {row["agent_id"] for row in await rows(house, "appointments")} == {"zhao", "wang"}


async def test_appointment_and_removal_are_told_with_date_and_origin(
    house: Runtime, clock: ManualClock
) -> None:
    await set_c1(house, "wang")
    clock.advance(HOUR_MS)
    await set_c1(house)
    changes = [
        (row["field"], row["before"], row["after"], row["origin"], row["account_id"], row["at_ms"])
        for row in await rows(house, "customer_changes")
    ]
    now_ms = clock.now_ms()
    assert changes == [
        ("managers", None, "wang", "hand", "mei", now_ms - HOUR_MS),
        ("managers", "wang", None, "hand", "mei", now_ms),
    ]
    audited = [(row["action"], row["subject"], row["account_id"]) for row in await rows(house, "audits")]
    assert audited == [("managers.set", "C1", "mei")] * 2
    await set_c1(house)
    assert len(await rows(house, "audits")) == 2, "what changes nothing is no event"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (appointed("nobody"), "unknown_agent"),
        (appointed("wang", "wang"), "twice"),
        (appointed("wang", wait_ms=0), "bad_wait"),
        (appointed(*(f"a{number}" for number in range(6))), "too_many"),
    ],
)
async def test_a_list_that_cannot_be_leaves_all_as_it_was(
    house: Runtime, given: Sequence[Appointment], word: str
) -> None:
    await set_c1(house, "li")
    assert await managers.set_managers(house, customer_id="C1", managers=given, by="mei") == word
    assert [each.agent_id for each in await managers.managers_of(house, "C1")] == ["li"]
    assert await managers.set_managers(house, customer_id="C9", managers=[], by="mei") == "unknown_customer"


async def test_during_a_leave_the_cover_answers_and_afterwards_the_manager(
    house: Runtime, clock: ManualClock
) -> None:
    await set_c1(house, "wang", "zhao")
    now_ms = clock.now_ms()
    leave = {"agent_id": "wang", "from_ms": now_ms + HOUR_MS, "until_ms": now_ms + 2 * HOUR_MS}
    assert await managers.set_leave(house, **leave, cover="li", by="mei") == "ok"
    assert await managers.manager_now(house, "C1") == Manager(agent_id="wang")
    clock.advance(HOUR_MS)
    assert await managers.manager_now(house, "C1") == Manager(agent_id="li", stands_in_for="wang")
    assert (await live(house, PEOPLE))["wang"] == {
        "name": "王敏",
        "leaves": [{"from_ms": leave["from_ms"], "until_ms": leave["until_ms"], "cover": "li"}],
    }
    clock.advance(HOUR_MS)
    assert await managers.manager_now(house, "C1") == Manager(agent_id="wang")
    assert await managers.leaves(house) == []
    assert await mend_people(house) == 1, "a leave that is over goes out of the live store"
    assert (await live(house, PEOPLE))["wang"] == {"name": "王敏", "leaves": []}


async def test_a_leave_without_a_cover_passes_to_the_next_in_rank(house: Runtime, clock: ManualClock) -> None:
    await set_c1(house, "wang", "zhao")
    now_ms = clock.now_ms()
    await managers.set_leave(house, agent_id="wang", from_ms=now_ms, until_ms=now_ms + HOUR_MS, by="mei")
    assert await managers.manager_now(house, "C1") == Manager(agent_id="zhao")
    await managers.set_leave(house, agent_id="zhao", from_ms=now_ms, until_ms=now_ms + HOUR_MS, by="mei")
    assert await managers.manager_now(house, "C1") is None


async def test_a_leave_can_end_early_or_never_begin(house: Runtime, clock: ManualClock) -> None:
    now_ms = clock.now_ms()
    for agent_id, from_ms in (("wang", now_ms), ("li", now_ms + HOUR_MS)):
        await managers.set_leave(
            house, agent_id=agent_id, from_ms=from_ms, until_ms=now_ms + 9 * HOUR_MS, by="mei"
        )
    clock.advance(60_000)
    for leave in await managers.leaves(house):
        assert await managers.end_leave(house, leave_id=leave.leave_id, by="mei") == "ok"
    assert await managers.leaves(house) == []
    assert [row["until_ms"] for row in await rows(house, "leaves")] == [clock.now_ms()]
    ended = (await rows(house, "leaves"))[0]["leave_id"]
    assert await managers.end_leave(house, leave_id=ended, by="mei") == "over"
    assert await managers.end_leave(house, leave_id="none", by="mei") == "unknown"
    assert {line["leaves"] == [] for line in (await live(house, PEOPLE)).values()} == {True}
    actions = sorted(row["action"] for row in await rows(house, "audits"))
    assert actions == ["leave.ended", "leave.ended", "leave.set", "leave.set"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"agent_id": "nobody"}, "unknown_agent"),
        ({"cover": "nobody"}, "unknown_agent"),
        ({"cover": "wang"}, "own_cover"),
        ({"until_ms": 0}, "past"),
        ({"from_ms": 10**14, "until_ms": 10**13}, "no_time"),
    ],
)
async def test_a_leave_that_cannot_be(
    house: Runtime, clock: ManualClock, given: dict[str, Any], word: str
) -> None:
    now_ms = clock.now_ms()
    leave = {"agent_id": "wang", "from_ms": now_ms, "until_ms": now_ms + HOUR_MS, "cover": "li", **given}
    assert await managers.set_leave(house, **leave, by="mei") == word
    assert await managers.leaves(house) == []


async def test_two_leaves_of_one_agent_do_not_overlap(house: Runtime, clock: ManualClock) -> None:
    now_ms = clock.now_ms()
    times = [(0, 2), (1, 3), (2, 3), (-1, 1)]
    words = [
        await managers.set_leave(
            house,
            agent_id="wang",
            from_ms=now_ms + start * HOUR_MS,
            until_ms=now_ms + end * HOUR_MS,
            by="mei",
        )
        for start, end in times
    ]
    assert words == ["ok", "overlaps", "ok", "overlaps"]


async def test_managed_customers_without_a_manager_are_listed(house: Runtime) -> None:
    assert [file.customer_id for file in await managers.unmanaged(house)] == ["C1", "C3"]
    await set_c1(house, "wang")
    assert [file.customer_id for file in await managers.unmanaged(house)] == ["C3"]
    await set_c1(house)
    assert [file.customer_id for file in await managers.unmanaged(house, after_id="C1")] == ["C3"]


async def test_pairs_never_to_be_brought_together_are_kept(house: Runtime) -> None:
    pair = {"customer_id": "C1", "agent_id": "wang"}
    add = managers.add_never_route
    assert await add(house, **pair, reason="投诉过该座席", by="mei") == "ok"
    assert await add(house, **pair, reason="投诉过该座席", by="mei") == "again"
    assert await add(house, **pair, reason=" ", by="mei") == "no_reason"
    assert await add(house, customer_id="C9", agent_id="wang", reason="x", by="mei") == "unknown_customer"
    assert await add(house, customer_id="C1", agent_id="nobody", reason="x", by="mei") == "unknown_agent"
    found = await managers.never_routes(house, agent_id="wang")
    assert [(each.customer_id, each.reason, each.account_id) for each in found] == [
        ("C1", "投诉过该座席", "mei")
    ]
    assert await managers.never_routes(house, customer_id="C2") == []
    assert await managers.remove_never_route(house, **pair, by="mei") == "ok"
    assert await managers.remove_never_route(house, **pair, by="mei") == "again"
    assert await managers.never_routes(house) == []
    actions = sorted(row["action"] for row in await rows(house, "audits"))
    assert actions == ["never_route.added", "never_route.removed"]


async def test_a_live_store_that_lost_its_people_gets_them_back(house: Runtime) -> None:
    before = await live(house, PEOPLE)
    assert {agent_id: line["name"] for agent_id, line in before.items()} == {
        "wang": "王敏",
        "li": "李强",
        "zhao": "赵云",
    }
    await house.redis.hdel(PEOPLE, "wang")
    await house.redis.hset(PEOPLE, "stranger", "{}")
    assert await mend_people(house) == 2
    await house.redis.delete(PEOPLE)
    assert await mend_people(house) == 3
    assert await mend_people(house) == 0
    assert await live(house, PEOPLE) == before
    await save_agents(house, [replace(WANG, name="王敏敏")])
    assert (await live(house, PEOPLE))["wang"]["name"] == "王敏敏"


async def test_what_an_import_named_has_the_usual_wait(house: Runtime) -> None:
    await import_customers(
        house, [Customer(customer_id="C4", name="新厂", tier="key_customer", managers=("li",))]
    )
    assert await managers.managers_of(house, "C4") == [Appointment(agent_id="li")]
    assert (await column(house, "managers"))["C4"] == '["li"]'


@given(
    st.lists(st.sampled_from("abcd"), unique=True, max_size=4),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["", *"abcd"]), st.integers(0, 3)), max_size=6
    ),
)
def test_nobody_on_leave_is_ever_the_manager(ranked: list[str], drawn: list[tuple[str, str, int]]) -> None:
    away = [
        Leave(agent_id=agent_id, from_ms=start, until_ms=start + 2, cover=cover)
        for agent_id, cover, start in drawn
    ]
    found = effective_manager(appointed(*ranked), away, now_ms=2)
    gone = {leave.agent_id for leave in away if leave.covers(2)}
    if found is not None:
        assert found.agent_id not in gone
        assert found.agent_id in ranked or found.stands_in_for in gone
    else:
        assert set(ranked) <= gone
