"""Hang-up to ticket in SQL at 20 calls a second, p99 ÷ an empty job and two bare commits at the same rate, p99.

The scribe and the worker are processes of their own, as in an installation. Ours begins when the hang-up of a
waiting caller is told to the switchboard and ends when another connection can read his ticket. The floor
commits a row, pushes a job onto the same work queue, and the same worker commits another. Both are watched in
the same way, every two milliseconds.
"""

import asyncio
import contextlib
import sqlite3
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from config.database import database_url
from queues.domain.journal import parse_id
from queues.service.history import READER
from queues.store.journal import journal_key
from tests.bench import bare_jobs, crowd
from tests.bench.house import House, furnished
from tests.bench.rounds import Bench, Findings, Pace, at_most, p99, take_turns

MS = 1000
CALLS_PER_S = 20
WATCH_EVERY_S = 0.002
DONE_WITHIN_S = 120.0
QUEUE, MATTER = "general", "enquiry"  # its ticket is due at the answer; who hangs up before has it due then
JOB = "tests.bench.bare_jobs.commit_row"
SCRIBE, WORKER = ("-m", "ivr", "scribe"), ("-m", "ivr", "worker")
TICKETS = "SELECT rowid, call_id FROM tickets WHERE rowid > ?"
ROWS = "SELECT rowid, id FROM bench_rows WHERE rowid > ? AND id NOT LIKE 'first-%'"


@dataclass
class Watch:
    """Asks SQL again and again which rows are new."""

    sql: sqlite3.Connection
    query: str
    last: int = 0

    async def until_seen(self, ids: Sequence[str]) -> dict[str, float]:
        """When each of these could first be read."""
        missing, seen = set(ids), {}
        async with asyncio.timeout(DONE_WITHIN_S):
            while missing:
                await asyncio.sleep(WATCH_EVERY_S)
                for rowid, row_id in self.sql.execute(self.query, (self.last,)).fetchall():
                    self.last = max(self.last, rowid)
                    seen[row_id] = perf_counter()
                    missing.discard(row_id)
        return seen


@dataclass
class Desk:
    house: House
    sql: sqlite3.Connection
    calls: int
    place: crowd.Place
    work_queue: str
    turn: int = 0
    took_ms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tickets_seen = Watch(self.sql, TICKETS)
        self.rows_seen = Watch(self.sql, ROWS)

    async def tickets(self) -> list[float]:
        """Callers who wait, and hang up one after the other."""
        ids, house = self._ids("CA"), self.house
        for number, call_id in enumerate(ids):
            await crowd.arrive(house.runtime, house.board, call_id, number)
            await crowd.enqueue(house.board, house.plan, call_id, self.place)
        await self._written_down()

        async def hang_up(call_id: str) -> None:
            assert (await house.board.end_call(call_id=call_id, by="caller")).is_ok

        found = await at_pace(ids, hang_up, self.tickets_seen)
        self.took_ms += found
        return found

    async def bare(self) -> list[float]:
        """A commit, a job, a commit."""
        runtime = self.house.runtime

        async def commit_and_push(row_id: str) -> None:
            await bare_jobs.commit(runtime.database, f"first-{row_id}")
            await runtime.jobs.push(self.work_queue, JOB, row_id, row_id=row_id)

        return await at_pace(self._ids("bare"), commit_and_push, self.rows_seen)

    def _ids(self, kind: str) -> list[str]:
        self.turn += 1
        return [f"{kind}{self.turn:03d}x{number:05d}" for number in range(self.calls)]

    async def _written_down(self) -> None:
        """Until the scribe has read everything there is."""
        client: Any = self.house.runtime.redis
        [(newest, _)] = await client.xrevrange(journal_key(self.house.plan.site), count=1)
        question = "SELECT last_id FROM readers WHERE name = ?"
        async with asyncio.timeout(DONE_WITHIN_S):
            # A batch may end behind it: others write lines, too.
            while not any(
                parse_id(at) >= parse_id(newest) for (at,) in self.sql.execute(question, (READER,))
            ):
                await asyncio.sleep(0.02)


async def at_pace(ids: Sequence[str], begin: Callable[[str], Awaitable[None]], watch: Watch) -> list[float]:
    """Begin them at the rate, whatever has become of those before; what each took until it could be read."""
    began: dict[str, float] = {}
    started = perf_counter()

    async def start(number: int, row_id: str) -> None:
        await asyncio.sleep(max(0.0, started + number / CALLS_PER_S - perf_counter()))
        began[row_id] = perf_counter()
        await begin(row_id)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch.until_seen(ids))
        for number, row_id in enumerate(ids):
            group.create_task(start(number, row_id))
    seen = watching.result()
    return [(seen[row_id] - began[row_id]) * MS for row_id in ids]


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        kind = house.plan.ticket_types[house.plan.matters[MATTER].ticket_type or ""]
        place = next(
            each
            for each in crowd.places(house.plan, 100)
            if (each.lane.queue, each.matter) == (QUEUE, MATTER)
        )
        path = database_url(house.runtime.settings).partition("///")[2]
        with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as sql:
            sql.execute("CREATE TABLE bench_rows (id TEXT PRIMARY KEY)")
            async with house.process("scribe", SCRIBE), house.process("worker", WORKER):
                desk = Desk(house, sql, pace.of(100, 20), place, kind.work_queue)
                rounds = await take_turns(desk.tickets, desk.bare, rounds=pace.rounds, pairs=1, read=p99)
        return Findings(
            rounds, f"half of the tickets are there within {statistics.median(desk.took_ms):.0f} ms"
        )


BENCH = Bench(
    name="ticket",
    what="hang-up to ticket in SQL, p99 ÷ an empty job and two commits, p99",
    unit="ms",
    limit=at_most(2),
    run=run,
)
