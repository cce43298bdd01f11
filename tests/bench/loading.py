"""Synthetic calls into the tables, as the scribe and the loop behind it would have left them.

Rows go past the journal, in large transactions, because ten million calls' lines would be a hundred million: how fast
lines become rows is measured apart, with fewer calls. Intervals are added up by the product's own folding.
"""

import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import Database, PlainInsert
from queues.domain import intervals as domain
from queues.domain import stays, waits
from queues.domain.abandoned import Ending
from queues.domain.intervals import Cell, Counts
from queues.domain.periods import Grain, start_of
from queues.service.figuring import coarser
from queues.store import intervals as interval_rows
from queues.store.abandoned import abandoned, abandoned_calls
from queues.store.calls import FOLDED, calls
from tests.bench import synthetic
from tests.bench.synthetic import Call, Crowd, Script

DAYS: Final = 3 * 365
DAYS_AT_ONCE: Final = 10
INTERVAL_NAMES: Final = (
    "site", "grain", "start_ms", "queue", "tier", "line", *domain.SUMS, *domain.WAITS, "corrected_ms"
)  # fmt: skip
AGENT_NAMES: Final = ("site", "grain", "start_ms", "agent_id", *stays.SUMS)
ENTRY_NAMES: Final = tuple(column.name for column in abandoned.columns)
CALL_NAMES: Final = (*FOLDED, "site", "note")
GAVE_UP_NAMES: Final = tuple(column.name for column in abandoned_calls.columns)
ENDINGS: Final = (Ending.REACHED, Ending.CAME_AGAIN, Ending.NOT_REACHED, Ending.LAPSED)


@dataclass
class Load:
    """What is to be made, and how far it is."""

    site: str
    zone: str
    secret: str
    until_ms: int  # a midnight: the calls end there
    count: int
    days: int = DAYS
    seed: int = 7
    scripts: int = synthetic.SCRIPTS
    agents: Sequence[str] = synthetic.AGENTS
    done: int = 0
    sizes: Counter[str] = field(default_factory=Counter)

    @property
    def from_ms(self) -> int:
        return self.until_ms - self.days * synthetic.DAY_MS


@dataclass(slots=True)
class Batch:
    """Ten days."""

    calls: list[Sequence[Any]] = field(default_factory=list)
    quarters: domain.Cells = field(default_factory=dict)
    gave_up: list[Call] = field(default_factory=list)


class Writer:
    """Many rows at once: the product's own bulk insert, on PostgreSQL its COPY."""

    def __init__(self, connection: AsyncConnection, *, is_sqlite: bool) -> None:
        self._connection, self._is_sqlite = connection, is_sqlite

    async def commit(self) -> None:
        await self._connection.commit()

    async def write(self, table: Table, names: Sequence[str], rows: list[Sequence[Any]]) -> None:
        if not rows:
            return
        if self._is_sqlite:
            await PlainInsert(table, names).write(self._connection, rows)
            return
        raw: Any = (await self._connection.get_raw_connection()).driver_connection
        await raw.copy_records_to_table(table.name, records=rows, columns=names)


async def load(database: Database, asked: Load) -> AsyncIterator[Load]:
    """Everything; tells how far it is after every ten days."""
    rng = random.Random(asked.seed)
    told, crowd = synthetic.scripts(rng, asked.scripts), Crowd(asked.secret, asked.count)
    days = list(_days(asked))
    async with _bare(database, (calls, abandoned, abandoned_calls)) as writer:
        coarse: dict[Grain, domain.Cells] = {Grain.DAY: {}, Grain.MONTH: {}}
        for place in range(0, len(days), DAYS_AT_ONCE):
            batch = Batch()
            for start_ms, count in (each for day in days[place : place + DAYS_AT_ONCE] for each in day):
                _fill(batch, rng, told, crowd, (start_ms, count, asked.site))
            await _save(writer, asked, batch, coarse)
            await writer.commit()
            yield asked
        for grain, cells in coarse.items():
            await writer.write(interval_rows.intervals, INTERVAL_NAMES, _rows(asked.site, grain, cells))
        await _save_agents(writer, asked, rng)
        await writer.commit()


def _days(asked: Load) -> Iterable[list[tuple[int, int]]]:
    found = list(synthetic.quarters(asked.from_ms, asked.days, asked.count))
    return (found[place : place + 96] for place in range(0, len(found), 96))


def _fill(
    batch: Batch, rng: random.Random, told: Sequence[Script], crowd: Crowd, quarter: tuple[int, int, str]
) -> None:
    start_ms, count, site = quarter
    for call in synthetic.arrivals(rng, told, crowd, start_ms, count):
        batch.calls.append((*synthetic.row_of(call), site, ""))
        batch.quarters.setdefault(synthetic.cell_of(call, start_ms), Counts()).add(call.script.counts)
        record = call.script.record
        if record.outcome == "abandoned" and (record.wait_ms or 0) >= 5_000:
            batch.gave_up.append(call)


