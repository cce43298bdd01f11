"""History: what the scribe writes of the journal.

Events as they came, calls by the fold, and the tickets due.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import intervals, stays
from queues.domain import talks as talk_rules
from queues.domain.call_records import STEPS, CallRecord, fold, text_of
from queues.domain.journal import Line, LineType
from queues.domain.tickets import Promise, is_deciding, is_due, promise_of
from queues.service import cases, erasing, links, tickets
from queues.service.facts import own_given
from queues.service.links import Link
from queues.service.readers import Entry, Reader
from queues.service.switchboard import Switchboard
from queues.store import announcements, calls, customers, journal, site_versions, talks
from queues.store import intervals as interval_rows

log = get_log(__name__)

READER: Final = "scribe"

KEYED_BY: Final = frozenset({LineType.CALL_QUEUED, LineType.CALL_ENDED})  # by then the caller has keyed it


@dataclass(frozen=True, slots=True)
class Live:
    """What the live calls hold that no line may tell."""

    numbers: Sequence[Mapping[str, Any]]  # rows of caller_ref, number, seen_ms
    given: Mapping[str, str]  # call_id -> JSON


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be done when a batch is committed."""

    due: list[Link]
    owned: int  # tickets that have an owner now
    relapsed: list[str]  # calls that are anonymous and have told again who it is


class History:
    """The scribe's book; see `queues.service.readers.Book`."""

    name = READER

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.site = runtime.settings.site

    async def look_up(self, entries: Sequence[Entry]) -> Live:
        """Callers' numbers, and what they keyed, live in the call's hash alone; it is read while it is there."""
        lines = sound(entries)
        keyed = dict.fromkeys(line.call_id for line in lines if line.type in KEYED_BY and line.call_id)
        given = await calls.given_live(self.runtime.redis, self.site, list(keyed))
        own = {call_id: own_given(text) for call_id, text in given.items()}
        return Live(
            numbers=await self._numbers(lines),
            given={call_id: json.dumps(each, ensure_ascii=False) for call_id, each in own.items() if each},
        )

    async def _numbers(self, lines: Sequence[Line]) -> list[Mapping[str, Any]]:
        refs = {
            line.call_id: (text_of(line.data, "caller_ref"), line.at_ms)
            for line in lines
            if line.type == LineType.CALL_ARRIVED and line.call_id
        }
        numbers = await customers.numbers_of_calls(self.runtime.redis, self.site, list(refs))
        latest: dict[str, Mapping[str, Any]] = {}
        for call_id, number in numbers.items():
            caller_ref, at_ms = refs[call_id]
            if caller_ref and caller_ref != customers.WITHHELD:
                latest[caller_ref] = {"caller_ref": caller_ref, "number": number, "seen_ms": at_ms}
        return list(latest.values())

    async def write(self, connection: AsyncConnection, entries: Sequence[Entry], known: Live) -> Written:
        lines = list(sound(entries))
        for entry in entries:
            if entry.line is None:
                log.error("scribe.line_unreadable", entry_id=entry.id)
        await journal.insert_events(connection, self.site, entries)
        await site_versions.insert_activations(connection, self.site, lines)
        await announcements.insert_told(connection, self.site, lines)
        refs = await erasing.refs_of(connection, lines)
        records = await self._write_calls(connection, lines)
        await write_talks(connection, lines)
        nameless = erasing.nameless(lines, records)
        for line in lines:
            if line.type == LineType.CALL_JOINED and line.call_id:
                await calls.set_ticket(connection, line.call_id, text_of(line.data, "ticket_no"))
        if known.given:
            await calls.set_given(connection, known.given)
        if known.numbers:
            await customers.save_caller_numbers(connection, known.numbers)
        await erasing.scrub(connection, nameless, refs, entries[-1].at_ms)
        due = await links.insert_new(connection, await due_tickets(connection, lines))
        owned = await tickets.own_first(connection, lines)
        return Written(due, owned, [line.call_id for line in lines if erasing.is_relapse(line, records)])

    async def after_commit(self, done: Written) -> None:
        if done.due:
            await links.push(self.runtime, links.OPEN_TICKET, done.due)
        if done.owned:
            await cases.tell(self.runtime)
        for call_id in done.relapsed:
            await Switchboard(self.runtime).anonymise_call(call_id=call_id)

    async def take_over(self) -> None:
        await links.push_left_over(self.runtime, links.OPEN_TICKET)

    async def _write_calls(
        self, connection: AsyncConnection, lines: Sequence[Line]
    ) -> Mapping[str, CallRecord]:
        """The records of the calls that these lines are about, as they are now."""
        told = [line for line in lines if line.type in STEPS and line.call_id]
        before = await calls.load(connection, {line.call_id for line in told}) if told else {}
        after = fold_all(before, told)
        version = self.runtime.site_files.version
        changed = [
            record if record.site_version else replace(record, site_version=version)
            for call_id, record in after.items()
            if record != before.get(call_id)
        ]
        if changed:
            await calls.save(connection, self.site, changed)
        cells = intervals.changes(before, changed)
        await interval_rows.note(
            connection, self.site, lines[0].at_ms if lines else 0, cells, stays.moves_of(lines)
        )
        return after


