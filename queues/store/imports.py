"""Imports of customers' files: what each of them did, and the way of a million rows into SQL in one transaction.

The rows wait in temporary tables of the importer's own connection, already in the form in which they are kept: who
dies there leaves nothing behind. `merge` then moves them with a few statements for every so many rows, so that
others who write wait for as little as can be. What it moves was worked out before, outside of the transaction:
`stale_rows` says inside of it which files have changed meanwhile.
"""

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import PlainInsert, metadata, upsert
from queues.store.customers import WRITTEN, customer_changes, customer_numbers, customers, index_gone
from queues.store.tiers import tier_history

NEW: Final = -1  # the revision of a file that is not there yet
AT_ONCE: Final = (
    20_000  # rows in one statement: PostgreSQL's time limit is for one, progress is told after one
)
SQLITE_CACHE_KB: Final = 262_144

imports = Table(
    "imports",
    metadata,
    Column("import_no", Integer, primary_key=True, autoincrement=False),
    Column("site", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("opened_count", Integer, nullable=False),
    Column("changed_count", Integer, nullable=False),
    Column("unchanged_count", Integer, nullable=False),
    Column("skipped_count", Integer, nullable=False),
)

own = MetaData()
TEMPORARY: Final[dict[str, Any]] = {"prefixes": ["TEMPORARY"]}
BY_ROW: Final[dict[str, Any]] = {"sqlite_with_rowid": False}
staged = Table(
    "staged_files",
    own,
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column("customer_id", Text),  # nothing for a file that is to be opened
    Column("seen_revision", BigInteger, nullable=False),
    Column("is_changed", Boolean, nullable=False),  # also true of a new one
    Column("has_new_numbers", Boolean, nullable=False),
    Column("old_tier", Text),
    Column("old_band", Text),
    *(Column(name, customers.c[name].type) for name in WRITTEN),
    **TEMPORARY,
)
staged_numbers = Table(
    "staged_numbers",
    own,
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column("number_key", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("contact", Text),
    **TEMPORARY,
    **BY_ROW,
)
staged_changes = Table(
    "staged_changes",
    own,
    Column("row_no", Integer, primary_key=True, autoincrement=False),
    Column("field", Text, primary_key=True),
    Column("before", Text),
    Column("after", Text),
    **TEMPORARY,
    **BY_ROW,
)
staged_faults = Table(
    "staged_faults",
    own,
    Column("row_no", Integer, nullable=False),
    Column("account_no", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("what", Text, nullable=False),
    **TEMPORARY,
)
STAGES: Final = (staged, staged_numbers, staged_changes, staged_faults)
COLUMNS: Final = {table.name: tuple(column.name for column in table.columns) for table in STAGES}
INSERTS: Final = {table.name: PlainInsert(table, COLUMNS[table.name]) for table in STAGES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an import does, in files."""

    opened: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0


async def set_up(connection: AsyncConnection) -> None:
    if connection.dialect.name == "sqlite":
        await connection.execute(text(f"PRAGMA cache_size = -{SQLITE_CACHE_KB}"))
    await connection.run_sync(lambda sync: own.create_all(sync, checkfirst=False))


async def stage(connection: AsyncConnection, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Put rows in the temporary tables, by the table's name."""
    for table in STAGES:
        if given := rows.get(table.name):
            await INSERTS[table.name].write(connection, map(operator.itemgetter(*COLUMNS[table.name]), given))


async def unstage(connection: AsyncConnection, row_nos: Collection[int]) -> None:
    """Take these rows out again."""
    for table in (staged, staged_numbers, staged_changes):
        await connection.execute(delete(table).where(table.c.row_no.in_(row_nos)))


async def survey(connection: AsyncConnection) -> None:
    """Before many questions are asked of the temporary tables: PostgreSQL knows nothing of them by itself."""
    if connection.dialect.name != "sqlite":
        for table in STAGES:
            await connection.execute(text(f"ANALYZE {table.name}"))


async def note_twice(connection: AsyncConnection) -> None:
    """An account in two rows is a fault of both: nobody knows which of them is right."""
    faulty = select(staged_faults.c.row_no, staged_faults.c.account_no)
    named = faulty.where(staged_faults.c.account_no != "").distinct()
    given = union_all(select(staged.c.row_no, staged.c.account_no), named).cte("given")
    first = func.min(given.c.row_no).label("first")
    counted = select(given.c.account_no, first).group_by(given.c.account_no)
    twice = counted.having(func.count() > 1).cte("twice")
    what = literal("the account number is also in another row, the first time in row ") + cast(
        twice.c.first, Text
    )
    query = select(given.c.row_no, given.c.account_no, literal("account_no"), what)
    query = query.join_from(given, twice, twice.c.account_no == given.c.account_no)
    columns = ["row_no", "account_no", "field", "what"]
    await connection.execute(insert(staged_faults).from_select(columns, query))


async def drop_faulty(connection: AsyncConnection) -> None:
    """What is left is sound."""
    faulty = select(staged_faults.c.row_no)
    for table in (staged, staged_numbers, staged_changes):
        await connection.execute(delete(table).where(table.c.row_no.in_(faulty)))


async def count_faulty(connection: AsyncConnection) -> int:
    query = select(func.count(staged_faults.c.row_no.distinct()))
    return int((await connection.execute(query)).scalar_one())


async def faults_after(connection: AsyncConnection, row_no: int, most: int) -> list[Any]:
    """The faults of the next rows, by row; all those of one row together."""
    rows = select(staged_faults.c.row_no).where(staged_faults.c.row_no > row_no).distinct()
    wanted = rows.order_by(staged_faults.c.row_no).limit(most)
    query = select(staged_faults).where(staged_faults.c.row_no.in_(wanted))
    ordered = query.order_by(staged_faults.c.row_no, staged_faults.c.field, staged_faults.c.what)
    return list((await connection.execute(ordered)).all())


async def count_staged(connection: AsyncConnection) -> Counts:
    is_new = staged.c.seen_revision == NEW
    query = select(
        func.count().filter(is_new),
        func.count().filter(~is_new, staged.c.is_changed),
        func.count().filter(~staged.c.is_changed),
    ).select_from(staged)
    opened, changed, unchanged = (await connection.execute(query)).one()
    return Counts(opened=opened, changed=changed, unchanged=unchanged)


async def last_row(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.max(staged.c.row_no)))).scalar_one() or 0)


async def stale_rows(connection: AsyncConnection, site: str, most: int) -> list[int]:
    """Rows whose file was opened, changed or gone since they were worked out."""
    there = and_(customers.c.site == site, customers.c.account_no == staged.c.account_no)
    now = case((customers.c.customer_id.is_(None), NEW), else_=func.coalesce(customers.c.revision, 0))
    query = select(staged.c.row_no).join_from(staged, customers, there, isouter=True)
    stale = query.where(now != staged.c.seen_revision).order_by(staged.c.row_no).limit(most)
    return list((await connection.execute(stale)).scalars())


async def next_import_no(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.max(imports.c.import_no)))).scalar_one() or 0) + 1


