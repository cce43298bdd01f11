"""Tiers in SQL: what was asked for by hand, where every change of a tier came from, and the files it is kept on.

The tier itself is a column of the customer's file, so that nobody asks two tables whose word counts. Whoever
changes it here writes its history in the same transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    RowMapping,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata
from queues.domain.customers import Customer
from queues.domain.tiers import Change, State
from queues.store.customers import customer_of, customers

Reason = Literal["by_hand", "ended", "withdrawn", "import", "ranking", "rules"]

STANDING: Final = ("tier", "band", "class_code", "is_care")
_CHANGE_TEXTS: Final = ("change_id", "customer_id", "tier", "reason", "asked_by")
_STEP_TEXTS: Final = (
    *("customer_id", "old_tier", "new_tier", "old_band", "new_band", "score"),
    *("origin", "account_id"),
)

tier_requests = Table(
    "tier_requests",
    metadata,
    Column("change_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("decided_by", Text),
    Column("decided_ms", BigInteger),
    Column("note", Text),
)
Index(None, tier_requests.c.customer_id)
Index(None, tier_requests.c.state, tier_requests.c.until_ms)
tier_history = Table(
    "tier_history",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column(
        "revision", BigInteger, primary_key=True
    ),  # of the customers' files, so that one change is one row
    Column("site", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("old_tier", Text),
    Column("new_tier", Text),
    Column("old_band", Text),
    Column("new_band", Text),
    Column("score", Text),
    Column("reason", Text, nullable=False),
    Column("origin", Text),  # the change by hand, the run or the import that it came from
    Column("account_id", Text),
)
Index(None, tier_history.c.site, tier_history.c.at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a tier or band, as the history keeps it."""

    customer_id: str
    at_ms: int
    old_tier: str
    new_tier: str
    old_band: str = ""
    new_band: str = ""
    score: str = ""
    reason: Reason
    origin: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStep(Step):
    """One of the site's, with whose it is."""

    name: str
    account_no: str = ""


_STEP: Final = tuple(field.name for field in fields(Step))


async def insert_change(connection: AsyncConnection, site: str, change: Change) -> None:
    await connection.execute(insert(tier_requests).values(site=site, **asdict(change)))


async def decide(
    connection: AsyncConnection, change: Change, state: State, by: str, now_ms: int, note: str
) -> bool:
    """Move the change on from the state in which it was read; False when somebody else has."""
    here = (tier_requests.c.change_id == change.change_id, tier_requests.c.state == change.state)
    moved = await connection.execute(
        update(tier_requests)
        .where(*here)
        .values(state=state, decided_by=by, decided_ms=now_ms, note=note or None)
    )
    return moved.rowcount == 1


async def find_change(connection: AsyncConnection, site: str, change_id: str) -> Change | None:
    query = select(tier_requests).where(tier_requests.c.site == site, tier_requests.c.change_id == change_id)
    found = await changes(connection, query)
    return found[0] if found else None


async def changes_of(connection: AsyncConnection, customer_id: str) -> list[Change]:
    """Everything ever asked for by hand, the newest first."""
    query = select(tier_requests).where(tier_requests.c.customer_id == customer_id)
    return await changes(
        connection, query.order_by(tier_requests.c.asked_ms.desc(), tier_requests.c.change_id)
    )


async def changes_in(
    connection: AsyncConnection, site: str, state: State, *, customer_id: str = "", most: int = 1000
) -> list[Change]:
    """Those in this state, the oldest first."""
    query = select(tier_requests).where(tier_requests.c.site == site, tier_requests.c.state == state)
    if customer_id:
        query = query.where(tier_requests.c.customer_id == customer_id)
    return await changes(
        connection, query.order_by(tier_requests.c.asked_ms, tier_requests.c.change_id).limit(most)
    )


async def changes_over(connection: AsyncConnection, site: str, now_ms: int, most: int) -> list[Change]:
    """Those that are still open or in force though their last day is over."""
    is_open = tier_requests.c.state.in_([State.PENDING, State.APPROVED])
    query = select(tier_requests).where(
        tier_requests.c.site == site, is_open, tier_requests.c.until_ms <= now_ms
    )
    return await changes(connection, query.order_by(tier_requests.c.until_ms).limit(most))


