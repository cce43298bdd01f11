"""Wrap-ups whose end never came to the journal: a line that could not be read, or a live store that was lost whole.

Until it is known when they ended, their calls count as not settled, and so does the quarter in which they came. The
rule: an agent's next state ends his wrap-up, and no wrap-up is longer than he was told it might be; where he has no
later state, it is over by then once he is not in it any more. The end is told to the journal as one more line about the
call, so that whoever reads the journal again comes to the same record. Told twice, it changes nothing.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import agent_time
from queues.domain.agents import AgentState
from queues.domain.call_records import whole_of
from queues.domain.journal import Line, LineType, parse_id
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.store import journal, wrap_ups
from queues.store.wrap_ups import OpenWrapUp

log = get_log(__name__)

LATE_MS: Final = 600_000  # by then whoever was to close it has been restarted, and history has read of it
AT_ONCE: Final = 100
WHY: Final = "wrap_up_lost"
_TOLD_UNTIL: Final = (LineType.AGENT_WRAP_UP_STARTED, LineType.AGENT_WRAP_UP_EXTENDED)


async def mend_wrap_ups(runtime: Runtime) -> int:
    """How many were closed."""
    plan, switchboard, mended = plan_of(runtime), Switchboard(runtime), 0
    longest_ms = plan.wrap_up_ms + plan.wrap_up_extension_ms
    before_ms = runtime.clock.now_ms() - longest_ms - LATE_MS
    async with runtime.database.read() as connection:
        found = await wrap_ups.open_before(connection, runtime.settings.site, before_ms, AT_ONCE)
    for each in found:
        desk = await switchboard.desk_state(agent_id=each.agent_id)
        if desk and desk.state is AgentState.WRAP_UP and desk.since_ms <= each.since_ms:
            continue  # he is in it still: the dispatcher closes it when it runs again
        async with runtime.database.read() as connection:
            ended_ms = await _ended(connection, runtime.settings.site, each, plan.wrap_up_ms)
        told = {"why": WHY, "agent_id": each.agent_id, "wrapped_up_ms": ended_ms}
        await switchboard.append_line(type=LineType.CALL_RECONCILED, call_id=each.call_id, data=told)
        log.warning("wrap_up.mended", call_id=each.call_id, agent_id=each.agent_id)
        mended += 1
    return mended


async def _ended(connection: AsyncConnection, site: str, open_: OpenWrapUp, wrap_up_ms: int) -> int:
    own = await journal.lines_of_calls(connection, [open_.call_id], _TOLD_UNTIL)
    until_ms = until_of(
        [line for line in own if line.agent_id == open_.agent_id], open_.since_ms + wrap_up_ms
    )
    lines = await journal.lines_between(connection, site, open_.since_ms, until_ms, agent_time.TYPES)
    return next_state(lines, open_, until_ms)


def until_of(lines: Sequence[Line], otherwise_ms: int) -> int:
    """Until when he was told that it might go on."""
    told = [whole_of(line.data, "until_ms") for line in lines]
    return max((each for each in told if each is not None), default=otherwise_ms)


def next_state(lines: Sequence[Line], open_: OpenWrapUp, until_ms: int) -> int:
    """When he was in another state first after it began; `until_ms` where he never was before that."""
    has_begun = False
    for line in lines:
        if line.agent_id != open_.agent_id:
            continue
        if line.type == LineType.AGENT_WRAP_UP_STARTED and line.call_id == open_.call_id:
            has_begun = True
        elif has_begun and agent_time.state_after(line) not in (None, AgentState.WRAP_UP):
            return min(parse_id(line.id)[0], until_ms)
    return until_ms
