"""The figures are added up: what the scribe noted of its batches goes into the rows of quarters, days and months.

What must hold: a change is added once, with the removal of its note in one transaction, so any number of processes may
do this; the rows together with the changes still noted are what the call records come to, at every moment. Hence
`verify` compares the three in one snapshot, also while calls come in, and what `rebuild` has to add is noted as one
more change.

A quarter that was over and had no call to wait for any more, and changes all the same, was corrected: it keeps the
instant at which that happened, and so do its day and month.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import intervals as domain
from queues.domain import stays as stays_domain
from queues.domain.call_records import CallRecord
from queues.domain.intervals import Cell, Cells, Counts
from queues.domain.journal import parse_id
from queues.domain.periods import QUARTER_MS, Grain, start_of
from queues.domain.stays import AgentCell, AgentCells, Stays
from queues.service.history import fold_all
from queues.service.plans import plan_of
from queues.store import calls, intervals, journal
from queues.store.intervals import Change, Row, Rows

log = get_log(__name__)

AT_ONCE: Final = 200
RECORDS_AT_ONCE: Final = 5_000
RESTAMPED_AT_ONCE: Final = 500
DAY_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much the rows differ from what they should be; empty when they do not."""

    calls: Cells = field(default_factory=dict)
    agents: AgentCells = field(default_factory=dict)
    coarse: int = 0  # rows of days and months that are not the sum of their quarters

    @property
    def count(self) -> int:
        return len(self.calls) + len(self.agents) + self.coarse


