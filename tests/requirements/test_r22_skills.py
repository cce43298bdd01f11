"""R22: a complaint call is offered only to agents with the complaint skill until the overflow step; an all-round agent
gets any kind. A skill may have levels."""

import pytest

from config.runtime import Runtime
from queues.domain.lanes import Lane
from tests.requirements.house import House, open_house
from tests.requirements.staff import at_work, later, queued, taken_by

CALLER = "+8613911112222"


async def complain(house: House, call_id: str) -> None:
    """The queue of complaints, whatever its key."""
    await house.call(call_id, CALLER)
    lane = Lane("complaint", house.plan.default_tier, house.plan.queues["complaint"].needs, 0)
    reply = await house.hotline.switchboard.enqueue_call(
        call_id=call_id, queue="complaint", matter="complaint", tier=lane.tier, lane=lane
    )
    assert reply.is_ok


@pytest.mark.parametrize("site", ["power", "gas", "retail"])
async def test_a_complaint_waits_for_the_skill_until_the_overflow_step(runtime: Runtime, site: str) -> None:
    async with open_house(runtime, site) as house:
        await at_work(house, "bo", skills=("general",))
        await complain(house, "CA1")
        later(house, 59_999)
        assert await taken_by(house, "CA1") == ""
        later(house, 1)
        assert await taken_by(house, "CA1") == "bo"


@pytest.mark.parametrize("site", ["power", "gas", "retail"])
async def test_an_all_round_agent_gets_any_kind(runtime: Runtime, site: str) -> None:
    async with open_house(runtime, site) as house:
        await at_work(house, "mei", "bo")
        await complain(house, "CA1")
        await queued(house, "CA2", CALLER)
        assert {await taken_by(house, "CA1"), await taken_by(house, "CA2")} == {"mei", "bo"}


@pytest.mark.parametrize(
    ("skill", "is_able"),
    [("outage", False), ("outage:1", False), ("outage:2", True), ("outage:9", True), ("general:9", False)],
)
async def test_a_level_serves_itself_and_every_lower_one(runtime: Runtime, skill: str, is_able: bool) -> None:
    async with open_house(runtime, "power") as house:
        await at_work(house, "mei", skills=(skill,))
        await house.call("CA1", CALLER)
        lane = Lane("outage", house.plan.default_tier, ("outage:2",), 0)
        board = house.hotline.switchboard
        await board.enqueue_call(call_id="CA1", queue="outage", matter="enquiry", tier=lane.tier, lane=lane)
        assert (await taken_by(house, "CA1") == "mei") is is_able
