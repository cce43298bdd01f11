"""R21: ordinary seats all busy: a key call rings a dedicated seat at once. Dedicated seats busy: after 20 s it stands
first in the general queue. A resident never takes a dedicated seat. And a queue keeps idle seats for key customers,
until somebody else has waited too long."""

from pathlib import Path

from config.runtime import Runtime
from tests.requirements.house import House, open_house
from tests.requirements.staff import answered, at_work, later, queued, taken_by, why_of
from tests.requirements.test_r18_key_customers import FACTORY, HOSPITAL, RESIDENT, STRANGER, furnished

DEDICATED = ("key_account", "general", "@key_customer", "@high_risk")
ORDINARY = ("general", "outage", "complaint", "connection")


async def key_call(house: House, call_id: str, number: str = FACTORY) -> None:
    await queued(house, call_id, number)
    assert (await house.facts_of(call_id)).queue == "key"


async def test_a_key_call_rings_a_dedicated_seat_at_once_while_all_others_are_busy(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        await at_work(house, "bo", skills=ORDINARY)
        await queued(house, "CA1", STRANGER)
        await answered(house, "CA1", "bo")
        await at_work(house, "mei", skills=DEDICATED)
        await key_call(house, "CA2")
        assert await taken_by(house, "CA2") == "mei"
        why = await why_of(house, "mei")
        assert (why["seat"], why["waited_ms"]) == ("dedicated", 0)


async def test_a_dedicated_seat_goes_first_for_its_tier_and_leaves_the_others_free(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        await at_work(house, "bo", skills=(*ORDINARY, "key_account"))
        await at_work(house, "mei", skills=DEDICATED)
        await key_call(house, "CA1")
        assert await taken_by(house, "CA1") == "mei", "though bo has been idle longer"


async def test_when_they_are_busy_it_stands_first_in_the_general_queue_after_20_seconds(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        await at_work(house, "mei", skills=DEDICATED)
        await key_call(house, "CA1")
        await answered(house, "CA1", "mei")
        await queued(house, "CA2", RESIDENT)
        await key_call(house, "CA3", HOSPITAL)
        later(house, 19_999)
        assert await taken_by(house, "CA3") == ""
        later(house, 1)
        await at_work(house, "bo", skills=ORDINARY)
        assert await taken_by(house, "CA3") == "bo", "before the resident who came earlier"


async def test_a_resident_never_takes_a_dedicated_seat(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        await at_work(house, "mei", skills=(*DEDICATED, *ORDINARY))
        for call_id, number in (("CA1", RESIDENT), ("CA2", STRANGER)):
            await queued(house, call_id, number)
        later(house, 10 * 60_000)
        assert [await taken_by(house, call_id) for call_id in ("CA1", "CA2")] == ["", ""]
        await key_call(house, "CA3")
        assert await taken_by(house, "CA3") == "mei"


async def test_one_of_ten_seats_is_kept_idle_for_key_customers(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        await ten_of_whom_one_is_left(house)
        await queued(house, "CA-late", RESIDENT)
        assert await taken_by(house, "CA-late") == "", "the last idle seat is kept"
        await key_call(house, "CA-key")
        later(house, 20_000)
        await house.dispatcher.tick()
        assert str((await house.facts_of("CA-key")).agent_id) == "agent9"
        assert str((await house.facts_of("CA-late")).agent_id) == ""


async def test_the_promise_ends_when_others_have_waited_two_minutes_and_holds_again_below_one(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with open_house(runtime, "power") as house:
        await furnished(house, tmp_path)
        await ten_of_whom_one_is_left(house)
        await queued(house, "CA-late", RESIDENT)
        for _ in range(4):
            assert await taken_by(house, "CA-late") == ""
            await beat(house)
        assert await taken_by(house, "CA-late") == "agent9"
        await house.hotline.switchboard.end_call(call_id="CA-late", by="caller")
        await queued(house, "CA-later", STRANGER)
        assert await taken_by(house, "CA-later") == "", "nobody has waited long: it is kept again"
        await house.write_down()
        told = [row["type"] for row in await house.rows("events", "type", "at_ms")]
        assert [each for each in told if each.startswith("reserve.")] == ["reserve.released", "reserve.armed"]


async def ten_of_whom_one_is_left(house: House) -> None:
    await at_work(house, *(f"agent{n}" for n in range(10)), skills=ORDINARY)
    for n in range(9):
        await queued(house, f"CA{n}", f"+861391111333{n}")
        await answered(house, f"CA{n}", f"agent{n}")


async def beat(house: House) -> None:
    """Half a minute with everybody's desk there."""
    later(house, 30_000)
    for n in range(10):
        await house.hotline.switchboard.beat(agent_id=f"agent{n}")