async def insert_import(connection: AsyncConnection, merge: "Merge", counts: Counts) -> None:
    await connection.execute(
        insert(imports).values(
            import_no=merge.import_no,
            site=merge.site,
            revision=merge.revision,
            at_ms=merge.now_ms,
            origin=merge.origin,
            opened_count=counts.opened,
            changed_count=counts.changed,
            unchanged_count=counts.unchanged,
            skipped_count=counts.skipped,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One import's way from the temporary tables into everybody's, so many rows at a time."""

    site: str
    import_no: int
    revision: int
    now_ms: int
    origin: str
    account_id: str

    async def move(self, connection: AsyncConnection, above: int, up_to: int) -> None:
        """The rows above this one up to that one."""
        here = and_(staged.c.row_no > above, staged.c.row_no <= up_to, staged.c.is_changed.is_(True))
        await self._replace_numbers(connection, and_(here, staged.c.has_new_numbers.is_(True)))
        await self._open(connection, and_(here, staged.c.customer_id.is_(None)))
        is_known = and_(here, staged.c.customer_id.is_not(None))
        await self._change(connection, is_known)
        await self._keep_changes(connection, is_known)

    @property
    def file_id(self) -> ColumnElement[str]:
        """A file is called after the import and the row that opened it: never the same twice, and says nothing."""
        opened = literal(f"C{self.import_no}-") + cast(staged.c.row_no, Text)
        return func.coalesce(staged.c.customer_id, opened)

    async def _open(self, connection: AsyncConnection, here: ColumnElement[bool]) -> None:
        written = {name: staged.c[name] for name in WRITTEN}
        values = {
            **written,
            "customer_id": self.file_id,
            "site": literal(self.site),
            "import_no": literal(self.import_no),
            "opened_ms": literal(self.now_ms),
            "revision": literal(self.revision),
        }
        query = select(*(value.label(name) for name, value in values.items())).where(here)
        await connection.execute(insert(customers).from_select(list(values), query.order_by(staged.c.row_no)))

    async def _change(self, connection: AsyncConnection, here: ColumnElement[bool]) -> None:
        written = {name: staged.c[name] for name in WRITTEN}
        statement = update(customers).where(customers.c.customer_id == staged.c.customer_id, here)
        await connection.execute(statement.values(**written, revision=self.revision))

    async def _replace_numbers(self, connection: AsyncConnection, here: ColumnElement[bool]) -> None:
        theirs = select(staged.c.customer_id).where(here, staged.c.customer_id.is_not(None))
        are_theirs = customer_numbers.c.customer_id.in_(theirs)
        gone = select(
            literal(self.site), customer_numbers.c.number_key, literal(self.revision), literal(self.now_ms)
        ).where(are_theirs)
        seen = upsert(index_gone, connection).from_select(
            ["site", "number_key", "revision", "at_ms"], gone.distinct()
        )
        await connection.execute(
            seen.on_conflict_do_update(
                index_elements=["site", "number_key"],
                set_={"revision": seen.excluded.revision, "at_ms": seen.excluded.at_ms},
            )
        )
        await connection.execute(delete(customer_numbers).where(are_theirs))
        query = (
            select(
                staged_numbers.c.number_key, self.file_id, staged_numbers.c.number, staged_numbers.c.contact
            )
            .join_from(staged_numbers, staged, staged.c.row_no == staged_numbers.c.row_no)
            .where(here)
        )
        columns = ["number_key", "customer_id", "number", "contact"]
        ordered = query.order_by(staged_numbers.c.number_key)
        await connection.execute(insert(customer_numbers).from_select(columns, ordered))

    async def _keep_changes(self, connection: AsyncConnection, here: ColumnElement[bool]) -> None:
        when = {"revision": literal(self.revision), "at_ms": literal(self.now_ms)}
        who = {"origin": literal(self.origin), "account_id": literal(self.account_id or None, Text)}
        kept = {
            "customer_id": staged.c.customer_id,
            **{name: staged_changes.c[name] for name in ("field", "before", "after")},
            **when,
            **who,
        }
        query = select(*kept.values()).join_from(
            staged, staged_changes, staged.c.row_no == staged_changes.c.row_no
        )
        await connection.execute(insert(customer_changes).from_select(list(kept), query.where(here)))
        moved = {
            "customer_id": staged.c.customer_id,
            "site": literal(self.site),
            "old_tier": staged.c.old_tier,
            "new_tier": staged.c.tier,
            "old_band": staged.c.old_band,
            "new_band": staged.c.band,
            "score": null(),
            "reason": literal("import"),
            **when,
            **who,
        }
        has_moved = or_(
            staged.c.old_tier.is_distinct_from(staged.c.tier),
            staged.c.old_band.is_distinct_from(staged.c.band),
        )
        steps = select(*moved.values()).where(here, has_moved)
        await connection.execute(insert(tier_history).from_select(list(moved), steps))


async def managers_changed(connection: AsyncConnection) -> list[tuple[str, list[str], list[str]]]:
    """Of the files that are there already: whose first manager is another now, with the list before and after."""
    query = (
        select(staged.c.customer_id, staged_changes.c.before, staged_changes.c.after)
        .join_from(staged, staged_changes, staged.c.row_no == staged_changes.c.row_no)
        .where(staged.c.customer_id.is_not(None), staged_changes.c.field == "managers")
        .order_by(staged.c.row_no)
    )
    told = [(row[0], _listed(row[1]), _listed(row[2])) for row in await connection.execute(query)]
    return [(customer_id, was, now) for customer_id, was, now in told if was and now and was[0] != now[0]]


def _listed(told: str | None) -> list[str]:
    return told.split("; ") if told else []


async def drop_withdrawn(connection: AsyncConnection, fields: Collection[str]) -> None:
    """Whose consent is gone has no history of what needed it."""
    gone = select(staged.c.customer_id).where(
        staged.c.customer_id.is_not(None), staged.c.is_changed.is_(True), staged.c.has_consent.is_not(True)
    )
    await connection.execute(
        delete(customer_changes).where(
            customer_changes.c.field.in_(fields), customer_changes.c.customer_id.in_(gone)
        )
    )