async def _save(writer: Writer, asked: Load, batch: Batch, coarse: dict[Grain, domain.Cells]) -> None:
    await writer.write(calls, CALL_NAMES, batch.calls)
    rows = _rows(asked.site, Grain.QUARTER, batch.quarters)
    await writer.write(interval_rows.intervals, INTERVAL_NAMES, rows)
    for grain, cells in coarse.items():
        for cell, counts in coarser(batch.quarters, grain, asked.zone).items():
            cells.setdefault(cell, Counts()).add(counts)
    await writer.write(abandoned, ENTRY_NAMES, [_entry(call, asked) for call in batch.gave_up])
    told = [(c.call_id, c.call_id, c.arrived_ms, c.script.record.wait_ms) for c in batch.gave_up]
    await writer.write(abandoned_calls, GAVE_UP_NAMES, list(told))
    asked.done += len(batch.calls)
    asked.sizes.update(calls=len(batch.calls), quarters=len(rows), abandoned=len(batch.gave_up))


def _rows(site: str, grain: Grain, cells: domain.Cells) -> list[Sequence[Any]]:
    return [_row(site, grain, cell, counts) for cell, counts in cells.items()]


def _row(site: str, grain: Grain, cell: Cell, counts: Counts) -> Sequence[Any]:
    sums = [counts.sums[name] for name in domain.SUMS]
    told = [waits.write(counts.waits.get(name, waits.NONE)) for name in domain.WAITS]
    return (site, str(grain), *cell, *sums, *told, None)


def _entry(call: Call, asked: Load) -> Sequence[Any]:
    """Closed after some hours; those of the last day are open still."""
    record = call.script.record
    number = int(call.call_id[-4:], 16)
    at_ms = call.arrived_ms + (record.ended_ms or 0) - synthetic.BASE_MS
    is_open = at_ms > asked.until_ms - synthetic.DAY_MS
    told: dict[str, Any] = {
        "entry_id": call.call_id, "site": asked.site, "caller_ref": call.caller_ref,
        "open_key": f"{asked.site}|{call.call_id}" if is_open else None,
        "customer_id": call.customer_id, "queue": record.queue, "matter": record.matter, "tier": record.tier,
        "locale": record.locale, "line": record.line, "opened_ms": at_ms, "last_ms": at_ms, "times": 1,
        "waited_ms": record.wait_ms, "head_start_ms": 0, "due_ms": at_ms + 1_800_000,
        "lapses_ms": at_ms + synthetic.DAY_MS, "attempts": number % 3, "heard": number % 3, "tries": number % 2,
        "closed_ms": None if is_open else at_ms + 60_000 * (number % 900),
        "ending": None if is_open else str(ENDINGS[number % 4]),
    }  # fmt: skip
    return tuple(told.get(name) for name in ENTRY_NAMES)


async def _save_agents(writer: Writer, asked: Load, rng: random.Random) -> None:
    """Days and months of everybody's time; of the last month the quarters as well."""
    starts = [(Grain.DAY, asked.from_ms + day * synthetic.DAY_MS) for day in range(asked.days)]
    last_ms = asked.until_ms - 31 * synthetic.DAY_MS
    quarters = range(last_ms, asked.until_ms, synthetic.intervals.QUARTER_MS)
    months = {start_of(Grain.MONTH, start_ms, asked.zone) for _, start_ms in starts}
    starts += [(Grain.QUARTER, start_ms) for start_ms in quarters]
    starts += [(Grain.MONTH, start_ms) for start_ms in sorted(months)]
    rows = [
        (
            asked.site,
            str(grain),
            start_ms,
            agent,
            *(rng.randrange(600_000) if name.endswith("_ms") else rng.randrange(20) for name in stays.SUMS),
        )
        for grain, start_ms in starts
        for agent in asked.agents
    ]
    await writer.write(interval_rows.agent_intervals, AGENT_NAMES, list(rows))


@contextlib.asynccontextmanager
async def _bare(database: Database, tables: Sequence[Table]) -> AsyncIterator[Writer]:
    """Tables without their indexes, which are made at the end, all at once; no waiting for the disk in between."""
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            for pragma in ("synchronous = OFF", "cache_size = -1500000", "secure_delete = OFF"):
                await raw.execute_fetchall(f"PRAGMA {pragma}")
        indexes = [index for table in tables for index in table.indexes]
        for index in indexes:
            await connection.run_sync(lambda sync, each=index: each.drop(sync))
        await connection.commit()
        yield Writer(connection, is_sqlite=database.is_sqlite)
        for index in indexes:
            await connection.run_sync(lambda sync, each=index: each.create(sync))
            await connection.commit()
        if not database.is_sqlite:  # as its own housekeeping would; the product never does so on SQLite
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))
        await connection.invalidate()
