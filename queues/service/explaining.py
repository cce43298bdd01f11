"""Explaining a call: after the fact from SQL, and during the call from the journal that SQL has not read yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from config.redis import STORE_ERRORS
from config.runtime import Runtime
from queues.domain.explanation import Explanation, explain, said
from queues.domain.faults import SiteFaults
from queues.domain.journal import Line, LineType, parse_id
from queues.domain.plan import Plan
from queues.service.calls import CallStory
from queues.service.history import READER
from queues.service.live_changes import reasons_of
from queues.service.plans import plan_in, words_of
from queues.store import calls, journal, readers

BATCH: Final = 1000
SHIFT_MS: Final = 16 * 3_600_000  # whoever answered then signed in no longer ago
# What tells an agent's skills.
SKILLED: Final = (
    LineType.AGENT_SIGNED_IN,
    LineType.AGENT_SKILLS_CHANGED,
    LineType.AGENT_LENT,
    LineType.AGENT_TAKEN_BACK,
)
# What tells who stood where, and who was given an agent.
PLACED: Final = (
    LineType.CALL_QUEUED,
    LineType.CALL_OFFERED,
    LineType.CALL_TRANSFERRED,
    LineType.CALL_MOVED,
    LineType.CALL_RAISED,
)


class UnknownCallError(Exception):
    """Neither the history nor the live journal has heard of this call."""


class NoLinesError(Exception):
    """The history has the call's record, and no line of the journal: it is of a time before, or was trimmed."""


async def explain_call(runtime: Runtime, call_id: str) -> Explanation:
    """Why this call waited and why this agent. Raises UnknownCallError and NoLinesError."""
    async with runtime.database.read() as connection:
        is_known = await calls.find(connection, runtime.settings.site, call_id) is not None
        written = await journal.lines_of_calls(connection, [call_id]) if is_known else []
    tail, is_live = await _tail(runtime)
    # The scribe may have read on between the two looks: then a line is in both.
    own = merged(written, [line for line in tail if line.call_id == call_id])
    if not own:
        raise NoLinesError(call_id) if is_known else UnknownCallError(call_id)
    told = await _explain(runtime, call_id, own, tail)
    return told if is_live else replace(told, missing=(*told.missing, said("explain.missing.live")))


async def _tail(runtime: Runtime) -> tuple[list[Line], bool]:
    """What SQL has not read yet; False when the live store is away, and nobody knows."""
    try:
        return await unwritten_lines(runtime), True
    except STORE_ERRORS:
        return [], False


async def explain_story(runtime: Runtime, story: CallStory) -> Explanation:
    """The same of a call whose lines are at hand; a call without any is explained by what is missing."""
    return await _explain(runtime, story.call.call_id, story.lines, [])


async def _explain(runtime: Runtime, call_id: str, own: Sequence[Line], tail: Sequence[Line]) -> Explanation:
    site, now_ms = runtime.settings.site, runtime.clock.now_ms()
    own = with_reasons(own, await reasons_of(runtime, call_id))
    from_ms = next((line.at_ms for line in own if line.type == LineType.CALL_QUEUED), None)
    others: list[Line] = []
    if from_ms is not None:
        ended_ms = next((line.at_ms for line in own if line.type == LineType.CALL_ENDED), now_ms)
        others = await _others(runtime, site, from_ms, ended_ms, tail)
    plan = await plan_that_decided(runtime, own)
    return explain(call_id, own, others, plan=plan, now_ms=now_ms)


def with_reasons(lines: Sequence[Line], reasons: Mapping[str, Sequence[str]]) -> list[Line]:
    """A supervisor's reasons, which no journal line may have, beside the lines of what he did."""
    left = {action: list(texts) for action, texts in reasons.items()}
    return [
        replace(line, data={**line.data, "reason": left[line.type].pop(0)}) if left.get(line.type) else line
        for line in lines
    ]


async def _others(
    runtime: Runtime, site: str, from_ms: int, until_ms: int, tail: Sequence[Line]
) -> list[Line]:
    """Who was offered while it waited, and where each of them stood."""
    async with runtime.database.read() as connection:
        offered = await journal.lines_between(
            connection, site, from_ms, until_ms + 1, [LineType.CALL_OFFERED]
        )
        live = [
            line for line in tail if line.type == LineType.CALL_OFFERED and from_ms <= line.at_ms <= until_ms
        ]
        told_skills = await journal.lines_between(connection, site, from_ms - SHIFT_MS, until_ms + 1, SKILLED)
        named = {line.call_id for line in (*offered, *live)}
        placed = await journal.lines_of_calls(connection, named, PLACED)
    is_of = {*PLACED, *SKILLED}
    late = [line for line in tail if line.type in is_of and (line.call_id in named or not line.call_id)]
    return sorted(merged([*placed, *told_skills], late), key=lambda line: parse_id(line.id))


async def plan_that_decided(runtime: Runtime, lines: Sequence[Line]) -> Plan | None:
    """The plan of the version that the last offer was decided by, else that the call began with."""
    decided = (line.data.get("why") for line in lines if line.type == LineType.CALL_OFFERED)
    versions = [str(why["version"]) for why in decided if isinstance(why, Mapping) and "version" in why]
    began = [str(line.data["site_version"]) for line in lines if line.data.get("site_version")]
    versions = versions or began
    return await plan_of_version(runtime, versions[-1] if versions else runtime.site_files.version)


async def plan_of_version(runtime: Runtime, version: str) -> Plan | None:
    """None when its words are not kept, or were written for another release of this software."""
    files = await words_of(runtime, version)
    if files is None:
        return None
    try:
        return plan_in(files)
    except SiteFaults:
        return None


async def unwritten_lines(runtime: Runtime) -> list[Line]:
    """The journal's lines behind those that the scribe has written down."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        position = await readers.find(connection, READER)
    last_id = position.last_id if position else readers.FROM_THE_START
    found: list[Line] = []
    while entries := await journal.read_after(runtime.redis, site, last_id, BATCH):
        found += [entry.line for entry in entries if entry.line is not None]
        last_id = entries[-1].id
    return found


def merged(written: Sequence[Line], unwritten: Collection[Line]) -> list[Line]:
    """Both in their order, each line once."""
    known = {line.id for line in written}
    return [*written, *(line for line in unwritten if line.id not in known)]
