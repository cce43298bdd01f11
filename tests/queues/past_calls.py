"""Calls of days gone by, written straight into SQL as the scribe would have left them, and added up from there."""

from collections.abc import Iterable
from dataclasses import dataclass

from config.runtime import Runtime
from queues.domain.agents import AgentState
from queues.domain.call_records import CallRecord
from queues.domain.calls import CallState, Outcome
from queues.domain.intervals import total
from queues.domain.stays import Move
from queues.domain.talks import Talk
from queues.service import figuring
from queues.store import calls, intervals, talks

MENU_MS = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One call; `agent_id` empty: it was abandoned after that wait."""

    at_ms: int
    wait_s: float
    agent_id: str = ""
    talk_s: int = 40
    wrap_s: int = 10
    queue: str = "general"
    tier: str = "residential"


async def write(runtime: Runtime, past: Iterable[Past]) -> list[CallRecord]:
    """The calls, their talks, and the figures of both; CA0 is the first."""
    told = [(_record(number, each), each) for number, each in enumerate(past)]
    site, records = runtime.settings.site, [record for record, _ in told]
    had = [_talk(record, each) for record, each in told if each.agent_id]
    moves = sorted((move for talk in had for move in _moves(talk)), key=lambda move: move.at_ms)
    async with runtime.database.transaction() as connection:
        await calls.save(connection, site, records)
        await talks.save(connection, had)
        await intervals.note(connection, site, 0, total(records), moves)
    await figuring.drain(runtime)
    return records


def _record(number: int, each: Past) -> CallRecord:
    queued_ms = each.at_ms + MENU_MS
    until_ms = queued_ms + round(each.wait_s * 1000)
    record = CallRecord(
        call_id=f"CA{number}",
        state=CallState.ENDED.value,
        arrived_ms=each.at_ms,
        line="main",
        tier=each.tier,
        queue=each.queue,
        caller_ref=f"caller-{number}",
        queued_ms=queued_ms,
        wait_ms=until_ms - queued_ms,
        outcome=Outcome.ABANDONED.value,
        ended_in=CallState.QUEUED.value,
        ended_ms=until_ms,
    )
    if each.agent_id:
        record.outcome, record.agent_id = Outcome.ANSWERED.value, each.agent_id
        record.answered_ms, record.talk_ms = until_ms, each.talk_s * 1000
        record.ended_ms, record.wrap_ms = until_ms + each.talk_s * 1000, each.wrap_s * 1000
        record.wrapped_up_ms, record.offers = record.ended_ms + each.wrap_s * 1000, 1
    return record


def _talk(record: CallRecord, each: Past) -> Talk:
    began_ms = record.answered_ms or 0
    return Talk(
        call_id=record.call_id,
        offer_id=f"{record.call_id}-1",
        agent_id=each.agent_id,
        queue=each.queue,
        wait_ms=record.wait_ms,
        began_ms=began_ms,
        ended_ms=record.ended_ms,
        ended_as="ended",
        wrapped_up_ms=record.wrapped_up_ms,
    )


def _moves(talk: Talk) -> list[Move]:
    """He was ready a minute before, and is away again after the wrap-up."""
    ended_ms, done_ms = talk.ended_ms or 0, talk.wrapped_up_ms or 0
    ring_ms = talk.began_ms - 4_000
    return [
        Move(talk.agent_id, ring_ms - 60_000, AgentState.READY, ""),
        Move(talk.agent_id, ring_ms, AgentState.OFFERED, "offers"),
        Move(talk.agent_id, talk.began_ms, AgentState.CONNECTED, "accepted"),
        Move(talk.agent_id, ended_ms, AgentState.WRAP_UP, "talks"),
        Move(talk.agent_id, done_ms, AgentState.SIGNED_OUT, ""),
    ]
