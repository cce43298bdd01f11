"""Reading the journal forwards: one lease, one batch, one transaction.

A `Reader` is told what to do with a batch by its `Book`. What must hold: what a batch means and the
reader's new `last_id` are committed together or not at all, so a process may die anywhere and the next
reads the same lines again; of two processes one writes; one line that cannot be taken in stops nobody.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from config.clock import Clock
from config.log import get_log
from config.redis import is_cancelled
from config.runtime import Runtime
from queues.domain.journal import parse_id
from queues.store import journal, readers
from queues.store.journal import Entry

log = get_log(__name__)

__all__ = ["Book", "Entry", "OvertakenError", "Reader", "run"]

BATCH_MAX: Final = 1000
LEASE_S: Final = 3.0
WAIT_MS: Final = 500
STANDBY_S: Final = 0.3
FOLLOW_S: Final = 0.1
# By SQL; a number that is too large SQLite's driver refuses in Python's own words.
REFUSED: Final = (SQLAlchemyError, OverflowError)

Known = TypeVar("Known")
Done = TypeVar("Done")


class Book(Protocol[Known, Done]):
    """What a reader makes of the journal, in three steps of which the middle one is the transaction's."""

    name: str

    async def look_up(self, entries: Sequence[Entry]) -> Known:
        """Ask the live store for what SQL cannot know."""

    def is_concerned(self, known: Known) -> bool:
        """Whether the batch means anything to it. What does not is read past, and no writer waits for that."""

    async def write(self, connection: AsyncConnection, entries: Sequence[Entry], known: Known) -> Done:
        """Await nothing but SQL; taking the same entries in again must change nothing."""

    async def after_commit(self, done: Done) -> None:
        """Effects outside. If they are lost, something else finds that out."""

    async def take_over(self) -> None:
        """Called when the lease was won: whoever had it may have died in the middle."""


class OvertakenError(Exception):
    """Another process has read on from here."""


