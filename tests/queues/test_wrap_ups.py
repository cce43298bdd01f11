"""Wrap-ups whose last line was lost: when they ended is found, told to the journal, and their quarter settles."""

from typing import Any

from queues.domain.agents import AgentState
from queues.domain.metrics import figures_of
from queues.domain.periods import QUARTER_MS
from queues.service import figuring
from queues.service.wrap_ups import mend_wrap_ups
from queues.store import wrap_ups
from tests.queues.asking import plans
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline
from tests.queues.test_figuring import NOTHING, told


async def lose(hotline: Hotline, line_type: str, count: int) -> None:
    """The last lines of this type never come to history."""
    key = f"{{{hotline.plan.site}}}:journal"
    entries: Any = await hotline.runtime.redis.xrange(key)
    ids = [entry_id for entry_id, fields in entries if fields["type"] == line_type]
    assert len(ids) >= count
    await hotline.runtime.redis.xdel(key, *ids[-count:])


async def test_a_wrap_up_whose_last_line_was_lost_is_closed_by_the_agents_next_state_and_the_quarter_settles(
    hotline: Hotline,
) -> None:
    """Three ways to lose it: he is ready again, he never was seen again, and he is in it still."""
    runtime, board = hotline.runtime, hotline.switchboard
    clock: Any = runtime.clock
    for call_id, number in (("CA1", LIN_NUMBER), ("CA2", CHEN_NUMBER)):
        await hotline.answered_call(call_id, number)
    await lose(hotline, "agent.wrap_up_closed", 2)
    await lose(hotline, "agent.presence_changed", 1)
    await hotline.write_down()
    await figuring.drain(runtime)
    assert (await told(hotline)).is_open
    assert await mend_wrap_ups(runtime) == 0, "it may come yet"
    clock.advance(2 * QUARTER_MS)
    for _ in range(2):
        assert await mend_wrap_ups(runtime) == 2
    await hotline.write_down()
    await figuring.drain(runtime)
    totals = await told(hotline)
    assert not totals.is_open
    one, two = await hotline.rows("calls", "wrap_ms", "running", "wrapped_up_ms", "ended_ms")
    assert one["running"] == two["running"] == ""
    assert one["wrap_ms"] == 10_000, "he was ready after that"
    assert two["wrap_ms"] == hotline.plan.wrap_up_ms, "as long as he was told, for nothing is known"
    assert one["wrapped_up_ms"] == one["ended_ms"] + 10_000
    assert figures_of(totals)["wrap_time"].value == (10 + hotline.plan.wrap_up_ms / 1000) / 2
    assert await figuring.verify(runtime) == NOTHING
    assert await figuring.restamp(runtime) == 0, "whoever reads the journal again comes to the same"
    assert await mend_wrap_ups(runtime) == 0
    corrected = [row["corrected_ms"] for row in await hotline.rows("intervals")]
    assert corrected == [None] * len(corrected), "it was open: nothing that was told before is another now"

    await hotline.arrive("CA3")
    await hotline.enqueue("CA3")
    await hotline.answer("CA3")
    await hotline.end("CA3")
    await hotline.write_down()
    await figuring.drain(runtime)
    clock.advance(2 * QUARTER_MS)
    desk = await board.desk_state(agent_id="wang")
    assert desk is not None
    assert desk.state is AgentState.WRAP_UP, "no dispatcher has run"
    assert await mend_wrap_ups(runtime) == 0, "he is in it still, and whoever closes it tells"


async def test_they_are_looked_for_among_the_unsettled_and_the_running_alone(hotline: Hotline) -> None:
    """However many days and calls there ever were: the chore comes round every minute."""
    await hotline.answered_call("CA1", LIN_NUMBER)
    await lose(hotline, "agent.wrap_up_closed", 1)
    await hotline.write_down()
    await figuring.drain(hotline.runtime)
    async with plans(hotline.runtime.database) as (connection, found):
        assert len(await wrap_ups.open_before(connection, "power", 10**13, 10)) == 1
    assert "ix_intervals_unsettled" in found[0]
    assert "ix_calls_running" in found[1]
