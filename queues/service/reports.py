"""Reports for their readers: which there are, which are missing, and one of them with all that stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.runtime import Runtime
from queues.domain import report_document as documents
from queues.domain import reports as rules
from queues.domain.plan import Plan
from queues.domain.report_document import Document
from queues.domain.reports import Change, Kind, Values
from queues.service import reporting
from queues.service.reporting import missing
from queues.store import audits
from queues.store import reports as store
from queues.store.reports import Entry, EntryKind, Row

__all__ = [
    "Awaited",
    "Entry",
    "EntryKind",
    "Found",
    "Listed",
    "Row",
    "find",
    "listed",
    "missing",
    "note",
    "waiting_for",
]

PAGE: Final = 60
UPDATES: Final = 50  # of an urgent report on one page
NOTE_LENGTH_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Listed:
    """`entries` is how many corrections, updates and notes it has, by their kind."""

    row: Row
    entries: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A period that runs, or is over and not told of yet."""

    row: Row
    ready_ms: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """A report that is made; `kept` is what it said, `now` what it says with its corrections.

    Of the updates of an urgent one a page; `older` is the number before which there are more.
    """

    row: Row
    document: Document
    entries: tuple[Entry, ...]
    kept: Values
    now: Values
    is_intact: bool  # the document is the one that was made
    older: int | None = None

    def changes_of(self, entry: Entry) -> list[Change]:
        return documents.read_changes(entry.content) if entry.kind == EntryKind.CORRECTION else []


async def listed(runtime: Runtime, kinds: tuple[Kind, ...], before: tuple[int, str] | None) -> list[Listed]:
    """A page of them, the newest first."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        rows = await store.made(connection, site, kinds, before, PAGE)
        counts = await store.counts(connection, site, [row.report_id for row in rows])
    return [Listed(row, {kind: counts.get((row.report_id, kind), 0) for kind in EntryKind}) for row in rows]


async def waiting_for(runtime: Runtime, plan: Plan) -> list[Awaited]:
    """The next of each kind that is not there yet, the one that is due first on top."""
    terms, zone = plan.reports, plan.timezone
    found: dict[str, Awaited] = {}
    for row in await reporting.awaited(runtime, plan):
        if reporting.is_urgent(row):
            continue
        ready_ms, due_ms = (at(row.period, terms, zone) for at in (rules.ready_ms, rules.due_ms))
        if due_ms > runtime.clock.now_ms():
            found.setdefault(row.kind, Awaited(row, ready_ms, due_ms))
    return sorted(found.values(), key=lambda each: each.due_ms)


async def find(runtime: Runtime, report_id: str, before: int | None = None) -> Found | None:
    """None while it is not made. With the updates before this number, the newest ones where none is given."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        found = await store.find(connection, site, report_id)
        entries = [
            each
            for kind in (EntryKind.CORRECTION, EntryKind.NOTE)
            for each in await store.entries_of(connection, site, report_id, kind)
        ]
        updates = await store.updates(connection, site, report_id, before, UPDATES + 1)
    older = updates[UPDATES - 1].number if len(updates) > UPDATES else None
    if found is None or not found[0].is_made:
        return None
    row, text = found
    document = documents.read(text)
    kept = documents.values_of(document)
    corrections = [
        documents.read_changes(each.content) for each in entries if each.kind == EntryKind.CORRECTION
    ]
    is_intact = documents.digest_of(text) == row.digest
    told = (*entries, *updates[:UPDATES][::-1])
    return Found(row, document, told, kept, rules.corrected(kept, corrections), is_intact, older)


async def note(runtime: Runtime, report_id: str, text: str, by: str) -> bool:
    """A proposal or remark beside a report; False where there is no such report, or nothing is said."""
    site, now_ms, said = runtime.settings.site, runtime.clock.now_ms(), text.strip()[:NOTE_LENGTH_MAX]
    async with runtime.database.transaction() as connection:
        found = await store.find(connection, site, report_id)
        if found is None or not found[0].is_made or not said:
            return False
        entry = {"kind": str(EntryKind.NOTE), "at_ms": now_ms, "account_id": by, "why": "", "content": said}
        number = await store.add(connection, site, report_id, entry)
        mark, subject = f"{site}:{report_id}:{number}", f"report:{report_id}"
        await audits.write(connection, "report.noted", mark, at_ms=now_ms, by=by, subject=subject)
    return True
