"""Agents at work and callers in line at a whole hotline, for the requirements about who answers."""

from collections.abc import Sequence
from typing import Any

from tests.requirements.house import House


async def at_work(house: House, *agent_ids: str, skills: Sequence[str] = ()) -> None:
    """Ready, the first of them idle longest; with every skill where none is named."""
    board = house.hotline.switchboard
    for agent_id in agent_ids:
        await board.sign_in(
            agent_id=agent_id,
            name=agent_id,
            skills=skills or house.plan.every_skill,
            endpoint=f"client:{agent_id}",
        )
        await board.set_presence(agent_id=agent_id, presence="ready")
        later(house, 100)


def later(house: House, for_ms: int) -> None:
    house.runtime.clock.advance(for_ms)  # type: ignore[attr-defined]


async def queued(house: House, call_id: str, number: str, keys: str = "0") -> None:
    """Through the menu to an agent."""
    caller, heard = await house.call(call_id, number)
    for key in keys:
        heard = await caller.press(await caller.send_on(heard), key)
    assert (await house.facts_of(call_id)).state == "queued", heard.text


async def taken_by(house: House, call_id: str) -> str:
    """Who has it after one look; empty: it waits."""
    await house.dispatcher.tick()
    await house.dispatcher.settle()
    return str((await house.facts_of(call_id)).agent_id)


async def answered(house: House, call_id: str, agent_id: str = "") -> str:
    """Somebody, or he, takes it; they talk."""
    board = house.hotline.switchboard
    taker = await taken_by(house, call_id)
    assert taker
    assert taker == (agent_id or taker)
    offer_id = (await house.facts_of(call_id)).offer_id
    assert (await board.accept_offer(offer_id=offer_id, leg_id="")).is_ok
    assert (await board.connect_call(call_id=call_id, offer_id=offer_id)).is_ok
    return taker


async def talked(house: House, call_id: str, agent_id: str = "", for_ms: int = 60_000) -> str:
    """They talk and part; he is ready again."""
    board = house.hotline.switchboard
    taker = await answered(house, call_id, agent_id)
    later(house, for_ms)
    await board.end_call(call_id=call_id, by="caller")
    await board.close_wrap_up(agent_id=taker)
    await board.beat(agent_id=taker)
    return taker


async def why_of(house: House, agent_id: str) -> Any:
    desk = await house.hotline.switchboard.desk_state(agent_id=agent_id)
    assert desk is not None
    assert desk.offer is not None
    return desk.offer.why
