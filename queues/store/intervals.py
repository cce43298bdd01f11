"""The intervals in SQL: rows of calls and of agents by quarter, day and month, and the changes still to be added up.

`figure_changes` is written by the scribe, one row a batch, in the transaction of the batch; it is taken out in the
transaction that adds it to the rows. So each change is in exactly one of the two places, whoever dies in between.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    RowMapping,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain import intervals as domain
from queues.domain import stays as stays_domain
from queues.domain import waits
from queues.domain.intervals import ANSWERED_OR_GONE, Cell, Cells, Counts
from queues.domain.metrics import CALL_SUMS
from queues.domain.periods import Grain, Piece
from queues.domain.stays import AgentCell, AgentCells, Move, Stay, Stays

KEY: Final = ("site", "grain", "start_ms", "queue", "tier", "line")
AGENT_KEY: Final = ("site", "grain", "start_ms", "agent_id")
CHUNK: Final = 500  # as many starts in one question

intervals = Table(
    "intervals",
    metadata,
    Column("site", Text, nullable=False),
    Column("grain", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("queue", "tier", "line")),
    *(Column(name, BigInteger, nullable=False) for name in domain.SUMS),
    *(Column(name, Text, nullable=False) for name in domain.WAITS),
    Column("corrected_ms", BigInteger),
    PrimaryKeyConstraint(*KEY),
)
IS_UNSETTLED: Final = text("unsettled > 0")  # as the index says it: a bound value would not find it
Index(
    "ix_intervals_unsettled",
    *(intervals.c[name] for name in ("site", "grain", "start_ms")),
    sqlite_where=IS_UNSETTLED,
    postgresql_where=IS_UNSETTLED,
)
agent_intervals = Table(
    "agent_intervals",
    metadata,
    Column("site", Text, nullable=False),
    Column("grain", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("agent_id", Text, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in stays_domain.SUMS),
    PrimaryKeyConstraint(*AGENT_KEY),
)
agent_stays = Table(
    "agent_stays",
    metadata,
    Column("site", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "agent_id"),
)
changes = Table(
    "figure_changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("site", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("changes", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What one batch of the journal changed; `at_ms` is the instant of its first line."""

    id: int
    at_ms: int
    cells: Cells
    moves: Sequence[Move]


@dataclass(slots=True)
class Row:
    """One row of `intervals`."""

    counts: Counts
    corrected_ms: int | None = None


Rows = dict[Cell, Row]  # of one grain
Group = tuple[str, str]  # queue, tier


async def note(
    connection: AsyncConnection, site: str, at_ms: int, cells: Cells, moves: Sequence[Move]
) -> None:
    """One row for the batch; nothing where nothing changed."""
    if not cells and not moves:
        return
    told = {
        "calls": [[*cell, *counts.as_json()] for cell, counts in cells.items()],
        "agents": stays_domain.as_json(moves),
    }
    text = json.dumps(told, separators=(",", ":"))
    await connection.execute(insert(changes).values(site=site, at_ms=at_ms, changes=text))


async def has_changes(connection: AsyncConnection, site: str) -> bool:
    query = select(changes.c.id).where(changes.c.site == site).limit(1)
    return (await connection.execute(query)).first() is not None


async def pending(connection: AsyncConnection, site: str, limit: int | None = None) -> list[Change]:
    """The oldest first."""
    query = select(changes).where(changes.c.site == site).order_by(changes.c.id).limit(limit)
    return [_change(row.id, row.at_ms, row.changes) for row in await connection.execute(query)]


def _change(change_id: int, at_ms: int, text: str) -> Change:
    told = json.loads(text)
    cells = {Cell(*each[:4]): Counts.from_json(each[4:]) for each in told["calls"]}
    return Change(change_id, at_ms, cells, stays_domain.from_json(told["agents"]))


async def drop(connection: AsyncConnection, change_ids: Collection[int]) -> None:
    await connection.execute(delete(changes).where(changes.c.id.in_(change_ids)))


async def load(connection: AsyncConnection, site: str, grain: Grain, cells: Collection[Cell]) -> Rows:
    """The rows of these cells, as far as there are any."""
    found: Rows = {}
    wanted, starts = set(cells), sorted({cell.start_ms for cell in cells})
    names = {name: {getattr(cell, name) for cell in cells} for name in ("queue", "tier", "line")}
    narrowed = [intervals.c[name].in_(values) for name, values in names.items()]
    for place in range(0, len(starts), CHUNK):
        some = starts[place : place + CHUNK]
        query = select(intervals).where(
            intervals.c.site == site, intervals.c.grain == grain, intervals.c.start_ms.in_(some), *narrowed
        )
        for row in (await connection.execute(query)).mappings():
            cell = Cell(row["start_ms"], row["queue"], row["tier"], row["line"])
            if cell in wanted:
                found[cell] = _row(row)
    return found


