"""R24: busy on duty keeps the turn for later; away privately loses it; serving another's returning customer does not
cost a turn; over 20 calls four equal agents get 5 each."""

from collections import Counter

from config.runtime import Runtime
from tests.requirements.house import House, open_house
from tests.requirements.staff import answered, at_work, later, queued, taken_by, talked, why_of

TEAM = ("ann", "bo", "cai", "mei")
ORDERING = ("ordering",)


async def order(house: House, number: int) -> str:
    """Somebody nobody has talked with wants to order: the queue with rotation."""
    call_id = f"CA{number}"
    await queued(house, call_id, f"+86139222{number:05d}", "1#")
    assert (await house.facts_of(call_id)).queue == "order"
    return call_id


async def test_over_20_calls_four_equal_agents_get_5_each(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await at_work(house, *TEAM, skills=ORDERING)
        takers = []
        for number in range(20):
            call_id = await order(house, number)
            # However long each talks: whose turn it is does not follow from who is idle longest.
            takers.append(await talked(house, call_id, for_ms=1_000 + 700 * (number * 7 % 5)))
        assert Counter(takers) == dict.fromkeys(TEAM, 5)
        assert takers == list(TEAM) * 5


async def test_busy_on_duty_keeps_the_turn_for_later(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await at_work(house, *TEAM, skills=ORDERING)
        await answered(house, await order(house, 0), "ann")
        for number, agent_id in ((1, "bo"), (2, "cai"), (3, "mei"), (4, "bo"), (5, "cai")):
            await talked(house, await order(house, number), agent_id, for_ms=1_000)
        await house.hotline.switchboard.end_call(call_id="CA0", by="caller")
        assert await order(house, 6)
        assert await taken_by(house, "CA6") == "mei", "ann wraps up; the others go on in their order"
        await house.hotline.switchboard.close_wrap_up(agent_id="ann")
        assert await order(house, 7)
        assert await taken_by(house, "CA7") == "ann"
        assert (await why_of(house, "ann"))["order"] == "rotation"


async def test_away_privately_loses_the_turn(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        board = house.hotline.switchboard
        await at_work(house, *TEAM, skills=ORDERING)
        await board.set_presence(agent_id="ann", presence="away", reason="errand")
        await talked(house, await order(house, 0), "bo", for_ms=1_000)
        await board.set_presence(agent_id="ann", presence="ready")
        takers = [await talked(house, await order(house, number), for_ms=1_000) for number in range(1, 5)]
        assert takers == ["cai", "mei", "bo", "ann"], "her turn went by while she was away"


async def test_away_while_nobody_calls_costs_nothing(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        board = house.hotline.switchboard
        await at_work(house, *TEAM, skills=ORDERING)
        await board.set_presence(agent_id="ann", presence="away", reason="errand")
        later(house, 20_000)
        await board.set_presence(agent_id="ann", presence="ready")
        assert await talked(house, await order(house, 0)) == "ann"


async def test_anothers_returning_customer_goes_to_the_last_in_the_order_and_costs_no_turn(
    runtime: Runtime,
) -> None:
    async with open_house(runtime, "retail") as house:
        board = house.hotline.switchboard
        await at_work(house, *TEAM, skills=ORDERING)
        for number, agent_id in enumerate(TEAM):
            await talked(house, await order(house, number), agent_id, for_ms=1_000)
        await board.set_presence(agent_id="ann", presence="away", reason="errand")
        await queued(house, "CA-back", "+8613922200000", "1#")  # whom ann has served
        assert await talked(house, "CA-back", for_ms=1_000) == "mei", "the last in the order"
        takers = [await talked(house, await order(house, number), for_ms=1_000) for number in range(10, 13)]
        assert takers == ["bo", "cai", "mei"], "mei has her turn still"


async def test_ones_own_returning_customer_costs_no_turn(runtime: Runtime) -> None:
    async with open_house(runtime, "retail") as house:
        await at_work(house, *TEAM, skills=ORDERING)
        for number, agent_id in enumerate(TEAM):
            await talked(house, await order(house, number), agent_id, for_ms=1_000)
        await queued(house, "CA-back", "+8613922200001", "1#")
        assert await talked(house, "CA-back", for_ms=1_000) == "bo"
        takers = [await talked(house, await order(house, number), for_ms=1_000) for number in range(10, 14)]
        assert takers == list(TEAM)
