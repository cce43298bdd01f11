"""The figures are added up: what the scribe noted of its batches goes into the rows of quarters, days and months.

What must hold: a change is added once, with the removal of its note in one transaction, so any number of processes may
do this; the rows together with the changes still noted are what the call records come to, at every moment. Hence
`verify` compares the three in one snapshot, also while calls come in, and what `rebuild` has to add is noted as one
more change.

A quarter that was over and had no call to wait for any more, and changes all the same, was corrected: it keeps the
instant at which that happened, and so do its day and month.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain import intervals as domain
from queues.domain import stays as stays_domain
from queues.domain.agents import AgentState
from queues.domain.call_records import BIGGEST, CallRecord
from queues.domain.intervals import Cell, Cells, Counts
from queues.domain.journal import parse_id
from queues.domain.periods import QUARTER_MS, Grain, Piece, following, is_dated, start_of
from queues.domain.stays import AgentCell, AgentCells, Stays
from queues.service import callers
from queues.service.history import READER, fold_all
from queues.service.plans import plan_of
from queues.store import caller_days, calls, intervals, journal, readers, scores
from queues.store.intervals import Change, Row, Rows
from queues.store.readers import FROM_THE_START

log = get_log(__name__)

AT_ONCE: Final = 200
RECORDS_AT_ONCE: Final = 5_000
RESTAMPED_AT_ONCE: Final = 500
DAY_MS: Final = 24 * 3_600_000
FIRST_MS: Final = -DAY_MS  # a month that begins before 1970 in its zone begins after this, or is not told of
AFTER_ANY_ID: Final = "\U0010ffff"
NAMED_MAX: Final = 1_000


@dataclass(slots=True)
class Gap:
    """By how much the rows differ from what they should be; empty when they do not."""

    calls: Cells = field(default_factory=dict)  # the first of them
    agents: AgentCells = field(default_factory=dict)
    coarse: int = 0  # rows of days and months that are not the sum of their quarters
    unnamed: int = 0  # further rows of calls that differ

    @property
    def quarters(self) -> int:
        """How many rows of calls differ."""
        return len(self.calls) + self.unnamed

    @property
    def count(self) -> int:
        return self.quarters + len(self.agents) + self.coarse

    def take_in(self, missing: Cells, coarse: int) -> None:
        """Of what is wrong with a whole history the first is kept, and how much it is."""
        named = sorted(missing)[: max(0, NAMED_MAX - len(self.calls))]
        self.calls |= {cell: missing[cell] for cell in named}
        self.unnamed += len(missing) - len(named)
        self.coarse += coarse


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


async def is_behind(runtime: Runtime, until_ms: int) -> bool:
    """Whether something that happened before this instant is not in the figures yet."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        position = await readers.find(connection, READER)
        noted = await intervals.pending(connection, site, 1)
    if noted and noted[0].at_ms < until_ms:
        return True
    last_id = position.last_id if position else FROM_THE_START
    lines = await journal.read_after(runtime.redis, site, last_id, 1)
    return bool(lines) and parse_id(lines[0].id)[0] < until_ms


async def drain(runtime: Runtime) -> int:
    times = 0
    while await tick(runtime):
        times += 1
    return times


async def _add_up(connection: AsyncConnection, site: str, zone: str, noted: Sequence[Change]) -> None:
    corrected = await _add_quarters(connection, site, noted)
    gained = domain.merged(change.cells for change in noted)
    await callers.changed(connection, site, zone, gained)
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
        await scores.look_again(connection, site)
    if changed and has_figures:
        cells = domain.changes(domain.counted(before.values()), changed)
        await intervals.note(connection, site, 0, cells, ())
    return len(changed)


async def verify(runtime: Runtime) -> Gap:
    """What the rows lack, or have too much, measured at the call table and the journal's copy, a month at a time."""
    async with runtime.database.read() as connection:
        gap = await _gap_of_calls(connection, runtime)
        await _take_in_agents(connection, runtime.settings.site, gap)
    return gap


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
    async with runtime.database.transaction() as connection:
        await _add_up_all(connection, runtime)
        async for missing, _ in _gaps_by_month(connection, runtime):
            await intervals.note(connection, site, 0, missing, ())
            await _add_up_all(connection, runtime)
        await _regroup(connection, runtime)
    return True


async def _add_up_all(connection: AsyncConnection, runtime: Runtime) -> None:
    site = runtime.settings.site
    if noted := await intervals.pending(connection, site):
        await _add_up(connection, site, plan_of(runtime).timezone, noted)


async def rebuild(runtime: Runtime) -> Gap:
    """Make the rows what the call table and the journal's copy come to; returns what was wrong.

    Calls go on coming in: what is missing is noted like any change, a month at a time. Only days and months that are
    not the sum of their quarters are written anew, with everybody waiting for the moment that takes.
    """
    gap, site = Gap(), runtime.settings.site
    async with runtime.database.read() as connection:
        async for missing, coarse in _gaps_by_month(connection, runtime):
            gap.take_in(missing, coarse)
            if missing:
                async with runtime.database.transaction() as writing:
                    await intervals.note(writing, site, 0, missing, ())
                await drain(runtime)
        await _take_in_agents(connection, site, gap)
    await drain(runtime)
    async with runtime.database.transaction() as connection:
        await caller_days.clear(connection, site)
        if gap.coarse or gap.agents:
            await _regroup(connection, runtime)
    return gap


async def _gap_of_calls(connection: AsyncConnection, runtime: Runtime) -> Gap:
    gap = Gap()
    async for missing, coarse in _gaps_by_month(connection, runtime):
        gap.take_in(missing, coarse)
    return gap