def _row(row: RowMapping) -> Row:
    counts = Counts(
        Counter({name: number for name in domain.SUMS if (number := row[name])}),
        {name: waits.read(row[name]) for name in domain.WAITS if row[name]},
    )
    return Row(counts, row["corrected_ms"])


async def save(connection: AsyncConnection, site: str, grain: Grain, rows: Rows) -> None:
    if not rows:
        return
    statement = upsert(intervals, connection)
    names = (*domain.SUMS, *domain.WAITS, "corrected_ms")
    statement = statement.on_conflict_do_update(
        index_elements=KEY, set_={name: statement.excluded[name] for name in names}
    )
    await connection.execute(statement, [_values(site, grain, cell, row) for cell, row in rows.items()])


def _values(site: str, grain: Grain, cell: Cell, row: Row) -> dict[str, Any]:
    counts = row.counts
    return {
        "site": site,
        "grain": grain,
        **cell._asdict(),
        **{name: counts.sums[name] for name in domain.SUMS},
        **{name: waits.write(counts.waits.get(name, waits.NONE)) for name in domain.WAITS},
        "corrected_ms": row.corrected_ms,
    }


async def add_agents(connection: AsyncConnection, site: str, grain: Grain, cells: AgentCells) -> None:
    """Additive: whatever is there, so much more."""
    if not cells:
        return
    statement = upsert(agent_intervals, connection)
    more = {name: agent_intervals.c[name] + statement.excluded[name] for name in stays_domain.SUMS}
    rows = [
        {
            "site": site,
            "grain": grain,
            **cell._asdict(),
            **{name: sums[name] for name in stays_domain.SUMS},
        }
        for cell, sums in cells.items()
    ]
    await connection.execute(statement.on_conflict_do_update(index_elements=AGENT_KEY, set_=more), rows)


async def load_stays(connection: AsyncConnection, site: str) -> Stays:
    query = select(agent_stays).where(agent_stays.c.site == site)
    return {row.agent_id: Stay(row.state, row.since_ms) for row in await connection.execute(query)}


async def save_stays(connection: AsyncConnection, site: str, stays: Mapping[str, Stay]) -> None:
    if not stays:
        return
    statement = upsert(agent_stays, connection)
    names = ("state", "since_ms")
    statement = statement.on_conflict_do_update(
        index_elements=["site", "agent_id"], set_={name: statement.excluded[name] for name in names}
    )
    rows = [{"site": site, "agent_id": each, **stay._asdict()} for each, stay in stays.items()]
    await connection.execute(statement, rows)


def _inside(table: Table, site: str, pieces: Iterable[Piece], columns: Iterable[str], *also: Any) -> Any:
    """These columns of all rows of the pieces, as a table: one search of the primary key for each.

    As one search with OR between the pieces, SQLite reads every row of the site.
    """
    wanted = [table.c[name] for name in columns]
    return union_all(
        *(
            select(*wanted).where(
                table.c.site == site,
                table.c.grain == piece.grain,
                table.c.start_ms >= piece.from_ms,
                table.c.start_ms < piece.until_ms,
                *also,
            )
            for piece in pieces
        )
    ).subquery()


def _narrowed(queues: Collection[str], tier: str, line: str) -> list[Any]:
    found: list[Any] = [intervals.c.queue.in_(queues)] if queues else []
    return found + [intervals.c[name] == value for name, value in (("tier", tier), ("line", line)) if value]


async def totals(
    connection: AsyncConnection,
    site: str,
    pieces: Sequence[Piece],
    *,
    queues: Collection[str] = (),
    tier: str = "",
    line: str = "",
) -> dict[Group, Row]:
    """What the range comes to, by queue and tier; the sums by the database, the waits by the second here."""
    if not pieces:
        return {}
    narrowed = _narrowed(queues, tier, line)
    rows = _inside(
        intervals, site, pieces, ("queue", "tier", *domain.SUMS, *domain.WAITS, "corrected_ms"), *narrowed
    ).c
    group = (rows.queue, rows.tier)
    added = [func.sum(rows[name]).label(name) for name in domain.SUMS]
    latest = func.max(rows.corrected_ms).label("corrected_ms")
    found: dict[Group, Row] = {}
    for row in (await connection.execute(select(*group, *added, latest).group_by(*group))).mappings():
        sums = Counter({name: int(row[name]) for name in domain.SUMS if row[name]})
        found[row["queue"], row["tier"]] = Row(Counts(sums), row["corrected_ms"])
    texts = defaultdict[tuple[Group, str], list[str]](list)
    columns = [rows[name] for name in domain.WAITS]
    for queue, tier, *told in await connection.execute(select(*group, *columns)):
        for name, each in zip(domain.WAITS, told, strict=True):
            if each:
                texts[(queue, tier), name].append(each)
    for (key, name), several in texts.items():
        found[key].counts.waits[name] = waits.added(several)
    return found


