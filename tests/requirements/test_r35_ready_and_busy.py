"""R35: whoever answers signs in, is ready, busy, in wrap-up or away, and has calls only when he is ready. An agent in
wrap-up or talking is never rung; his times in the states add up to the time he was signed in."""

from typing import Any

import pytest

from config.runtime import Runtime
from queues.domain.agents import AgentState
from queues.service import agent_times
from queues.service.people import Agent, save_agents
from tests.doubles import ManualClock, TelephonyDouble
from tests.queues.web.reader import Reader, text_of
from tests.requirements.house import House, open_house

SECOND_MS = 1_000


async def at_his_desk(house: House) -> Reader:
    """王 has an account and a seat, and has opened his desk: that signs him in."""
    skills = tuple(house.plan.skills)
    await save_agents(
        house.runtime, [Agent(agent_id="wang", name="王敏", skills=skills, endpoint="client:wang")]
    )
    reader = await house.enter("wang", "agent", "wang")
    await reader.open("/desk")
    return reader


async def says(reader: Reader, presence: str, reason: str = "") -> str:
    """He presses a button of his desk; the stage it shows then."""
    status, told = await reader.post("/desk/presence", presence=presence, reason=reason)
    assert status == 200
    return str(told["desk"]["stage"])


async def waits(house: House, call_id: str) -> None:
    caller, heard = await house.call(call_id, f"+86139{int(call_id[2:]):08d}")
    assert "Enqueue" in (await caller.press(heard, "0")).verbs


async def rung(house: House) -> list[str]:
    """One look of the dispatcher; every phone that has been asked to ring so far."""
    await house.dispatcher.tick()
    await house.dispatcher.settle()
    assert isinstance(house.runtime.telephony, TelephonyDouble)
    return [placed.to for placed in house.runtime.telephony.placed]


async def answers(house: House, call_id: str) -> None:
    """His phone rings for it, he takes it, and they talk."""
    facts = await house.facts_of(call_id)
    assert isinstance(house.runtime.telephony, TelephonyDouble)
    leg_id = house.runtime.telephony.placed[-1].leg_id
    about = {"CallSid": leg_id, "To": "client:wang", "Direction": "outbound-api"}
    url = f"/voice/agent/{facts.offer_id}"
    await house.hotline.post(f"{url}/status", **about, CallStatus="ringing")
    whisper = await house.hotline.post(url, **about, CallStatus="in-progress")
    await house.hotline.post(whisper.url("Redirect"), **about, CallStatus="in-progress")
    await house.hotline.caller(call_id).connect(facts.offer_id)
    assert await house.hotline.state_of(call_id) == "connected"


async def test_only_who_is_signed_in_and_ready_is_rung(runtime: Runtime) -> None:
    async with open_house(runtime, "power") as house:
        await waits(house, "CA1")
        assert await rung(house) == [], "nobody has signed in"
        desk = await at_his_desk(house)
        assert await rung(house) == [], "signed in is not ready"
        assert await says(desk, "ready") == "idle"
        await says(desk, "away", "meal")
        assert await rung(house) == [], "he is away"
        await says(desk, "signed_out")
        assert await rung(house) == [], "he has gone"
        await says(desk, "ready")
        assert await rung(house) == ["client:wang"]


async def test_who_talks_or_wraps_up_is_never_rung_and_then_he_is(
    runtime: Runtime, clock: ManualClock
) -> None:
    async with open_house(runtime, "power") as house:
        desk = await at_his_desk(house)
        await says(desk, "ready")
        for call_id in ("CA1", "CA2"):
            await waits(house, call_id)
        assert await rung(house) == ["client:wang"]
        await answers(house, "CA1")
        for _ in range(20):
            clock.advance(30 * SECOND_MS)
            await desk.post("/desk/beat")
            assert await rung(house) == ["client:wang"], "he talks"
        await house.hotline.caller("CA1").report_end()
        wrap_up_ms = house.plan.wrap_up_ms
        clock.advance(wrap_up_ms - 1)
        assert await rung(house) == ["client:wang"], "he wraps up"
        clock.advance(1)
        assert await rung(house) == ["client:wang"] * 2
        assert (await house.facts_of("CA2")).agent_id == "wang"


@pytest.mark.parametrize("ends", ["early", "extended", "by_itself"])
async def test_wrap_up_is_as_long_as_he_was_told(runtime: Runtime, clock: ManualClock, ends: str) -> None:
    async with open_house(runtime, "power") as house:
        desk = await at_his_desk(house)
        await says(desk, "ready")
        await waits(house, "CA1")
        await rung(house)
        await answers(house, "CA1")
        await house.hotline.caller("CA1").report_end()
        await waits(house, "CA2")
        plan = house.plan
        if ends == "early":
            await desk.post("/desk/wrap-up", disposition=next(iter(plan.dispositions)))
        else:
            if ends == "extended":
                await desk.post("/desk/wrap-up/extend")
            for_ms = plan.wrap_up_ms + (plan.wrap_up_extension_ms if ends == "extended" else 0)
            clock.advance(for_ms - 1)
            assert await rung(house) == ["client:wang"]
            clock.advance(1)
        assert await rung(house) == ["client:wang"] * 2


async def a_shift(house: House, clock: ManualClock, desk: Reader) -> dict[str, int]:
    """A shift with everything in it; the ms he spends in each state by the clock on the wall."""
    spent: dict[str, int] = {}

    async def passes(state: AgentState, for_ms: int) -> None:
        told = await desk.get("/desk/state")
        clock.advance(for_ms)
        spent[state] = spent.get(state, 0) + for_ms
        assert told["stage"], "the desk is open"

    await passes(AgentState.AWAY, 7_000)
    await says(desk, "ready")
    await passes(AgentState.READY, 61_000)
    await waits(house, "CA1")
    await rung(house)
    await passes(AgentState.OFFERED, 4_000)
    await answers(house, "CA1")
    await passes(AgentState.CONNECTED, 95_000)
    await says(desk, "away", "meal")
    await passes(AgentState.CONNECTED, 5_000)
    await house.hotline.caller("CA1").report_end()
    await passes(AgentState.WRAP_UP, 12_000)
    await desk.post("/desk/wrap-up", disposition=next(iter(house.plan.dispositions)))
    await passes(AgentState.AWAY, 600_000)
    await says(desk, "ready")
    await waits(house, "CA2")
    await rung(house)
    await passes(AgentState.OFFERED, 3_000)
    await house.hotline.caller("CA2").report_end()
    await passes(AgentState.READY, 2_000)
    return spent


async def test_the_times_in_the_states_add_up_to_the_time_signed_in(
    runtime: Runtime, clock: ManualClock
) -> None:
    async with open_house(runtime, "power") as house:
        boss = await house.enter("boss", "supervisor")
        desk = await at_his_desk(house)
        signed_in_ms = clock.now_ms()
        spent = await a_shift(house, clock, desk)
        await house.write_down()
        (wang,) = await agent_times.today(house.runtime, house.plan)
        assert wang.by_state == spent
        assert wang.signed_in_ms == clock.now_ms() - signed_in_ms == sum(spent.values())
        page: Any = text_of(await boss.open("/wall"))
        # Signed in, then away, ready, ringing, connecting, talking and wrap-up.
        assert "王敏 13:09 10:07 1:03 0:07 0:00 1:40 0:12" in page
        signed_out_ms = sum(spent.values())
        await says(desk, "signed_out")
        clock.advance(3_600_000)
        await house.write_down()
        (wang,) = await agent_times.today(house.runtime, house.plan)
        assert wang.signed_in_ms == signed_out_ms, "who has gone is not counted on"
