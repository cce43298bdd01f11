"""The list of callers who gave up, kept from the journal by a reader of its own.

The reader follows the scribe, so the calls' records are there when it comes to their lines; it asks what each record
means (`domain.abandoned`) and brings the list to it. Taking the same lines in again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import abandoned as rules
from queues.domain.abandoned import SETTLED, TELLING, Abandoned, Ending, News
from queues.domain.call_records import CallRecord
from queues.domain.journal import Line, LineType
from queues.domain.plan import Plan
from queues.service import history
from queues.service.plans import plan_of
from queues.service.readers import Entry as JournalEntry
from queues.service.readers import Reader
from queues.store import abandoned as store
from queues.store import calls, customers
from queues.store.abandoned import Entry

log = get_log(__name__)

__all__ = ["READER", "SETTLED", "AbandonedBook", "Entry", "close_lapsed", "reader"]

READER: Final = "abandoned"


class AbandonedBook:
    """The list's book; see `queues.service.readers.Book`."""

    name = READER

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def look_up(self, entries: Sequence[JournalEntry]) -> list[Line]:
        """The lines that tell of somebody; all else it needs is in SQL."""
        return [line for line in history.sound(entries) if line.call_id and line.type in TELLING]

    def is_concerned(self, known: list[Line]) -> bool:
        return bool(known)

    async def write(
        self, connection: AsyncConnection, _entries: Sequence[JournalEntry], lines: list[Line]
    ) -> None:
        if nameless := [line.call_id for line in lines if line.type == LineType.CALL_ANONYMISED]:
            await store.forget_calls(connection, nameless)
        plan = plan_of(self.runtime)
        if plan.abandoned is None:
            return
        records = await calls.load(connection, {line.call_id for line in lines})
        site, now_ms = self.runtime.settings.site, self.runtime.clock.now_ms()
        listing = Listing(connection, site, plan, plan.abandoned, now_ms)
        await listing.open_of(records)
        told = [(rules.news_of(record, plan.abandoned), record) for record in records.values()]
        for (at_ms, news), record in sorted(told, key=lambda each: (each[0].at_ms, each[1].updated_id)):
            await listing.tell(record, news, at_ms)

    async def after_commit(self, done: None) -> None:
        """Nothing is due outside."""

    async def take_over(self) -> None:
        """Nothing can have been left half done."""


