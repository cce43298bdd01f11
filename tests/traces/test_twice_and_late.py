"""Any webhook may come twice, any report late or out of order: the same records remain."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.doubles import ManualClock
from tests.traces.hotline import OTHER_CALLER, Agent, Caller, Heard, Hotline

Trace = Callable[[Hotline, ManualClock], Awaitable[None]]


async def talk(hotline: Hotline, clock: ManualClock, caller: Caller, agent: Agent) -> tuple[Heard, Heard]:
    """From the offer to the conference."""
    await agent.offer(caller.leg_id)
    await agent.mention("initiated")
    await agent.mention("ringing")
    clock.advance(4_000)
    whisper = await agent.answer()
    await agent.mention("in-progress")
    joined = await agent.join(whisper, "1")
    await caller.report_conference("participant-join", agent.leg_id)
    met = await caller.connect(agent.offer_id)
    await caller.report_conference("participant-join", caller.leg_id)
    await caller.report_conference("conference-start", caller.leg_id)
    clock.advance(90_000)
    return joined, met


async def caller_ends(hotline: Hotline, clock: ManualClock) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    enqueued = await caller.dial_and_press("*12#")
    waiting = await caller.wait(enqueued)
    clock.advance(20_000)
    await caller.wait(waiting)
    joined, met = await talk(hotline, clock, caller, agent)
    await caller.leave_queue(enqueued, "redirected")
    await caller.after(met, "completed")
    await agent.left(joined, "in-progress")
    await caller.report_conference("participant-leave", caller.leg_id)
    await caller.report_conference("participant-leave", agent.leg_id)
    await caller.report_conference("conference-end", caller.leg_id)
    await caller.report_end()
    await agent.mention("completed")


async def agent_ends(hotline: Hotline, clock: ManualClock) -> None:
    caller, agent = hotline.caller(), await hotline.agent("li", "+8657188880001")
    await caller.dial_and_press("952")
    joined, met = await talk(hotline, clock, caller, agent)
    await agent.left(joined, "completed")
    await caller.after(met, "in-progress")
    await caller.report_conference("participant-leave", agent.leg_id)
    await agent.mention("completed")
    await caller.report_end()


async def gives_up_in_the_queue(hotline: Hotline, clock: ManualClock) -> None:
    caller = hotline.caller()
    enqueued = await caller.dial_and_press("##2")
    await caller.wait(enqueued)
    clock.advance(30_000)
    await caller.leave_queue(enqueued, "hangup", "completed")
    await caller.report_end()


async def gives_up_while_it_rings(hotline: Hotline, clock: ManualClock) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    enqueued = await caller.dial_and_press("0")
    await agent.offer("CA1")
    await agent.mention("ringing")
    clock.advance(3_000)
    await caller.leave_queue(enqueued, "hangup", "completed")
    await agent.answer()
    await agent.mention("canceled")
    await caller.report_end()


async def first_agent_misses(hotline: Hotline, clock: ManualClock) -> None:
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    await first.offer("CA1")
    await first.report("ringing")
    clock.advance(15_000)
    await first.report("no-answer")
    joined, met = await talk(hotline, clock, caller, second)
    await first.mention("no-answer")
    await caller.after(met, "completed")
    await second.left(joined, "in-progress")
    await caller.report_end()
    await second.mention("completed")


async def agent_is_lost_before_the_caller_comes(hotline: Hotline, clock: ManualClock) -> None:
    caller, first, second = hotline.caller(), await hotline.agent("wang"), await hotline.agent("li")
    await caller.dial_and_press("0")
    await first.offer("CA1")
    joined = await first.join(await first.answer())
    await first.left(joined, "completed")
    await caller.connect(first.offer_id)
    clock.advance(2_000)
    _, met = await talk(hotline, clock, caller, second)
    await first.mention("completed")
    await caller.after(met, "completed")
    await caller.report_end()
    await second.mention("completed")


async def two_at_once(hotline: Hotline, clock: ManualClock) -> None:
    one, other = hotline.caller(), hotline.caller("CA2", OTHER_CALLER)
    agent = await hotline.agent("wang")
    await one.dial_and_press("51")
    await other.dial_and_press("11")
    _, met = await talk(hotline, clock, other, agent)
    await one.report_end()
    await other.after(met, "completed")
    await other.report_end()


async def leaves_a_message(hotline: Hotline, clock: ManualClock) -> None:
    clock.advance(9 * 3_600_000)
    caller = hotline.caller()
    record = await caller.dial_and_press("3")
    action = record.url("Record", "action")
    await caller.post(action, RecordingUrl="https://x/RE1", RecordingDuration="9", Digits="#")
    await caller.report_end()


TRACES: tuple[Trace, ...] = (
    caller_ends,
    agent_ends,
    gives_up_in_the_queue,
    gives_up_while_it_rings,
    first_agent_misses,
    agent_is_lost_before_the_caller_comes,
    two_at_once,
    leaves_a_message,
)


async def records(hotline: Hotline) -> dict[str, Any]:
    """What remains: calls and agents as they are, and the journal."""
    redis: Redis = hotline.runtime.redis
    site = f"{{{hotline.runtime.settings.site}}}"
    calls = {name: await redis.hgetall(name) for name in sorted(await redis.keys(f"{site}:call:*"))}
    agents = {name: await redis.hgetall(name) for name in sorted(await redis.keys(f"{site}:agent:*"))}
    journal = [fields for _, fields in await redis.xrange(f"{site}:journal")]
    return {"calls": calls, "agents": agents, "journal": journal}


async def played(hotline: Hotline, trace: Trace) -> dict[str, Any]:
    await hotline.runtime.redis.flushdb()
    clock = ManualClock()
    hotline.runtime.clock = clock
    fresh = Hotline.of(hotline.runtime)
    fresh.doubled, fresh.late = hotline.doubled, hotline.late
    fresh.answers, fresh.commands = hotline.answers, hotline.commands
    await trace(fresh, clock)
    await fresh.settle()
    await fresh.client.aclose()
    return await records(fresh)


async def same_when_doubled(hotline: Hotline, trace: Trace) -> None:
    """Every webhook comes twice: the same documents and records."""
    once = await played(hotline, trace)
    hotline.doubled = True
    twice = await played(hotline, trace)
    assert [path for path, first, second in hotline.answers if first != second] == []
    assert twice == once
    assert all(call["state"] == "ended" for call in once["calls"].values())


async def same_when_late(hotline: Hotline, trace: Trace, seeds: int) -> None:
    """Reports come late and out of order: the same records, and each call ends once."""
    in_time = await played(hotline, trace)
    for seed in range(seeds):
        hotline.late = Random(seed)
        late = await played(hotline, trace)
        assert late["calls"] == in_time["calls"], f"seed {seed}"
        assert late["agents"] == in_time["agents"], f"seed {seed}"
        ends = [line for line in late["journal"] if line["type"] == "call.ended"]
        assert len(ends) == len(in_time["calls"]), f"seed {seed}"


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
async def test_every_webhook_twice_gives_the_same_documents_and_records(
    hotline: Hotline, trace: Trace
) -> None:
    await same_when_doubled(hotline, trace)


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
async def test_late_reports_leave_the_same_records(hotline: Hotline, trace: Trace) -> None:
    await same_when_late(hotline, trace, seeds=8)
