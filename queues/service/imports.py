"""Importing customers from a table: the whole of it is checked first, then all of it is merged in one step, or none.

Rows are worked out and staged in batches while nobody waits; one transaction moves them into the files; then the
live index is brought up to the new revision. Who dies before the commit has changed nothing; who dies after it
leaves an index with an older stamp than SQL, and `mend_index` finishes the work.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config import numbers
from config.database import Workbench
from config.runtime import Runtime
from queues.domain.customer_changes import consenting
from queues.domain.customer_rows import Columns, Draft, RowFault
from queues.domain.customers import Customer
from queues.service import appointments, cases
from queues.service.customer_index import show_live
from queues.service.customer_work import Known, Worked, known_of, register_of, work_out
from queues.service.rescoring import place_if_overtaken
from queues.store import customer_index, tiers
from queues.store import customers as files
from queues.store import imports as store
from queues.store.imports import Counts
from queues.store.sheets import Row, Sheet, SheetError

__all__ = ["Counts", "Options", "Outcome", "RowFault", "SheetError", "import_table"]

BATCH: Final = 2_000
STALE_AT_ONCE: Final = 20_000
TRIES: Final = 50
HEADINGS_ROW: Final = 1

# the step, and how far it is in per cent
Told = Callable[[str, float], None]
Report = Callable[[Sequence[RowFault]], None]
OnMerge = Callable[[AsyncConnection, "Outcome"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`on_merge` writes in the transaction of the merge: what it notes is true if and only if that is committed."""

    dry_run: bool = False
    skip_faulty: bool = False
    origin: str = ""
    area_code: str = ""
    account_id: str = ""
    on_merge: OnMerge | None = None


@dataclass(slots=True)
class Outcome:
    """What was found and done. Nothing is merged in a dry run, and where a row is faulty and none may be skipped."""

    rows: int = 0
    faulty: int = 0
    counts: Counts = field(default_factory=Counts)
    has_headings: bool = True
    is_merged: bool = False
    import_no: int | None = None
    took_s: dict[str, float] = field(default_factory=dict)


class StaleError(Exception):
    """Files have changed since they were worked out."""

    def __init__(self, row_nos: Sequence[int]) -> None:
        super().__init__(self.__doc__)
        self.row_nos = frozenset(row_nos)


def _say_nothing(_step: str, _done: float) -> None:
    pass


async def import_table(
    runtime: Runtime,
    path: Path,
    options: Options,
    report: Report = lambda _: None,
    told: Told = _say_nothing,
) -> Outcome:
    """Import one table; every fault of it goes to `report`, in the order of the rows."""
    sheet = await asyncio.to_thread(Sheet, path)
    columns = Columns(sheet.headings, await register_of(runtime, options.area_code))
    if columns.faults:
        report([RowFault(HEADINGS_ROW, "", name, what) for name, what in columns.faults])
        return Outcome(faulty=1, has_headings=False)
    with few_collections():
        async with runtime.database.workbench() as bench:
            work = TableImport(runtime, sheet, columns, options, bench, told)
            outcome = await work.run(report)
        if outcome.is_merged:
            with work.timing("index"):
                told("index", 0)
                await show_live(runtime, waits=True)
                await cases.tell(runtime)
    return outcome