class Reader(Generic[Known, Done]):
    """One process's seat at the journal; `tick()` says whether there was work."""

    def __init__(
        self, runtime: Runtime, book: Book[Known, Done], holder: str | None = None, *, behind: str = ""
    ) -> None:
        self.runtime = runtime
        self.book = book
        self.behind = behind  # the reader whose work this one builds on: it never overtakes it
        self.is_held_up = False
        self.holder = holder or f"{os.getpid()}-{secrets.token_hex(4)}"
        self.real = Clock.real()
        self.last_id = readers.FROM_THE_START
        self.noted_id = readers.FROM_THE_START  # as SQL knows it; what lies between meant nothing to the book
        self.lease_until_ms = 0
        self.waited_for: list[Entry] = []

    @property
    def is_leading(self) -> bool:
        return self.real.now_ms() < self.lease_until_ms

    async def tick(self) -> bool:
        """Take in one batch, if this process has the lease and there is one."""
        if not await self._hold_lease():
            return False
        entries, self.waited_for = self.waited_for, []
        if not entries:
            site = self.runtime.settings.site
            entries = await journal.read_after(self.runtime.redis, site, self.last_id, BATCH_MAX)
        if entries and self.behind:
            entries = await self._taken_in_before(entries)
            self.is_held_up = not entries
        if not entries:
            return False
        try:
            await self._take_in(entries)
        except OvertakenError:
            log.info("reader.overtaken", reader=self.book.name)
            self.lease_until_ms = 0
            return False
        return True

    async def drain(self) -> int:
        """Tick until there is nothing left; returns how many batches there were."""
        batches = 0
        while await self.tick():
            batches += 1
        if self.noted_id != self.last_id:
            await self._renew()
        return batches

    async def wait(self) -> None:
        """Until there is something to read, or for a moment."""
        if self.is_leading and self.is_held_up:
            await asyncio.sleep(FOLLOW_S)
        elif self.is_leading:
            redis, site = self.runtime.redis, self.runtime.settings.site
            self.waited_for = await journal.wait_after(redis, site, self.last_id, BATCH_MAX, WAIT_MS)
        else:
            await asyncio.sleep(STANDBY_S)

    async def _taken_in_before(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that the reader in front has committed."""
        async with self.runtime.database.read() as connection:
            front = await readers.find(connection, self.behind)
        last = parse_id(front.last_id if front else readers.FROM_THE_START)
        return [entry for entry in entries if parse_id(entry.id) <= last]

    async def step_down(self) -> None:
        """Give the lease back, so that the next process need not wait for its end."""
        with contextlib.suppress(SQLAlchemyError):
            async with self.runtime.database.transaction() as connection:
                await self._advance(connection, self.last_id, 0)
                await readers.release(connection, self.book.name, self.holder)
        self.lease_until_ms = 0

    async def _hold_lease(self) -> bool:
        now_ms = self.real.now_ms()
        if now_ms < self.lease_until_ms - self.real.product_ms(LEASE_S) // 2:
            return True
        if self.is_leading and await self._renew():
            return True
        self.lease_until_ms, self.waited_for = 0, []
        if await self._is_held_by_another(now_ms):
            return False
        until_ms = now_ms + self.real.product_ms(LEASE_S)
        async with self.runtime.database.transaction() as connection:
            await readers.enrol(connection, self.book.name)
            is_mine = await readers.claim(connection, self.book.name, self.holder, now_ms, until_ms)
            position = await readers.find(connection, self.book.name)
        if not is_mine or position is None:
            return False
        self.last_id = self.noted_id = position.last_id
        self.lease_until_ms = until_ms
        log.info("reader.leads", reader=self.book.name, last_id=self.last_id)
        await self.book.take_over()
        return True

    async def _renew(self) -> bool:
        """With the lease goes how far it has read past."""
        until_ms = self.real.now_ms() + self.real.product_ms(LEASE_S)
        async with self.runtime.database.transaction() as connection:
            is_mine = await self._advance(connection, self.last_id, until_ms)
        if is_mine:
            self.noted_id, self.lease_until_ms = self.last_id, until_ms
        return is_mine

    async def _advance(self, connection: AsyncConnection, last_id: str, until_ms: int) -> bool:
        return await readers.advance(
            connection, self.book.name, self.holder, self.noted_id, last_id, until_ms
        )

    async def _is_held_by_another(self, now_ms: int) -> bool:
        """A look that costs the writers nothing; the claim decides."""
        async with self.runtime.database.read() as connection:
            position = await readers.find(connection, self.book.name)
        until_ms = now_ms + self.real.product_ms(LEASE_S)  # no lease taken before now ends later
        return (
            position is not None
            and position.holder not in ("", None, self.holder)
            and now_ms <= (position.lease_until_ms or 0) <= until_ms
        )

    async def _take_in(self, entries: Sequence[Entry]) -> None:
        try:
            await self._commit(entries)
        except REFUSED as fault:
            if is_away(fault):
                raise
            name = type(fault).__name__
            log.error("reader.batch_refused", reader=self.book.name, lines=len(entries), fault=name)
            for entry in entries:
                await self._take_in_alone(entry)

    async def _take_in_alone(self, entry: Entry) -> None:
        """Two tries: a line is not given up for a fault that passes."""
        for is_last in (False, True):
            try:
                await self._commit([entry])
            except REFUSED as fault:
                if is_away(fault):
                    raise
                name = type(fault).__name__
                log.error("reader.line_refused", reader=self.book.name, entry_id=entry.id, fault=name)
                if is_last:
                    await self._commit([entry.stripped()])
            else:
                return

    async def _commit(self, entries: Sequence[Entry]) -> None:
        known = await self.book.look_up(entries)
        last_id, until_ms = entries[-1].id, self.real.now_ms() + self.real.product_ms(LEASE_S)
        if not self.book.is_concerned(known):
            self.last_id = last_id
            return
        async with self.runtime.database.transaction() as connection:
            if not await self._advance(connection, last_id, until_ms):
                raise OvertakenError
            done = await self.book.write(connection, entries, known)
        self.last_id = self.noted_id = last_id
        self.lease_until_ms = until_ms
        await self.book.after_commit(done)


def is_away(fault: Exception) -> bool:
    """Whether it is the database that is not there, and nothing is wrong with the lines."""
    return isinstance(fault, OperationalError | PoolTimeout) or (
        isinstance(fault, DBAPIError) and fault.connection_invalidated
    )


async def run(reader: Reader[Known, Done]) -> None:
    """Until cancelled. A store or a database that is away is waited for."""
    pause_s = STANDBY_S
    try:
        while not is_cancelled():
            try:
                if not await reader.tick():
                    await reader.wait()
                pause_s = STANDBY_S
            except asyncio.CancelledError:
                raise
            except Exception as fault:
                log.exception("reader.stumbled", reader=reader.book.name, fault=type(fault).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 5.0)
    finally:
        await asyncio.shield(reader.step_down())
