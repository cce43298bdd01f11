"""What the pages are told of the live state: one agent's desk, and the wall."""

import pytest

from config.runtime import Runtime
from queues.domain.agents import AgentState
from queues.domain.lanes import Lane
from queues.domain.offers import OfferState
from queues.service.plans import plan_of
from queues.service.switchboard import DeskState, Switchboard, WaitingFacts
from tests.doubles import ManualClock


@pytest.fixture
def board(runtime: Runtime) -> Switchboard:
    return Switchboard(runtime)


async def waits(board: Switchboard, runtime: Runtime, call_id: str) -> str:
    plan = plan_of(runtime)
    queue = next(iter(plan.queues.values()))
    tier, matter = plan.default_tier, next(iter(plan.matters))
    lane = Lane(queue.id, tier, queue.needs, 0)
    await board.arrive(call_id=call_id, line="main", caller_ref="r", number="+8613800138000", number_key="k")
    reply = await board.enqueue_call(
        call_id=call_id, queue=queue.id, matter=matter, tier=tier, lane=lane, ticket_type="x"
    )
    assert reply.is_ok
    return queue.id


async def is_ready(board: Switchboard, runtime: Runtime, agent_id: str) -> None:
    skills = plan_of(runtime).skills
    await board.sign_in(agent_id=agent_id, name="梅", skills=skills, endpoint=f"client:{agent_id}")
    await board.set_presence(agent_id=agent_id, presence="ready")


async def desk(board: Switchboard, agent_id: str = "mei") -> DeskState:
    state = await board.desk_state(agent_id=agent_id)
    assert state is not None
    return state


async def test_a_desk_through_a_call(board: Switchboard, runtime: Runtime, clock: ManualClock) -> None:
    assert await board.desk_state(agent_id="mei") is None
    await is_ready(board, runtime, "mei")
    queue = await waits(board, runtime, "CA1")
    await waits(board, runtime, "CA2")
    clock.advance(4_000)
    seen = await desk(board)
    assert (seen.state, seen.offer, seen.call, seen.waiting[queue]) == (AgentState.READY, None, None, 2)
    assert set(seen.waiting) == set(plan_of(runtime).queues)
    await board.arrive(call_id="CA3", line="main", caller_ref="r", number="", number_key="")
    of_another_version = Lane("telegraph", "gold", (), 0)
    about = {"queue": "telegraph", "matter": "other", "tier": "gold", "lane": of_another_version}
    assert (await board.enqueue_call(call_id="CA3", **about)).is_ok
    assert (await desk(board)).waiting["telegraph"] == 1
    await board.end_call(call_id="CA3", by="caller")

    turn = (await board.snapshot()).turn
    await board.claim_offer(call_id="CA1", agent_id="mei", turn=turn, why={"rule": "key"})
    await board.ringing(offer_id="CA1-1")
    offer = (await desk(board)).offer
    assert offer is not None
    assert (offer.offer_id, offer.state, offer.waited_ms) == ("CA1-1", OfferState.RINGING, 4_000)
    assert (offer.why, offer.ticket_no) == ({"rule": "key"}, "T000001")
    assert offer.ends_ms == clock.now_ms() + plan_of(runtime).ring_ms

    await board.accept_offer(offer_id="CA1-1", leg_id="CAleg")
    await board.connect_call(call_id="CA1", offer_id="CA1-1")
    seen = await desk(board)
    assert (seen.state, seen.offer) == (AgentState.CONNECTED, None)
    assert seen.call is not None
    assert (seen.call.call_id, seen.call.talks_since_ms) == ("CA1", clock.now_ms())

    await board.set_presence(agent_id="mei", presence="away", reason="lunch")
    await board.end_call(call_id="CA1", by="caller")
    seen = await desk(board)
    assert (seen.state, seen.next, seen.is_extendable) == (AgentState.WRAP_UP, "away:lunch", True)
    assert seen.wrap_up_until_ms == clock.now_ms() + plan_of(runtime).wrap_up_ms
    assert await board.extend_wrap_up(agent_id="mei") == "ok"
    assert (await desk(board)).is_extendable is False
    assert await board.close_wrap_up(agent_id="mei", disposition="solved") == "ok"
    seen = await desk(board)
    assert (seen.state, seen.reason, seen.call) == (AgentState.AWAY, "lunch", None)


async def test_a_wall_counts_who_waits_also_while_a_phone_rings(
    board: Switchboard, runtime: Runtime, clock: ManualClock
) -> None:
    since_ms = clock.now_ms()
    queue = await waits(board, runtime, "CA1")
    clock.advance(1_000)
    await waits(board, runtime, "CA2")
    await is_ready(board, runtime, "mei")
    await is_ready(board, runtime, "bo")
    turn = (await board.snapshot()).turn
    await board.claim_offer(call_id="CA1", agent_id="mei", turn=turn, why={})
    wall = await board.wall_state()
    tier = plan_of(runtime).default_tier
    assert wall.waiting == (WaitingFacts(queue=queue, tier=tier, waiting=2, longest_queued_ms=since_ms),)
    assert [(agent.agent_id, agent.state, agent.call_id) for agent in wall.agents] == [
        ("mei", AgentState.OFFERED, "CA1"),
        ("bo", AgentState.READY, ""),
    ]
    assert [agent.agent_id for agent in wall.agents_in(AgentState.READY)] == ["bo"]


async def test_no_number_leaves_the_switchboard(board: Switchboard, runtime: Runtime) -> None:
    await is_ready(board, runtime, "mei")
    await waits(board, runtime, "CA1")
    turn = (await board.snapshot()).turn
    await board.claim_offer(call_id="CA1", agent_id="mei", turn=turn, why={})
    lines = await runtime.redis.xrange("{power}:journal")
    told = f"{lines}{await desk(board)}{await board.wall_state()}{await board.read_call(call_id='CA1')}"
    assert "13800138000" not in told
    assert "梅" not in str(lines)