@contextmanager
def few_collections() -> Iterator[None]:
    """A row is many small values and no circle; looking for circles among them took a third of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(BATCH * 100, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


class TableImport:
    """One import on its way: its workbench, and what it has found so far."""

    def __init__(
        self,
        runtime: Runtime,
        sheet: Sheet,
        columns: Columns,
        options: Options,
        bench: Workbench,
        told: Told,
    ) -> None:
        self.runtime, self.sheet, self.columns = runtime, sheet, columns
        self.options, self.bench, self.told = options, bench, told
        self.site, self.plan = runtime.settings.site, columns.register.plan
        self.outcome = Outcome()
        self._seen_revision, self._has_files = 0, True
        # of rows that were sound until their files changed
        self._late: list[RowFault] = []

    async def run(self, report: Report) -> Outcome:
        outcome = self.outcome
        with self.timing("check"):
            await self._stage_all()
            await self._judge(report)
        if not self.options.dry_run and (self.options.skip_faulty or not outcome.faulty):
            with self.timing("merge"):
                await self._merge_all()
            report(self._late)
        return outcome

    def timing(self, step: str) -> "Stopwatch":
        return Stopwatch(self.outcome.took_s, step)

    async def _stage_all(self) -> None:
        async with self.bench.preparing() as connection:
            await store.set_up(connection)
            self._seen_revision = await customer_index.revision_of(connection, self.site)
            self._has_files = not await tiers.is_empty(connection, self.site)
        async for batch in batches(self.sheet.rows()):
            drafts = [self.columns.read(row_no, cells) for row_no, cells in batch]
            self.outcome.rows += len(drafts)
            await self._stage(drafts, is_first=True)
            self.told("check", self.sheet.done)

    async def _stage(self, drafts: Sequence[Draft], *, is_first: bool) -> None:
        """Work these rows out and put them on the bench; what is wrong with them is kept apart."""
        async with self.bench.preparing() as connection:
            accounts = [draft.account_no for draft in drafts if draft.account_no]
            known: dict[str, Known] = {}
            if self._has_files or not is_first:
                known = await known_of(connection, self.site, accounts, self.runtime.clock.now_ms())
            worked = list(work_out(self.plan, drafts, known))
            rows = self._rows_of([each for each in worked if not each.draft.faults])
            if is_first:
                rows["staged_faults"] = list(fault_rows(drafts))
            else:
                self._late.extend(RowFault(**row) for row in fault_rows(drafts))
            await store.stage(connection, rows)

    def _rows_of(self, worked: Iterable[Worked]) -> dict[str, list[dict[str, Any]]]:
        secret = self.runtime.settings.secret_key
        rows: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("staged_files", "staged_numbers", "staged_changes")
        }
        for each in worked:
            row_no, has_new_numbers = each.draft.row_no, each.has_new_numbers
            rows["staged_files"].append(staged_row(each))
            rows["staged_changes"].extend(
                {"row_no": row_no, "field": one.field, "before": one.before, "after": one.after}
                for one in each.changes
            )
            if has_new_numbers:
                rows["staged_numbers"].extend(
                    {
                        "row_no": row_no,
                        "number_key": numbers.number_key(secret, number),
                        "number": number,
                        "contact": contact or None,
                    }
                    for number, contact in each.after.everybodys_numbers.items()
                )
        return rows

    async def _judge(self, report: Report) -> None:
        """Count, and hand every fault over."""
        async with self.bench.preparing() as connection:
            await store.note_twice(connection)
            self.outcome.faulty = await store.count_faulty(connection)
            after = 0
            while faults := await store.faults_after(connection, after, BATCH):
                after = faults[-1].row_no
                report([RowFault(*fault) for fault in faults])
            if self.outcome.faulty:
                await store.drop_faulty(connection)
            await store.survey(connection)
            counts = await store.count_staged(connection)
            self.outcome.counts = replace(counts, skipped=self.outcome.faulty)

    async def _merge_all(self) -> None:
        """Merge; whose file changed meanwhile is worked out again first, with nobody waiting."""
        for _ in range(TRIES):
            try:
                await self._merge()
            except StaleError as stale:
                await self._stage_again(stale.row_nos)
                if self._late and not self.options.skip_faulty:
                    return
            else:
                self.outcome.is_merged = True
                return
        raise RuntimeError("the customers' files change faster than they can be imported")

    async def _merge(self) -> None:
        now_ms = self.runtime.clock.now_ms()
        async with self.bench.merging() as connection:
            is_moved = await customer_index.revision_of(connection, self.site) != self._seen_revision
            if is_moved and (stale := await store.stale_rows(connection, self.site, STALE_AT_ONCE)):
                raise StaleError(stale)
            counts = replace(await store.count_staged(connection), skipped=self.outcome.faulty)
            self.outcome.counts = counts
            if counts.opened or counts.changed:
                await self._merge_into(connection, now_ms)
            if self.options.on_merge is not None:
                await self.options.on_merge(connection, self.outcome)

    async def _merge_into(self, connection: AsyncConnection, now_ms: int) -> None:
        merge = store.Merge(
            site=self.site,
            import_no=await store.next_import_no(connection),
            revision=await files.next_revision(connection, self.site),
            now_ms=now_ms,
            origin=self.options.origin or f"import {self.sheet.path.name}",
            account_id=self.options.account_id,
        )
        await store.insert_import(connection, merge, self.outcome.counts)
        await self._move(connection, merge)
        for customer_id, was, now in await store.managers_changed(connection):
            by, revision = self.options.account_id, merge.revision
            await appointments.follow_change(connection, self.runtime, customer_id, was, now, revision, by)
        await place_if_overtaken(connection, self.runtime, self.plan)
        self.outcome.import_no = merge.import_no

    async def _move(self, connection: AsyncConnection, merge: store.Merge) -> None:
        last = await store.last_row(connection)
        for above in range(0, last, store.AT_ONCE):
            await merge.move(connection, above, above + store.AT_ONCE)
            self.told("merge", min(above + store.AT_ONCE, last) * 100 / last)
        if fields := consenting(self.plan):
            await store.drop_withdrawn(connection, fields)

    async def _stage_again(self, row_nos: frozenset[int]) -> None:
        async with self.bench.preparing() as connection:
            await store.unstage(connection, row_nos)
        wanted = (row for row in self.sheet.rows() if row[0] in row_nos)
        async for batch in batches(wanted):
            await self._stage([self.columns.read(row_no, cells) for row_no, cells in batch], is_first=False)
        self.outcome.faulty += len({fault.row_no for fault in self._late} & row_nos)


def staged_row(worked: Worked) -> dict[str, Any]:
    known = worked.known
    before = known.customer if known else Customer(customer_id="", name="")
    return {
        **files.row_of(worked.after),
        "row_no": worked.draft.row_no,
        "customer_id": worked.after.customer_id or None,
        "seen_revision": known.revision if known else store.NEW,
        "is_changed": worked.is_changed,
        "has_new_numbers": worked.has_new_numbers,
        "old_tier": before.tier or None,
        "old_band": before.band or None,
    }


def fault_rows(drafts: Iterable[Draft]) -> Iterator[dict[str, Any]]:
    for draft in drafts:
        for name, what in draft.faults:
            yield {"row_no": draft.row_no, "account_no": draft.account_no, "field": name, "what": what}


async def batches(rows: Iterable[Row]) -> AsyncIterator[list[Row]]:
    """Read beside the event loop: a table is a file, and taking it apart is work."""
    remaining = iter(rows)
    while batch := await asyncio.to_thread(lambda: list(islice(remaining, BATCH))):
        yield batch


class Stopwatch:
    """How many real seconds a step took."""

    def __init__(self, took_s: dict[str, float], step: str) -> None:
        self._took_s, self._step = took_s, step
        self._since_s = 0.0

    def __enter__(self) -> None:
        self._since_s = asyncio.get_running_loop().time()

    def __exit__(self, *_: object) -> None:
        self._took_s[self._step] = asyncio.get_running_loop().time() - self._since_s
