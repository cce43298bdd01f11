"""History: what the scribe writes of the journal.

Events as they came, calls by the fold, and the tickets due.
"""

import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import intervals, stays
from queues.domain import talks as talk_rules
from queues.domain.call_records import STEPS, CallRecord, fold_onto, text_of
from queues.domain.journal import Line, LineType, parse_id
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


@dataclass(frozen=True, slots=True)
class Folded:
    """The records of the calls that a batch tells of, as they are after it."""

    records: Mapping[str, CallRecord]
    new: Set[str]  # of these SQL knew nothing before


class History:
    """The scribe's book; see `queues.service.readers.Book`."""

    name = READER

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.site = runtime.settings.site
        # The newest line in SQL when this process came to write; None: not asked, or there was none.
        self.kept_id: str | None = None

    async def look_up(self, entries: Sequence[Entry]) -> Live:
        """Callers' numbers, and what they keyed, live in the call's hash alone; it is read while it is there."""
        lines = sound(entries)
        arrived = {
            line.call_id: line for line in lines if line.type == LineType.CALL_ARRIVED and line.call_id
        }
        keyed = {line.call_id for line in lines if line.type in KEYED_BY and line.call_id}
        live = await calls.live_of(self.runtime.redis, self.site, arrived.keys() | keyed)
        given = {call_id: own_given(live[call_id].given) for call_id in keyed if live[call_id].given}
        return Live(
            numbers=numbers_of(arrived.values(), live),
            given={call_id: json.dumps(each, ensure_ascii=False) for call_id, each in given.items() if each},
        )

    def is_concerned(self, _known: Live) -> bool:
        """Every line is kept."""
        return True

    async def write(self, connection: AsyncConnection, entries: Sequence[Entry], known: Live) -> Written:
        lines = list(sound(entries))
        for entry in entries:
            if entry.line is None:
                log.error("scribe.line_unreadable", entry_id=entry.id)
        if self.kept_id is None:
            self.kept_id = await journal.newest_id(connection, self.site)
        await journal.insert_events(connection, self.site, entries)
        await site_versions.insert_activations(connection, self.site, lines)
        await announcements.insert_told(connection, self.site, lines)
        refs = await erasing.refs_of(connection, lines)
        folded = await self._write_calls(connection, lines)
        await write_talks(connection, lines, folded)
        nameless = erasing.nameless(lines, folded.records)
        for line in lines:
            if line.type == LineType.CALL_JOINED and line.call_id:
                await calls.set_ticket(connection, line.call_id, text_of(line.data, "ticket_no"))
        if known.given:
            await calls.set_given(connection, known.given)
        if known.numbers:
            await customers.save_caller_numbers(connection, known.numbers)
        await erasing.scrub(connection, nameless, refs, entries[-1].at_ms)
        now_ms = self.runtime.clock.now_ms()
        due = await links.insert_new(connection, await due_tickets(connection, lines, folded.new, now_ms))
        joined = {line.call_id for line in lines if line.type == LineType.CALL_JOINED}
        ticketless = folded.new - joined
        owned = await tickets.own_first(
            connection, [line for line in lines if line.call_id not in ticketless]
        )
        relapsed = [line.call_id for line in lines if erasing.is_relapse(line, folded.records)]
        return Written(due, owned, relapsed)

    async def after_commit(self, done: Written) -> None:
        if done.due:
            await links.push(self.runtime, links.OPEN_TICKET, done.due)
        if done.owned:
            await cases.tell(self.runtime)
        for call_id in done.relapsed:
            await Switchboard(self.runtime).anonymise_call(call_id=call_id)

    async def take_over(self) -> None:
        self.kept_id = None
        await links.push_left_over(self.runtime, links.OPEN_TICKET)

    async def _write_calls(self, connection: AsyncConnection, lines: Sequence[Line]) -> Folded:
        told = [line for line in lines if line.type in STEPS and line.call_id]
        call_ids = {line.call_id for line in told}
        records = await calls.load(connection, call_ids) if call_ids else {}
        new = call_ids - records.keys()
        before = intervals.counted(records.values())
        changed = fold_all(records, told)
        version = self.runtime.site_files.version
        for record in changed:
            record.site_version = record.site_version or version
        if changed:
            await calls.save(connection, self.site, changed)
        cells = intervals.changes(before, changed)
        moves = stays.moves_of(lines_after(self.kept_id, lines))
        await interval_rows.note(connection, self.site, lines[0].at_ms if lines else 0, cells, moves)
        return Folded(records, new)