Scribe = Reader[Live, Written]


def scribe(runtime: Runtime, holder: str | None = None) -> Scribe:
    """This process's seat at the journal."""
    return Reader(runtime, History(runtime), holder)


def fold_all(before: Mapping[str, CallRecord], lines: Sequence[Line]) -> dict[str, CallRecord]:
    """Every record after these lines; a line the fold cannot take is logged and left out."""
    after = dict(before)
    for line in lines:
        try:
            record = fold(after.get(line.call_id), line)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            log.error("scribe.line_not_folded", entry_id=line.id, type=line.type, fault=type(fault).__name__)
            continue
        if record is not None:
            after[line.call_id] = record
    return after


async def write_talks(connection: AsyncConnection, lines: Sequence[Line]) -> None:
    told = [line for line in lines if line.type in talk_rules.STEPS and line.call_id]
    if not told:
        return
    before = await talks.load(connection, {line.call_id for line in told})
    after = dict(before)
    for line in told:
        after[line.call_id] = talk_rules.fold(after.get(line.call_id, ()), line)
    if changed := talks.changed(before, after):
        await talks.save(connection, changed)


async def due_tickets(connection: AsyncConnection, lines: Sequence[Line]) -> list[Link]:
    """The links of the tickets that these lines make due, at the instant of the line."""
    deciding = [line for line in lines if line.call_id and is_deciding(line)]
    if not deciding:
        return []
    promises = await promised(connection, {line.call_id for line in deciding})
    found: dict[str, Link] = {}
    for line in deciding:
        promise = promises.get(line.call_id)
        if promise is not None and line.call_id not in found and is_due(promise, line):
            found[line.call_id] = ticket_link(promise, line.at_ms)
    return list(found.values())


async def promised(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, Promise]:
    """What these calls were promised when they first entered a queue.

    This batch's lines are stored already.
    """
    promises: dict[str, Promise] = {}
    for line in await journal.lines_of_calls(connection, call_ids, [LineType.CALL_QUEUED]):
        if promise := promise_of(line):
            promises.setdefault(promise.call_id, promise)
    return promises


def ticket_link(promise: Promise, due_ms: int) -> Link:
    link = Link(
        call_id=promise.call_id,
        kind=links.OPEN_TICKET.name,
        ticket_no=promise.ticket_no,
        work_queue=promise.work_queue,
        due_ms=due_ms,
    )
    return links.first_attempt(links.OPEN_TICKET, link)


def sound(entries: Sequence[Entry]) -> list[Line]:
    return [entry.line for entry in entries if entry.line is not None]