async def changes(connection: AsyncConnection, query: Select[Any]) -> list[Change]:
    return [
        Change(
            **{name: row[name] for name in _CHANGE_TEXTS},
            until_ms=row["until_ms"],
            state=State(row["state"]),
            asked_ms=row["asked_ms"],
            decided_by=row["decided_by"] or "",
            decided_ms=row["decided_ms"],
            note=row["note"] or "",
        )
        for row in (await connection.execute(query)).mappings()
    ]


async def manual_tiers(
    connection: AsyncConnection, customer_ids: Collection[str], now_ms: int
) -> dict[str, str]:
    """The tier given by hand to each of these, for those that have one now."""
    query = select(tier_requests.c.customer_id, tier_requests.c.tier).where(
        tier_requests.c.customer_id.in_(customer_ids),
        tier_requests.c.state == State.APPROVED,
        tier_requests.c.until_ms > now_ms,
    )
    return {
        row.customer_id: row.tier
        for row in await connection.execute(query.order_by(tier_requests.c.decided_ms))
    }


async def save_standings(connection: AsyncConnection, files: Sequence[Customer], revision: int) -> None:
    """Write the standing of these files, and that they have changed."""
    columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in STANDING}
    statement = (
        update(customers)
        .where(customers.c.customer_id == bindparam("file_id"))
        .values(**columns, revision=revision)
    )
    rows = [
        {"file_id": file.customer_id, **{f"new_{name}": getattr(file, name) or None for name in STANDING}}
        for file in files
    ]
    if rows:
        await connection.execute(statement, rows)


async def insert_steps(connection: AsyncConnection, site: str, steps: Sequence[Step], revision: int) -> None:
    rows = [
        {"site": site, "revision": revision, **{name: getattr(step, name) for name in _STEP}}
        for step in steps
    ]
    if rows:
        await connection.execute(insert(tier_history), rows)


async def steps_of(connection: AsyncConnection, customer_id: str) -> list[Step]:
    query = select(tier_history).where(tier_history.c.customer_id == customer_id)
    newest = query.order_by(tier_history.c.revision.desc())
    return [Step(**_step_of(row)) for row in (await connection.execute(newest)).mappings()]


async def steps_from(
    connection: AsyncConnection, site: str, origin: str, after: tuple[int, str] | None, most: int
) -> list[NamedStep]:
    """The site's changes of tier, or those of one origin, the newest first; those below this instant and file."""
    table = tier_history.c
    query = (
        select(tier_history, customers.c.name, customers.c.account_no)
        .outerjoin(customers, customers.c.customer_id == table.customer_id)
        .where(table.site == site)
    )
    if origin:
        query = query.where(table.origin == origin)
    if after is not None:
        at_ms, customer_id = after
        is_next = and_(table.at_ms == at_ms, table.customer_id > customer_id)
        query = query.where(or_(table.at_ms < at_ms, is_next))
    newest = query.order_by(table.at_ms.desc(), table.customer_id, table.revision.desc()).limit(most)
    return [
        NamedStep(**_step_of(row), name=row["name"] or row["customer_id"], account_no=row["account_no"] or "")
        for row in (await connection.execute(newest)).mappings()
    ]


def _step_of(row: RowMapping) -> dict[str, Any]:
    texts = {name: row[name] or "" for name in _STEP_TEXTS}
    return {"at_ms": row["at_ms"], "reason": row["reason"], **texts}


async def count_tiers(connection: AsyncConnection, site: str) -> dict[str, int]:
    query = select(customers.c.tier, func.count().label("files")).where(customers.c.site == site)
    return {
        row.tier or "": int(row.files) for row in await connection.execute(query.group_by(customers.c.tier))
    }


async def in_care(connection: AsyncConnection, site: str, after_id: str, most: int) -> list[Customer]:
    """The register of special care, by id."""
    query = select(customers).where(
        customers.c.site == site, customers.c.is_care.is_(True), customers.c.customer_id > after_id
    )
    rows = await connection.execute(query.order_by(customers.c.customer_id).limit(most))
    return [customer_of(row) for row in rows.mappings()]


async def is_empty(connection: AsyncConnection, site: str) -> bool:
    query = select(customers.c.customer_id).where(customers.c.site == site).limit(1)
    return (await connection.execute(query)).first() is None