Scribe = Reader[Live, Written]


def scribe(runtime: Runtime, holder: str | None = None) -> Scribe:
    """This process's seat at the journal."""
    return Reader(runtime, History(runtime), holder)


def lines_after(last_id: str | None, lines: Sequence[Line]) -> Sequence[Line]:
    """What comes behind this id. A record knows which lines it has taken in; an agent's time does not."""
    if last_id is None:
        return lines
    return lines[bisect_right(lines, parse_id(last_id), key=lambda line: parse_id(line.id)) :]


def fold_all(records: dict[str, CallRecord], lines: Sequence[Line]) -> list[CallRecord]:
    """Take these lines into the records; returns those that changed. A line the fold cannot take is logged."""
    changed: dict[str, CallRecord] = {}
    for line in lines:
        before = records.get(line.call_id)
        seen_id = before and before.updated_id
        try:
            record = fold_onto(before, line)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            log.error("scribe.line_not_folded", entry_id=line.id, type=line.type, fault=type(fault).__name__)
            continue
        if record is not None and record.updated_id != seen_id:
            records[line.call_id] = changed[line.call_id] = record
    return list(changed.values())


async def write_talks(connection: AsyncConnection, lines: Sequence[Line], folded: Folded) -> None:
    """Who was never answered has none."""
    answered = {call_id for call_id, record in folded.records.items() if record.answered_ms is not None}
    told = [line for line in lines if line.type in talk_rules.STEPS and line.call_id in answered]
    if not told:
        return
    known = {line.call_id for line in told} - folded.new
    before = await talks.load(connection, known) if known else {}
    after = dict(before)
    for line in told:
        after[line.call_id] = talk_rules.fold(after.get(line.call_id, ()), line)
    if changed := talks.changed(before, after):
        await talks.save(connection, changed)


async def due_tickets(
    connection: AsyncConnection, lines: Sequence[Line], new: Set[str], now_ms: int
) -> list[Link]:
    """The links of the tickets that these lines make due, at the instant of the line.

    `new` calls have told all there is of them in these lines.
    """
    deciding = [line for line in lines if line.call_id and is_deciding(line)]
    known = {line.call_id for line in deciding} - new
    promises = await promised(connection, known) if known else {}
    found: dict[str, Link] = {}
    for line in lines:
        if line.type == LineType.CALL_QUEUED and line.call_id in new and (promise := promise_of(line)):
            promises.setdefault(line.call_id, promise)
    for line in deciding:
        due = promises.get(line.call_id)
        if due is not None and line.call_id not in found and is_due(due, line):
            found[line.call_id] = ticket_link(due, line.at_ms, now_ms)
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


def ticket_link(promise: Promise, due_ms: int, now_ms: int) -> Link:
    link = Link(
        call_id=promise.call_id,
        kind=links.OPEN_TICKET.name,
        ticket_no=promise.ticket_no,
        work_queue=promise.work_queue,
        due_ms=due_ms,
    )
    return links.first_attempt(links.OPEN_TICKET, link, now_ms)


def numbers_of(arrived: Iterable[Line], live: Mapping[str, calls.LiveCall]) -> list[Mapping[str, Any]]:
    """Which number stands behind each caller's ref, by his latest call."""
    latest: dict[str, Mapping[str, Any]] = {}
    for line in arrived:
        caller_ref, number = text_of(line.data, "caller_ref"), live[line.call_id].number
        if number and caller_ref and caller_ref != customers.WITHHELD:
            latest[caller_ref] = {"caller_ref": caller_ref, "number": number, "seen_ms": line.at_ms}
    return list(latest.values())


def sound(entries: Sequence[Entry]) -> list[Line]:
    return [entry.line for entry in entries if entry.line is not None]
