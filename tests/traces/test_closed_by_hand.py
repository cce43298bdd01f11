"""A queue that a supervisor closes: who calls then, who waits already, and what does not change."""

import asyncio

from config.runtime import Runtime
from queues.service.closings import closings_of, follow
from queues.service.live_changes import LiveChanges
from tests.traces.hotline import OTHER_CALLER, Hotline

CLOSED_ZH = "人工座席暂时不能接听"


def boss(hotline: Hotline, runtime: Runtime) -> LiveChanges:
    return LiveChanges(runtime, hotline.switchboard, "chief")


async def test_a_new_caller_goes_where_the_closed_hours_lead(hotline: Hotline, runtime: Runtime) -> None:
    assert await boss(hotline, runtime).close_queue("general", "drill", leads=False) == "ok"
    caller = hotline.caller()
    heard = await caller.dial_and_press("0")
    assert CLOSED_ZH in heard.said
    assert heard.verbs[-2:] == ["Record", "Redirect"]
    assert await hotline.state_of("CA1") == "messaging"
    await caller.report_end()
    assert await hotline.state_of("CA1") == "ended closed"


async def test_who_waits_is_served_or_by_choice_led_out(hotline: Hotline, runtime: Runtime) -> None:
    caller = hotline.caller()
    enqueued = await caller.dial_and_press("0")
    changes = boss(hotline, runtime)
    await changes.close_queue("general", "drill", leads=False)
    assert "Leave" not in (await caller.wait(enqueued)).verbs
    assert await changes.close_queue("general", "drill", leads=True) == "ok"
    assert (await caller.wait(enqueued)).verbs == ["Leave"]
    record = await caller.leave_queue(enqueued, "leave")
    assert CLOSED_ZH in record.said
    await caller.report_end()
    assert await hotline.state_of("CA1") == "ended closed"


async def test_who_is_rung_for_is_not_led_out(hotline: Hotline, runtime: Runtime) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    enqueued = await caller.dial_and_press("0")
    await agent.offer("CA1")
    await boss(hotline, runtime).close_queue("general", "drill", leads=True)
    assert "Leave" not in (await caller.wait(enqueued)).verbs
    await agent.join(await agent.answer(), "1")
    assert (await caller.connect(agent.offer_id)).conference


async def test_who_was_put_through_to_a_colleague_waits_for_him(hotline: Hotline, runtime: Runtime) -> None:
    caller, agent = hotline.caller(), await hotline.agent("wang")
    await caller.dial_and_press("0")
    await agent.offer("CA1")
    await agent.join(await agent.answer(), "1")
    met = await caller.connect(agent.offer_id)
    passed = await hotline.switchboard.transfer_call(call_id="CA1", agent_id="wang", colleague="li")
    assert passed.is_ok
    waiting = await caller.after(met, "in-progress")
    await boss(hotline, runtime).close_queue("general", "drill", leads=True)
    assert "Leave" not in (await caller.wait(waiting)).verbs


async def test_opened_again_it_takes_callers(hotline: Hotline, runtime: Runtime) -> None:
    changes = boss(hotline, runtime)
    await changes.close_queue("general", "drill", leads=True)
    await hotline.caller().dial_and_press("0")
    assert await changes.open_queue("general") == "ok"
    other = await hotline.caller("CA2", OTHER_CALLER).dial_and_press("0")
    assert "Enqueue" in other.verbs


async def test_another_process_follows(hotline: Hotline, runtime: Runtime) -> None:
    """It was closed elsewhere; this process looks twice a second, and serves what it knew last meanwhile."""
    await hotline.switchboard.close_queue(queue="general", leads=False, by="chief")
    assert "general" not in closings_of(runtime)
    following = asyncio.create_task(follow(runtime))
    async with asyncio.timeout(5):
        while "general" not in closings_of(runtime):
            await asyncio.sleep(0.01)
    following.cancel()
    assert CLOSED_ZH in (await hotline.caller().dial_and_press("0")).said


async def test_power_cuts_cannot_be_closed(hotline: Hotline, runtime: Runtime) -> None:
    assert await boss(hotline, runtime).close_queue("outage", "drill", leads=True) == "no_closed_node"