async def tick(runtime: Runtime) -> bool:
    """Add up what is noted; False when there is nothing."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        if not await intervals.has_changes(connection, site):
            return False
    async with runtime.database.transaction() as connection:
        noted = await intervals.pending(connection, site, AT_ONCE)
        if noted:
            await _add_up(connection, site, plan_of(runtime).timezone, noted)
    return bool(noted)


async def drain(runtime: Runtime) -> int:
    times = 0
    while await tick(runtime):
        times += 1
    return times


async def _add_up(connection: AsyncConnection, site: str, zone: str, noted: Sequence[Change]) -> None:
    corrected = await _add_quarters(connection, site, noted)
    gained = domain.merged(change.cells for change in noted)
    for grain in (Grain.DAY, Grain.MONTH):
        await _add_coarse(connection, site, grain, zone, gained, corrected)
    stays = await intervals.load_stays(connection, site)
    moves = [move for change in noted for move in change.moves]
    after, spent = stays_domain.take_in(stays, moves)
    moved = {move.agent_id for move in moves if move.state}
    await intervals.save_stays(connection, site, {agent_id: after[agent_id] for agent_id in moved})
    for grain in Grain:
        await intervals.add_agents(connection, site, grain, coarser_agents(spent, grain, zone))
    await intervals.drop(connection, [change.id for change in noted])


async def _add_quarters(connection: AsyncConnection, site: str, noted: Sequence[Change]) -> dict[Cell, int]:
    """Returns which of them were corrected, and when."""
    rows = await intervals.load(
        connection, site, Grain.QUARTER, {cell for each in noted for cell in each.cells}
    )
    corrected: dict[Cell, int] = {}
    touched: Rows = {}
    for change in noted:
        for cell, counts in change.cells.items():
            row = rows.setdefault(cell, Row(Counts()))
            is_over = cell.start_ms + QUARTER_MS <= change.at_ms
            if is_over and not row.counts.sums["unsettled"]:
                row.corrected_ms = corrected[cell] = change.at_ms
            row.counts.add(counts)
            touched[cell] = row
    await intervals.save(connection, site, Grain.QUARTER, touched)
    return corrected


async def _add_coarse(
    connection: AsyncConnection,
    site: str,
    grain: Grain,
    zone: str,
    gained: Cells,
    corrected: Mapping[Cell, int],
) -> None:
    parts = coarser(gained, grain, zone)
    rows = await intervals.load(connection, site, grain, parts)
    for cell, counts in parts.items():
        rows.setdefault(cell, Row(Counts())).counts.add(counts)
    for cell, at_ms in corrected.items():
        row = rows.get(cell._replace(start_ms=start_of(grain, cell.start_ms, zone)))
        if row is not None:
            row.corrected_ms = max(row.corrected_ms or 0, at_ms)
    await intervals.save(connection, site, grain, rows)


def coarser(cells: Cells, grain: Grain, zone: str) -> Cells:
    """The same counts by day or month."""
    starts: dict[int, int] = {}
    found: Cells = {}
    for cell, counts in cells.items():
        if cell.start_ms not in starts:
            starts[cell.start_ms] = start_of(grain, cell.start_ms, zone)
        found.setdefault(cell._replace(start_ms=starts[cell.start_ms]), Counts()).add(counts)
    return found


def coarser_agents(cells: AgentCells, grain: Grain, zone: str) -> AgentCells:
    return stays_domain.merged(
        {AgentCell(start_of(grain, cell.start_ms, zone), cell.agent_id): sums} for cell, sums in cells.items()
    )


async def restamp(runtime: Runtime, *, has_figures: bool = True) -> int:
    """Fold every call anew from the journal's copy; how many records said something else, and are put right.

    That is what fills the stamps of calls from before an upgrade. What nobody journalled (ticket, note) stays. The
    figures are told of each change; of none while there are no figures yet, which then are made of all calls.
    """
    site, after, put_right = runtime.settings.site, (-1, ""), 0
    while True:
        async with runtime.database.transaction() as connection:
            records = await calls.records_after(connection, site, after, RESTAMPED_AT_ONCE)
            if not records:
                return put_right
            before = {record.call_id: record for record in records}
            put_right += await _restamp(connection, site, before, has_figures=has_figures)
        after = (records[-1].arrived_ms, records[-1].call_id)


async def _restamp(
    connection: AsyncConnection, site: str, before: Mapping[str, CallRecord], *, has_figures: bool
) -> int:
    lines = await journal.lines_of_calls(connection, before)
    told = fold_all({}, [line for line in lines if line.call_id])
    changed = [
        replace(record, site_version=record.site_version or before[record.call_id].site_version)
        for record in told
    ]
    changed = [record for record in changed if record != before[record.call_id]]
    if changed:
        await calls.save(connection, site, changed)
    if changed and has_figures:
        cells = domain.changes(domain.counted(before.values()), changed)
        await intervals.note(connection, site, 0, cells, ())
    return len(changed)


async def verify(runtime: Runtime) -> Gap:
    """What the rows lack, or have too much, measured at the call table and the journal's copy."""
    async with runtime.database.read() as connection:
        return await _gap(connection, runtime)


async def begin(runtime: Runtime) -> bool:
    """After an upgrade from before there were figures: what the calls so far come to. False where there is nothing
    to do.

    The first figures of all come with one commit: who dies before it has begun nothing, and the next begins anew.
    """
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        has_calls = bool(await calls.records_after(connection, site, (-1, ""), 1))
        if not has_calls or await intervals.has_any(connection, site):
            return False
    await restamp(runtime, has_figures=False)
    gap = await verify(runtime)
    async with runtime.database.transaction() as connection:
        await intervals.note(connection, site, 0, gap.calls, ())
        await _regroup(connection, runtime)
    return True


async def rebuild(runtime: Runtime) -> Gap:
    """Make the rows what the call table and the journal's copy come to; returns what was wrong.

    Calls go on coming in: what is missing is noted like any change. Only days and months that are not the sum of
    their quarters are written anew, with everybody waiting for the moment that takes.
    """
    gap = await verify(runtime)
    site = runtime.settings.site
    if gap.calls:
        async with runtime.database.transaction() as connection:
            await intervals.note(connection, site, 0, gap.calls, ())
    await drain(runtime)
    if gap.coarse or gap.agents:
        async with runtime.database.transaction() as connection:
            await _regroup(connection, runtime)
    return gap


