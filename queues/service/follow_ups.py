"""Follow-ups: what our people still owe a customer, and its end.

Who is on leave has a cover, who sees what is owed meanwhile as his own.
"""

from collections.abc import Collection
from typing import Final

from config.runtime import Runtime
from queues.service.owners import caller_told, is_theirs
from queues.service.tickets import CALL_BACK, DONE, Answer
from queues.store import audits, managers
from queues.store import follow_ups as store
from queues.store.follow_ups import FollowUp

__all__ = ["FollowUp", "answering_for", "end_follow_up", "find_follow_up", "follow_ups_owed", "is_theirs"]

SHOWN_MAX: Final = 200


async def answering_for(runtime: Runtime, agent_id: str) -> list[str]:
    """The agent himself, and those who are on leave and whose cover he is; nobody, for who has no seat."""
    if not agent_id:
        return []
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    async with runtime.database.read() as connection:
        away = await managers.leaves_after(connection, site, now_ms)
    covered = [leave.agent_id for leave in away if leave.covers(now_ms) and leave.cover == agent_id]
    return list(dict.fromkeys([agent_id, *covered]))


async def follow_ups_owed(runtime: Runtime, agent_ids: Collection[str] | None = None) -> list[FollowUp]:
    """Of these agents and of nobody in particular, or of everybody; the oldest first."""
    async with runtime.database.read() as connection:
        return await store.owed(connection, runtime.settings.site, agent_ids, SHOWN_MAX)


async def find_follow_up(runtime: Runtime, follow_up_id: str) -> FollowUp | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, runtime.settings.site, follow_up_id)


async def end_follow_up(
    runtime: Runtime, follow_up_id: str, by: str, whose: Collection[str] | None
) -> Answer:
    """It is done, says who answers for these agents (None: for everybody); NOT_HIS when it is another's to say.

    That a caller was rung back is what his ticket waits for, so there its owner decides.
    """
    found = await find_follow_up(runtime, follow_up_id)
    if found is None:
        return Answer.GONE
    if found.ended_ms is not None:
        return Answer.AGAIN
    if found.kind == CALL_BACK and found.ticket_no:
        answer = await caller_told(runtime, found.ticket_no, by, whose)
        if answer is not Answer.AGAIN:
            return answer
    elif not is_theirs(found.agent_id, whose):
        return Answer.NOT_HIS
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        if not await store.end(connection, follow_up_id, DONE, by, now_ms):
            return Answer.AGAIN
        subject = f"ticket:{found.ticket_no}" if found.ticket_no else found.customer_id or ""
        detail = {"kind": found.kind, "agent_id": found.agent_id or ""}
        await audits.write(
            connection, "follow_up.done", follow_up_id, at_ms=now_ms, by=by, subject=subject, detail=detail
        )
    return Answer.OK
