"""Journal to SQL by the scribe ÷ reading the same lines and one executemany of them, both in the same batches.

Every turn starts with an empty database of its own and ends when all lines of some hundred whole calls are
committed; the lease that a process takes once is in it. The scribe also folds the calls, looks up the callers and
finds the tickets that are due. Handing those to the work queues comes after the commit and is no part of this; the
note says what it adds.
"""

import dataclasses
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert, text

from config.database import Database
from config.runtime import Runtime
from queues.service.history import History, Written
from queues.service.links import Link
from queues.service.readers import BATCH_MAX, Reader
from queues.store.journal import events, journal_key
from tests.bench import crowd
from tests.bench.house import House, empty_database, furnished
from tests.bench.rounds import Bench, Findings, Pace, at_least, take_turns

MS = 1000
AGENTS = 10


class Silent(History):
    """The scribe's book up to the commit; what it would push is kept."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.due: list[Link] = []

    async def after_commit(self, done: Written) -> None:
        self.due += done.due


class Desk:
    def __init__(self, house: House, lines: int) -> None:
        self.house = house
        self.lines = lines
        self.number = itertools.count()
        self.due: list[Link] = []

    async def scribe(self) -> list[float]:
        """Lines a second."""
        async with self._fresh_runtime() as runtime:
            book = Silent(runtime)
            began = perf_counter()
            await Reader(runtime, book).drain()
            rate = self.lines / (perf_counter() - began)
            await self._expect_all(runtime.database)
            self.due = book.due
        return [rate]

    async def copy(self) -> list[float]:
        """The same, with nothing made of what is read."""
        async with self._fresh_runtime() as runtime:
            began = perf_counter()
            last_id = "0-0"
            while entries := await self._read(runtime, last_id):
                site = runtime.settings.site
                rows = [{"id": entry_id, "site": site, **fields} for entry_id, fields in entries]
                async with runtime.database.transaction() as connection:
                    await connection.execute(insert(events), rows)
                last_id = entries[-1][0]
            rate = self.lines / (perf_counter() - began)
            await self._expect_all(runtime.database)
        return [rate]

    async def push_ms(self) -> float:
        """What handing all due tickets to the work queues takes."""
        async with self._fresh_runtime() as runtime:
            book = History(runtime)
            began = perf_counter()
            await book.after_commit(Written(due=self.due, owned=0, relapsed=[]))
            return (perf_counter() - began) * MS

    async def _read(self, runtime: Runtime, last_id: str) -> list[tuple[str, dict[str, str]]]:
        client: Any = runtime.redis
        return list(
            await client.xrange(journal_key(runtime.settings.site), min=f"({last_id}", count=BATCH_MAX)
        )

    @asynccontextmanager
    async def _fresh_runtime(self) -> AsyncIterator[Runtime]:
        path = self.house.folder / f"turn{next(self.number)}.sqlite"
        path.write_bytes(empty_database())
        database = Database(f"sqlite+aiosqlite:///{path}")
        try:
            async with database.read() as connection:
                await connection.execute(text("SELECT 1"))
            yield dataclasses.replace(self.house.runtime, database=database)
        finally:
            await database.close()
            _remove(path)

    async def _expect_all(self, database: Database) -> None:
        async with database.read() as connection:
            found = (await connection.execute(text("SELECT count(*) FROM events"))).scalar_one()
        assert found == self.lines, (found, self.lines)


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        lines = await happen(house, pace.of(600, 150))
        desk = Desk(house, lines)
        rounds = await take_turns(desk.scribe, desk.copy, rounds=pace.rounds, pairs=pace.of(3, 2))
        push_ms = await desk.push_ms()
        found = Findings(rounds)
        whole = f"{lines:,} lines in {lines / found.ours * MS:.0f} ms, bare {lines / found.floor * MS:.0f}"
        due = f"handing on the {len(desk.due)} tickets due adds {push_ms:.0f}"
        return found.noting(f"{whole}; {due}")


async def happen(house: House, calls: int) -> int:
    """So many whole calls; returns how many lines the journal has of them."""
    for number in range(AGENTS):
        await crowd.sit_down(house.board, f"agent{number}", tuple(house.plan.skills))
    places = crowd.places(house.plan, len(house.plan.queues))
    for number in range(calls):
        await crowd.talk(house, f"CA{number:06d}", number, places[number % len(places)])
    client: Any = house.runtime.redis
    return int(await client.xlen(journal_key(house.plan.site)))


def _remove(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


BENCH = Bench(
    name="scribe",
    what="journal to SQL ÷ reading the lines and one executemany",
    unit="lines/s",
    limit=at_least(0.45),
    run=run,
)
