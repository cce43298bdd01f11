"""R23: a repeat caller is offered to the named manager for 25 s, then to the fallback queue; if that person is logged
off, no delay is added. Whoever talked with him last is asked the same way, and a pair set apart never meets. R126:
during leave calls go to the cover."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.runtime import Runtime
from queues.service import managers, people
from queues.service.managers import Appointment
from queues.service.people import Agent, save_agents
from tests.queues.web.reader import text_of
from tests.requirements.house import House, open_house
from tests.requirements.staff import answered, at_work, later, queued, taken_by, talked, why_of

OUTLET, STRANGER = "+8613800000001", "+8613911112222"
HOUR_MS, DAY_MS = 3_600_000, 24 * 3_600_000
ROW = {
    "account_no": "0001",
    "name": "好邻居食杂店",
    "phones": OUTLET,
    "area": "city_a",
    "address": "人民路1号",
    "licence_no": "1",
    "store_format": "Z",
    "market_type": "C",
    "route": "1",
    "purchase_qty": "10",
    "purchase_amount": "100",
}


async def furnished(house: House, tmp_path: Path, *ranked: str) -> House:
    """An outlet with these managers, and who is not at work yet."""
    staff = [Agent(agent_id=each, name=each, skills=(), endpoint=f"client:{each}") for each in PEOPLE]
    await save_agents(house.runtime, staff)
    await house.import_rows(tmp_path / "outlets.csv", [{**ROW, "managers": "; ".join(ranked)}])
    return house


PEOPLE = ("bo", "cai", "mei", "wang")


async def test_the_manager_is_offered_the_call_though_others_are_idle_longer(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "retail") as house:
        await furnished(house, tmp_path, "wang")
        await at_work(house, "bo", "mei", "wang")
        await queued(house, "CA1", OUTLET)
        assert await taken_by(house, "CA1") == "wang"
        why = await why_of(house, "wang")
        assert why["named"] == {"agent_id": "wang", "why": "manager"}
        desk = await house.enter("wang", "agent", "wang")
        page = await desk.open("/desk")
        assert "wang looks after this customer, or stands in for who does." in text_of(page)


async def test_a_busy_manager_is_waited_for_25_seconds_then_anybody_takes_it(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "retail") as house:
        await furnished(house, tmp_path, "wang")
        await at_work(house, "wang")
        await queued(house, "CA1", STRANGER)
        assert await taken_by(house, "CA1") == "wang"
        await at_work(house, "bo")
        await queued(house, "CA2", OUTLET)
        assert await taken_by(house, "CA2") == ""
        later(house, 24_999)
        assert await taken_by(house, "CA2") == ""
        later(house, 1)
        assert await taken_by(house, "CA2") == "bo"
        assert (await why_of(house, "bo"))["asked"][0]["is"] == "offered"


async def test_a_manager_who_is_logged_off_or_away_adds_no_delay(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "retail") as house:
        await furnished(house, tmp_path, "wang", "mei")
        await at_work(house, "bo", "mei")
        await house.hotline.switchboard.set_presence(agent_id="mei", presence="away", reason="lunch")
        await queued(house, "CA1", OUTLET)
        assert await taken_by(house, "CA1") == "bo"


async def test_each_name_has_a_wait_of_his_own_and_all_together_45_seconds(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "retail") as house:
        await furnished(house, tmp_path)
        customer_id = await house.id_of("0001")
        ranked = [("wang", 30_000), ("mei", 10_000), ("cai", 20_000)]
        listed = [Appointment(agent_id=agent_id, wait_ms=wait_ms) for agent_id, wait_ms in ranked]
        assert (
            await managers.set_managers(house.runtime, customer_id=customer_id, managers=listed, by="an")
            == "ok"
        )
        await at_work(house, "wang", "mei", "cai")
        for number, agent_id in enumerate(("wang", "mei", "cai")):
            await queued(house, f"CA-{agent_id}", f"+861391111333{number}")
            await answered(house, f"CA-{agent_id}", agent_id)
        await at_work(house, "bo")
        await queued(house, "CA9", OUTLET)
        later(house, 44_999)
        assert await taken_by(house, "CA9") == ""
        later(house, 1)
        assert await taken_by(house, "CA9") == "bo"


async def test_the_cover_takes_his_calls_during_leave(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "retail") as house:
        await furnished(house, tmp_path, "wang")
        now_ms = runtime.clock.now_ms()
        span = {"from_ms": now_ms, "until_ms": now_ms + HOUR_MS}
        assert await managers.set_leave(house.runtime, agent_id="wang", cover="mei", by="an", **span) == "ok"
        await at_work(house, "bo", "mei", "wang")
        await queued(house, "CA1", OUTLET)
        assert await taken_by(house, "CA1") == "mei"


async def test_a_pair_set_apart_never_meets(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "retail") as house:
        await furnished(house, tmp_path, "wang")
        customer_id = await house.id_of("0001")
        pair = {"customer_id": customer_id, "agent_id": "wang", "by": "an"}
        assert await managers.add_never_route(house.runtime, reason="he asked for it", **pair) == "ok"
        await at_work(house, "wang")
        await queued(house, "CA1", OUTLET)
        later(house, 10 * 60_000)
        assert await taken_by(house, "CA1") == ""
        await queued(house, "CA2", STRANGER)
        assert await taken_by(house, "CA2") == "wang", "whoever is behind him may have what he may not"
        await at_work(house, "bo")
        assert await taken_by(house, "CA1") == "bo"
        assert await managers.remove_never_route(house.runtime, **pair) == "ok"
        await house.hotline.switchboard.end_call(call_id="CA1", by="caller")
        assert (await ring_again(house)).never == frozenset()


async def ring_again(house: House) -> Any:
    await house.call("CA-again", OUTLET)
    return await house.facts_of("CA-again")


async def test_whoever_talked_with_him_last_is_asked_again_within_a_week(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await met(house, "mei")
        await at_work(house, "bo")
        await queued(house, "CA2", STRANGER)
        assert await taken_by(house, "CA2") == "mei"
        assert (await why_of(house, "mei"))["named"]["why"] == "last_agent"


async def test_another_caller_goes_to_whoever_is_idle_longest(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await met(house, "mei")
        await house.hotline.switchboard.set_presence(agent_id="mei", presence="away", reason="lunch")
        await at_work(house, "bo", "mei")
        await queued(house, "CA2", "+8613911113333")
        assert await taken_by(house, "CA2") == "bo"


async def test_who_talked_with_whom_is_forgotten_after_a_week(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await met(house, "mei")
        later(house, 7 * DAY_MS - 120_000)
        assert await people.forget_met(house.runtime) == 0
        later(house, 120_000)
        assert await people.forget_met(house.runtime) == 1
        assert await remembered(house) == []


async def test_whoever_stays_anonymous_is_remembered_by_nobody(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await met(house, "mei")
        await house.call("CA2", STRANGER)
        assert len((await house.facts_of("CA2")).known) == 1
        assert (await house.hotline.switchboard.anonymise_call(call_id="CA2")).is_ok
        facts = await house.facts_of("CA2")
        assert (facts.known, facts.never) == ((), frozenset())
        assert await remembered(house) == []


async def met(house: House, agent_id: str) -> None:
    await at_work(house, agent_id)
    await queued(house, "CA1", STRANGER)
    await talked(house, "CA1", agent_id)


async def remembered(house: House) -> Sequence[Any]:
    redis: Any = house.runtime.redis
    return [*await redis.hkeys("{retail}:met"), *await redis.zrange("{retail}:met_at", 0, -1)]