async def _gap(connection: AsyncConnection, runtime: Runtime) -> Gap:
    site, zone = runtime.settings.site, plan_of(runtime).timezone
    noted = await intervals.pending(connection, site)
    should = await _cells_of_calls(connection, site)
    rows = await _counts(connection, site, Grain.QUARTER)
    have = domain.merged([rows, *(change.cells for change in noted)])
    _, spent = await _spent(connection, site)
    stays = await intervals.load_stays(connection, site)
    _, more = stays_domain.take_in(stays, [move for change in noted for move in change.moves])
    agent_rows = await intervals.all_agent_cells(connection, site)
    coarse = 0
    for grain in (Grain.DAY, Grain.MONTH):
        kept = await _counts(connection, site, grain)
        coarse += len(domain.difference(coarser(rows, grain, zone), kept))
    return Gap(
        domain.difference(should, have),
        stays_domain.difference(spent, stays_domain.merged([agent_rows, more])),
        coarse,
    )


async def _counts(connection: AsyncConnection, site: str, grain: Grain) -> Cells:
    rows = await intervals.all_rows(connection, site, grain)
    return {cell: row.counts for cell, row in rows.items()}


async def _cells_of_calls(connection: AsyncConnection, site: str) -> Cells:
    found: Cells = {}
    async for records in _all_records(connection, site):
        domain.total(records, found)
    return found


async def _all_records(connection: AsyncConnection, site: str) -> AsyncIterator[list[CallRecord]]:
    after = (-1, "")
    while records := await calls.records_after(connection, site, after, RECORDS_AT_ONCE):
        yield records
        after = (records[-1].arrived_ms, records[-1].call_id)


async def _spent(connection: AsyncConnection, site: str) -> tuple[Stays, AgentCells]:
    """Agents' stays and time by the journal's copy, read a day at a time: all its lines would be too many at once."""
    stays, spent = Stays(), AgentCells()
    from_ms, newest_id = (
        await journal.first_instant(connection, site),
        await journal.newest_id(connection, site),
    )
    while from_ms is not None and newest_id is not None and from_ms <= parse_id(newest_id)[0]:
        lines = await journal.lines_between(connection, site, from_ms, from_ms + DAY_MS, stays_domain.TYPES)
        stays, gained = stays_domain.take_in(stays, stays_domain.moves_of(lines))
        for cell, sums in gained.items():
            spent.setdefault(cell, Counter()).update(sums)
        from_ms += DAY_MS
    return stays, spent


async def _regroup(connection: AsyncConnection, runtime: Runtime) -> None:
    """Days and months from the quarters, and the agents' rows from the journal's copy."""
    site, zone = runtime.settings.site, plan_of(runtime).timezone
    if noted := await intervals.pending(connection, site):
        await _add_up(connection, site, zone, noted)
    rows = await intervals.all_rows(connection, site)
    await intervals.clear_coarse(connection, site)
    for grain in (Grain.DAY, Grain.MONTH):
        await intervals.save(connection, site, grain, _coarse_rows(rows, grain, zone))
    stays, spent = await _spent(connection, site)
    await intervals.clear_agents(connection, site)
    await intervals.save_stays(connection, site, stays)
    for grain in Grain:
        await intervals.add_agents(connection, site, grain, coarser_agents(spent, grain, zone))


def _coarse_rows(rows: Rows, grain: Grain, zone: str) -> Rows:
    found: Rows = {}
    for cell, row in rows.items():
        there = cell._replace(start_ms=start_of(grain, cell.start_ms, zone))
        into = found.setdefault(there, Row(Counts()))
        into.counts.add(row.counts)
        if row.corrected_ms:
            into.corrected_ms = max(into.corrected_ms or 0, row.corrected_ms)
    return found