class Listing:
    """One batch's look at the open entries of the callers it tells of."""

    def __init__(
        self, connection: AsyncConnection, site: str, plan: Plan, terms: Abandoned, now_ms: int
    ) -> None:
        self.connection, self.site, self.plan, self.terms = connection, site, plan, terms
        self.now_ms = now_ms
        self.entries: dict[str, Entry] = {}

    async def open_of(self, records: Mapping[str, CallRecord]) -> None:
        refs = {record.caller_ref for record in records.values()} - {"", customers.WITHHELD}
        ours = {entry_id for call_id in records if (entry_id := rules.entry_of(call_id))}
        found = await store.open_of(self.connection, self.site, refs, ours)
        self.entries = {entry.entry_id: entry for entry in found}

    async def tell(self, record: CallRecord, news: News, at_ms: int) -> None:
        if entry_id := rules.entry_of(record.call_id):
            await self._tell_of_ours(record, news, at_ms, entry_id)
            return
        if news is News.GAVE_UP:
            await self._gave_up(record, at_ms)
        for entry in [each for each in self.entries.values() if each.caller_ref == record.caller_ref]:
            if news is News.HERE and entry.last_ms <= at_ms:
                await self._change(entry, here_call_id=record.call_id)
            elif news is News.ANSWERED and entry.last_ms <= at_ms:
                await self._close(entry, Ending.CAME_AGAIN, at_ms, record)
            elif news is News.MESSAGE and entry.last_ms <= at_ms:
                await self._close(entry, Ending.MESSAGE, at_ms, record)
            elif entry.here_call_id == record.call_id and record.has_ended:
                await self._change(entry, here_call_id=None)

    async def _gave_up(self, record: CallRecord, at_ms: int) -> None:
        """One more time in his entry for this queue, or a new one; unless he has been reached since."""
        queue, waited_ms = rules.queue_of(record, self.terms), rules.waited_ms(record)
        is_old = at_ms + self.terms.keep_ms <= self.now_ms
        if is_old or queue not in self.plan.queues or await store.is_counted(self.connection, record.call_id):
            return
        if await customers.number_of(self.connection, record.caller_ref) is None:
            return  # nobody can call him, or he is to be forgotten
        was_answered, here = await store.calls_after(self.connection, self.site, record.caller_ref, at_ms)
        if was_answered:
            return
        mine = (each for each in self.entries.values() if each.caller_ref == record.caller_ref)
        entry = next((each for each in mine if each.queue == queue), None)
        if entry is None:
            entry = self._new(record, queue, at_ms, waited_ms, here)
            if await store.insert(self.connection, entry):
                self.entries[entry.entry_id] = entry
                await store.count_call(self.connection, record.call_id, entry.entry_id, at_ms, waited_ms)
            return
        await store.count_call(self.connection, record.call_id, entry.entry_id, at_ms, waited_ms)
        await self._change(
            entry,
            times=entry.times + 1,
            opened_ms=min(entry.opened_ms, at_ms),
            last_ms=max(entry.last_ms, at_ms),
            waited_ms=max(entry.waited_ms, waited_ms),
            lapses_ms=max(entry.lapses_ms, at_ms + self.terms.keep_ms),
            here_call_id=here or None,
        )

    def _new(self, record: CallRecord, queue: str, at_ms: int, waited_ms: int, here: str) -> Entry:
        return Entry(
            entry_id=record.call_id,
            site=self.site,
            open_key=store.key_of(self.site, record.caller_ref, queue),
            caller_ref=record.caller_ref,
            customer_id=record.customer_id,
            queue=queue,
            matter=record.matter,
            tier=record.tier,
            locale=record.locale,
            line=record.line,
            opened_ms=at_ms,
            last_ms=at_ms,
            waited_ms=waited_ms,
            head_start_ms=self.plan.head_start_ms(record.tier, record.matter),
            due_ms=rules.due_ms(self.plan, self.terms, at_ms),
            lapses_ms=at_ms + self.terms.keep_ms,
            here_call_id=here or None,
        )

    async def _tell_of_ours(self, record: CallRecord, news: News, at_ms: int, entry_id: str) -> None:
        """A call by which an agent rings him back; one that is over is heard of once."""
        if news is News.REACHED:  # he has talked to a person: he is not called about what was before
            for each in list(self.entries.values()):
                is_before = each.caller_ref == record.caller_ref and each.last_ms <= at_ms
                if is_before or each.entry_id == entry_id:
                    await self._close(each, Ending.REACHED, at_ms, record)
            return
        entry = self.entries.get(entry_id)
        if entry is None:
            return
        if news is News.RINGING:
            await self._change(entry, here_call_id=record.call_id)
        elif (attempt := rules.attempt_of(record.call_id)) > entry.heard:
            await self._change(entry, heard=attempt, **_own_end(entry, record.call_id))
            if news is News.MISSED:
                await self._missed(entry, at_ms)

    async def _missed(self, entry: Entry, at_ms: int) -> None:
        """Read anew: the same batch may tell of his next call as well."""
        await missed(self.connection, self.plan, entry, at_ms)
        del self.entries[entry.entry_id]
        for each in await store.open_of(self.connection, self.site, (), [entry.entry_id]):
            self.entries[each.entry_id] = each

    async def _change(self, entry: Entry, **values: Any) -> None:
        if any(getattr(entry, name) != value for name, value in values.items()):
            await store.change(self.connection, entry.entry_id, **values)
            self.entries[entry.entry_id] = replace(entry, **values)

    async def _close(self, entry: Entry, ending: Ending, at_ms: int, record: CallRecord) -> None:
        del self.entries[entry.entry_id]
        await store.close(
            self.connection,
            entry.entry_id,
            ending,
            at_ms,
            call_id=record.call_id,
            agent_id=record.agent_id or None,
        )


def _own_end(entry: Entry, call_id: str) -> Mapping[str, object]:
    """The agent has him no more; he may be on the line by himself by now."""
    return (
        store.LET_GO if entry.here_call_id in (None, call_id) else {"taken_by": None, "taken_until_ms": None}
    )


async def missed(connection: AsyncConnection, plan: Plan, entry: Entry, at_ms: int, by: str = "") -> None:
    """He was called and not reached: once more after a while, or no more."""
    tries, terms = entry.tries + 1, plan.callback
    again = {"tries": tries, "tried_ms": at_ms, "next_ms": at_ms + terms.every_ms}
    await store.change(connection, entry.entry_id, **again)
    if tries >= terms.tries:
        whose = {"agent_id": entry.taken_by, "account_id": by or None}
        await store.close(connection, entry.entry_id, Ending.NOT_REACHED, at_ms, **whose)


def reader(runtime: Runtime, holder: str | None = None) -> Reader[list[Line], None]:
    """This process's seat at the journal, behind the scribe."""
    return Reader(runtime, AbandonedBook(runtime), holder, behind=history.READER)


async def close_lapsed(runtime: Runtime) -> int:
    """The chore: whose time on the list is up."""
    async with runtime.database.transaction() as connection:
        return await store.close_lapsed(connection, runtime.settings.site, runtime.clock.now_ms())
