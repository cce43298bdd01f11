"""A caller is put through: what the dispatcher does to lines and recordings, and who dies meanwhile."""

import pytest

from config.runtime import Runtime
from config.telephony import RecordingStatus
from queues.domain.agents import AgentState
from queues.domain.calls import CallState
from tests.doubles import ManualClock, TelephonyDouble
from tests.queues.test_dispatcher import LIN, Floor


@pytest.fixture
def floor(runtime: Runtime, clock: ManualClock, telephony: TelephonyDouble) -> Floor:
    return Floor(runtime, clock, telephony)


async def talks(floor: Floor) -> str:
    """Lin talks with Mei and is recorded."""
    offer_id = await floor.accepts()
    await floor.tick()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    return offer_id


async def put_through(floor: Floor) -> str:
    queue = (await floor.call()).queue
    other = next(name for name in floor.plan.queues if name != queue)
    return (await floor.board.transfer_call(call_id=LIN, agent_id="mei", queue=other)).word


async def talks_again(floor: Floor, agent_id: str = "bo") -> str:
    await floor.is_ready(agent_id)
    await floor.tick()
    offer_id = (await floor.call()).offer_id
    leg_id = floor.telephony.placed[-1].leg_id
    await floor.board.accept_offer(offer_id=offer_id, leg_id=leg_id)
    await floor.tick()
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    return str(offer_id)


async def test_the_first_agents_line_is_let_go_and_another_agent_is_rung(floor: Floor) -> None:
    await talks(floor)
    first_leg = floor.telephony.placed[-1].leg_id
    assert await put_through(floor) == "ok"
    await floor.tick()
    assert floor.telephony.hung_up == [first_leg]
    assert await floor.state_of("mei") == (AgentState.WRAP_UP, "")
    await floor.board.close_wrap_up(agent_id="mei", disposition="solved")
    await floor.tick()
    assert (await floor.call()).state is CallState.QUEUED, (
        "who put him through is not asked about him at once"
    )
    await floor.is_ready("bo")
    await floor.tick()
    assert (await floor.call()).agent_id == "bo"


async def test_dying_between_the_transfer_and_the_hang_up(floor: Floor) -> None:
    await talks(floor)
    first_leg = floor.telephony.placed[-1].leg_id
    await put_through(floor)
    await floor.board.claim_effects()  # and then nothing more was heard of him
    await floor.takes_over()
    assert floor.telephony.hung_up == [first_leg]
    assert (await floor.call()).state is CallState.QUEUED


async def test_one_recording_goes_on_through_both_talks(floor: Floor) -> None:
    await talks(floor)
    await put_through(floor)
    await talks_again(floor)
    assert len(floor.telephony.recorded) == 1
    assert (await floor.call()).talks == 2


async def test_a_recording_that_has_ended_begins_again_as_a_second_part(floor: Floor) -> None:
    await talks(floor)
    (recording_id,) = floor.telephony.recordings
    floor.telephony.set_recording(recording_id, RecordingStatus.COMPLETED)
    await put_through(floor)
    await talks_again(floor)
    assert [leg_id for leg_id, _ in floor.telephony.recorded] == [LIN, LIN]


async def test_nothing_is_recorded_after_a_refusal(floor: Floor) -> None:
    offer_id = await floor.accepts()
    await floor.runtime.redis.hset("{power}:call:" + LIN, "record", "refused")
    await floor.board.connect_call(call_id=LIN, offer_id=offer_id)
    await floor.tick()
    await put_through(floor)
    await talks_again(floor)
    assert floor.telephony.recorded == []