async def _gaps_by_month(connection: AsyncConnection, runtime: Runtime) -> AsyncIterator[tuple[Cells, int]]:
    """What is to be added to the quarters, and how many rows of days and months are not their sum."""
    site, zone = runtime.settings.site, plan_of(runtime).timezone
    noted = domain.merged(change.cells for change in await intervals.pending(connection, site))
    async for month in _months(connection, site, zone, [cell.start_ms for cell in noted]):
        should = await _cells_of_calls(connection, site, month)
        rows = await _counts(connection, site, Grain.QUARTER, month)
        more = {cell: each for cell, each in noted.items() if month.from_ms <= cell.start_ms < month.until_ms}
        coarse = 0
        for grain in (Grain.DAY, Grain.MONTH):
            kept = await _counts(connection, site, grain, month)
            coarse += len(domain.difference(coarser(rows, grain, zone), kept))
        yield domain.difference(should, domain.merged([rows, more])), coarse


async def _months(
    connection: AsyncConnection, site: str, zone: str, noted: Collection[int]
) -> AsyncIterator[Piece]:
    """Every month in which there are calls, rows or instants that are noted."""
    after_ms: int | None = FIRST_MS
    while after_ms is not None:
        found = (
            await calls.first_arrival(connection, site, after_ms),
            await intervals.first_start(connection, site, after_ms),
            min((each for each in noted if each >= after_ms), default=None),
        )
        next_ms = min((each for each in found if each is not None and is_dated(each)), default=None)
        if next_ms is None:
            return
        start_ms = start_of(Grain.MONTH, next_ms, zone)
        after_ms = following(Grain.MONTH, start_ms, zone)
        yield Piece(Grain.MONTH, start_ms, after_ms)


async def _counts(connection: AsyncConnection, site: str, grain: Grain, month: Piece) -> Cells:
    rows = await intervals.rows_within(connection, site, Piece(grain, month.from_ms, month.until_ms))
    return {cell: row.counts for cell, row in rows.items()}


async def _cells_of_calls(connection: AsyncConnection, site: str, month: Piece) -> Cells:
    found: Cells = {}
    after = (month.from_ms - 1, AFTER_ANY_ID)
    while records := await calls.records_after(connection, site, after, RECORDS_AT_ONCE, month.until_ms):
        domain.total(records, found)
        after = (records[-1].arrived_ms, records[-1].call_id)
    return {cell: counts for cell, counts in found.items() if not counts.is_nothing}


async def _take_in_agents(connection: AsyncConnection, site: str, gap: Gap) -> None:
    noted = await intervals.pending(connection, site)
    stays = await intervals.load_stays(connection, site)
    _, more = stays_domain.take_in(stays, [move for change in noted for move in change.moves])
    done_ms = FIRST_MS
    async for until_ms, _, spent in _spent(connection, site):
        rows = await intervals.agent_cells(connection, site, done_ms, until_ms)
        part = {cell: sums for cell, sums in more.items() if done_ms <= cell.start_ms < until_ms}
        gap.agents.update(stays_domain.difference(spent, stays_domain.merged([rows, part])))
        done_ms = until_ms


async def _spent(connection: AsyncConnection, site: str) -> AsyncIterator[tuple[int, Stays, AgentCells]]:
    """Agents' time by the journal's copy, read a day at a time: all its lines would be too many at once.

    Each time the quarters before an instant, which nothing that comes later changes; at the end all that are left.
    """
    stays, spent = Stays(), AgentCells()
    from_ms = await journal.first_instant(connection, site)
    newest_id = await journal.newest_id(connection, site)
    while from_ms is not None and newest_id is not None and from_ms <= parse_id(newest_id)[0]:
        lines = await journal.lines_between(connection, site, from_ms, from_ms + DAY_MS, stays_domain.TYPES)
        stays, gained = stays_domain.take_in(stays, stays_domain.moves_of(lines))
        spent = stays_domain.merged([spent, gained])
        from_ms += DAY_MS
        going_on = (each.since_ms for each in stays.values() if each.state != AgentState.SIGNED_OUT)
        until_ms = start_of(Grain.QUARTER, min([from_ms, *going_on]), "")
        yield until_ms, stays, {cell: sums for cell, sums in spent.items() if cell.start_ms < until_ms}
        spent = {cell: sums for cell, sums in spent.items() if cell.start_ms >= until_ms}
    yield BIGGEST, stays, spent


async def _regroup(connection: AsyncConnection, runtime: Runtime) -> None:
    """Days and months from the quarters, and the agents' rows from the journal's copy."""
    site, zone = runtime.settings.site, plan_of(runtime).timezone
    await _add_up_all(connection, runtime)
    await intervals.clear_coarse(connection, site)
    async for month in _months(connection, site, zone, ()):
        quarters = Piece(Grain.QUARTER, month.from_ms, month.until_ms)
        rows = await intervals.rows_within(connection, site, quarters)
        for grain in (Grain.DAY, Grain.MONTH):
            await intervals.save(connection, site, grain, _coarse_rows(rows, grain, zone))
    await intervals.clear_agents(connection, site)
    last = Stays()
    async for _, stays, spent in _spent(connection, site):
        last = stays
        for grain in Grain:
            await intervals.add_agents(connection, site, grain, coarser_agents(spent, grain, zone))
    await intervals.save_stays(connection, site, last)


def _coarse_rows(rows: Rows, grain: Grain, zone: str) -> Rows:
    found: Rows = {}
    for cell, row in rows.items():
        there = cell._replace(start_ms=start_of(grain, cell.start_ms, zone))
        into = found.setdefault(there, Row(Counts()))
        into.counts.add(row.counts)
        if row.corrected_ms:
            into.corrected_ms = max(into.corrected_ms or 0, row.corrected_ms)
    return found
