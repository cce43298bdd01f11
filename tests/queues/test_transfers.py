"""A caller is put through: what the dispatcher does to lines and recordings, and who dies meanwhile."""

import pytest

from config.runtime import Runtime
from config.telephony import LegGone, RecordingStatus
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


# Hold, and a colleague who is asked


async def test_the_line_is_brought_to_what_the_call_says(floor: Floor) -> None:
    offer_id = await talks(floor)
    await floor.board.hold_call(call_id=LIN, agent_id="mei", is_held=True)
    await floor.tick()
    await floor.board.hold_call(call_id=LIN, agent_id="mei", is_held=False)
    await floor.tick()
    assert floor.telephony.held == [(offer_id, LIN, True), (offer_id, LIN, False)]


async def test_an_agent_who_changes_his_mind_while_the_provider_is_asked_has_his_last_word(
    floor: Floor,
) -> None:
    offer_id = await talks(floor)
    await floor.board.hold_call(call_id=LIN, agent_id="mei", is_held=True)
    with floor.provider_is_slow("hold"):
        await floor.starts()
        await floor.board.hold_call(call_id=LIN, agent_id="mei", is_held=False)
    await floor.dispatcher.settle()
    await floor.tick()
    assert floor.telephony.held[-1] == (offer_id, LIN, False)


async def test_a_hold_that_the_provider_refuses_is_no_hold(floor: Floor) -> None:
    await talks(floor)
    floor.telephony.fail("hold", LegGone(404, 20404, "no such conference"))
    await floor.board.hold_call(call_id=LIN, agent_id="mei", is_held=True)
    await floor.tick()
    assert (await floor.call()).is_held is False


async def test_attended_transfer_keeps_one_recording_and_one_record(floor: Floor) -> None:
    """mikopbx #1100: an attended transfer lost the recording and split the record."""
    await talks(floor)
    first_leg = floor.telephony.placed[-1].leg_id
    await floor.is_ready("bo")
    assert (await floor.board.consult_agent(call_id=LIN, agent_id="mei", colleague="bo")).is_ok
    await floor.tick()
    leg_id = floor.telephony.placed[-1].leg_id
    second = f"{LIN}-2"
    await floor.board.answer_offer(offer_id=second, leg_id=leg_id)
    assert (await floor.board.accept_offer(offer_id=second, leg_id=leg_id)).is_ok
    assert (await floor.board.hand_over_call(call_id=LIN, agent_id="mei")).is_ok
    await floor.tick()
    assert first_leg in floor.telephony.hung_up
    assert leg_id not in floor.telephony.hung_up
    await floor.board.connect_call(call_id=LIN, offer_id=second)
    await floor.tick()
    assert [leg for leg, _ in floor.telephony.recorded] == [LIN]
    assert ((await floor.call()).talks, (await floor.call()).agent_id) == (2, "bo")


async def test_nobody_who_was_asked_is_left_reserved_after_a_restart(floor: Floor) -> None:
    """FreeSWITCH #2540: an agent stuck as reserved. The ring was lost with its performer, the deadline was not."""
    await talks(floor)
    await floor.is_ready("bo")
    await floor.board.consult_agent(call_id=LIN, agent_id="mei", colleague="bo")
    await floor.board.claim_effects()
    await floor.pass_by(60_000)
    await floor.pass_by(60_000)
    assert await floor.state_of("bo") == (AgentState.READY, "")
    assert (await floor.call()).agent_id == "mei"


async def test_no_colleague_rings_on_after_the_caller_hung_up(floor: Floor) -> None:
    """FreeSWITCH #2529: the caller had hung up, the agent was still rung."""
    await talks(floor)
    await floor.is_ready("bo")
    await floor.board.consult_agent(call_id=LIN, agent_id="mei", colleague="bo")
    await floor.tick()
    ringing = floor.telephony.placed[-1].leg_id
    await floor.board.end_call(call_id=LIN, by="caller")
    await floor.tick()
    assert ringing in floor.telephony.hung_up
    assert await floor.state_of("bo") == (AgentState.READY, "")