async def groups_within(
    connection: AsyncConnection,
    site: str,
    pieces: Sequence[Piece],
    *,
    queues: Collection[str] = (),
    tier: str = "",
    line: str = "",
) -> list[Group]:
    """Which queues and tiers the calls of a range had."""
    if not pieces:
        return []
    rows = _inside(intervals, site, pieces, ("queue", "tier"), *_narrowed(queues, tier, line)).c
    found = await connection.execute(select(rows.queue, rows.tier).distinct())
    return [(row.queue, row.tier) for row in found]


def is_counted(symbol: str) -> bool:
    """Whether the rows say how many calls of this set they have; of what depends on a target they do not."""
    return symbol in CALL_SUMS or symbol == "W"


async def counted(
    connection: AsyncConnection,
    site: str,
    pieces: Sequence[Piece],
    symbol: str,
    *,
    queues: Collection[str] = (),
    tier: str = "",
    line: str = "",
) -> list[tuple[int, int]]:
    """When the rows begin that have calls of this set, and how many; the newest first."""
    names = (CALL_SUMS[symbol],) if symbol in CALL_SUMS else ("offered", *ANSWERED_OR_GONE)
    number: Any
    rows = _inside(intervals, site, pieces, ("start_ms", *names), *_narrowed(queues, tier, line)).c
    number = func.sum(rows[names[0]])
    for name in names[1:]:
        number -= func.sum(rows[name])
    query = select(rows.start_ms, number).group_by(rows.start_ms).having(number > 0)
    told = await connection.execute(query.order_by(rows.start_ms.desc()))
    return [(start_ms, int(count)) for start_ms, count in told]


async def rows_within(
    connection: AsyncConnection,
    site: str,
    piece: Piece,
    *,
    queues: Collection[str] = (),
    tier: str = "",
    line: str = "",
) -> Rows:
    """Each row of one grain that begins in this range."""
    chosen = (
        intervals.c.site == site,
        intervals.c.grain == piece.grain,
        intervals.c.start_ms >= piece.from_ms,
        intervals.c.start_ms < piece.until_ms,
        *_narrowed(queues, tier, line),
    )
    rows = (await connection.execute(select(intervals).where(*chosen))).mappings()
    return {Cell(row["start_ms"], row["queue"], row["tier"], row["line"]): _row(row) for row in rows}


async def first_start(connection: AsyncConnection, site: str, from_ms: int) -> int | None:
    """When the first row of any grain begins, at this instant or after it."""
    starts = []
    for grain in Grain:
        chosen = (intervals.c.site == site, intervals.c.grain == grain, intervals.c.start_ms >= from_ms)
        starts.append(
            (await connection.execute(select(func.min(intervals.c.start_ms)).where(*chosen))).scalar()
        )
    return min((each for each in starts if each is not None), default=None)


async def agent_totals(
    connection: AsyncConnection, site: str, pieces: Sequence[Piece]
) -> dict[str, Counter[str]]:
    """What the stays of a range that have ended come to, by agent."""
    if not pieces:
        return {}
    rows = _inside(agent_intervals, site, pieces, ("agent_id", *stays_domain.SUMS)).c
    added = [func.sum(rows[name]).label(name) for name in stays_domain.SUMS]
    query = select(rows.agent_id, *added).group_by(rows.agent_id)
    return {
        row["agent_id"]: Counter({name: int(row[name]) for name in stays_domain.SUMS if row[name]})
        for row in (await connection.execute(query)).mappings()
    }


async def agent_cells(connection: AsyncConnection, site: str, from_ms: int, until_ms: int) -> AgentCells:
    """The quarters that begin in [from_ms, until_ms)."""
    table = agent_intervals
    within = (table.c.start_ms >= from_ms, table.c.start_ms < until_ms)
    query = select(table).where(table.c.site == site, table.c.grain == Grain.QUARTER, *within)
    return {
        AgentCell(row["start_ms"], row["agent_id"]): Counter(
            {name: number for name in stays_domain.SUMS if (number := row[name])}
        )
        for row in (await connection.execute(query)).mappings()
    }


async def has_any(connection: AsyncConnection, site: str) -> bool:
    """Whether anything was ever noted or added up."""
    query = select(intervals.c.start_ms).where(intervals.c.site == site).limit(1)
    return (await connection.execute(query)).first() is not None or await has_changes(connection, site)


async def clear_coarse(connection: AsyncConnection, site: str) -> None:
    """The days and months of calls."""
    grains = (Grain.DAY, Grain.MONTH)
    await connection.execute(delete(intervals).where(intervals.c.site == site, intervals.c.grain.in_(grains)))


async def clear_agents(connection: AsyncConnection, site: str) -> None:
    for table in (agent_intervals, agent_stays):
        await connection.execute(delete(table).where(table.c.site == site))
