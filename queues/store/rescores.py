"""Scores, and the runs that make them: one row for each run, claimed by lease, so that any process may finish it.

A run that died in the middle lost no more than its last batch: what it had done and how far it had come (`phase`,
`cursor`) were committed together. Leases are real time.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.customers import Customer
from queues.domain.tiers import Kind
from queues.store import leases
from queues.store.customers import customer_of, customers

Origin = Literal["schedule", "hand", "rules"]
Phase = Literal["scoring", "ranking", "placing", "done"]

scores = Table(
    "scores",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("peers", Text),  # the format inside which he is ranked; none when he takes no part
    Column("sort_key", LargeBinary),  # bytes sort alike in every database
    Column("score", Text),
    Column("rank", Integer),
    Column("count", Integer),
    Column("left_out", Text),
    Column("scored_ms", BigInteger, nullable=False),
)
Index(None, scores.c.site, scores.c.peers, scores.c.sort_key)
rescores = Table(
    "rescores",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("due_on", Text, nullable=False),
    Column("rules", Text, nullable=False),  # the fingerprint of the rules it began with
    Column("phase", Text, nullable=False),
    Column("cursor", Text, nullable=False),
    Column("scored", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("holder", Text, nullable=False),
    Column("lease_until_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Column("account_id", Text),
)
Index(None, rescores.c.site, rescores.c.started_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    run_id: str
    kind: Kind
    origin: Origin
    due_on: str
    rules: str
    phase: Phase
    cursor: str = ""
    scored: int = 0
    left_out: int = 0
    changed: int = 0
    started_ms: int
    finished_ms: int | None = None
    account_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Score:
    """What one file has to rank with; `left_out` is the reason, as JSON, why it takes no part."""

    customer_id: str
    peers: str | None = None
    sort_key: bytes | None = None
    score: str | None = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What the last run made of a file: no rank and not left out is a file that it has not seen."""

    score: str = ""
    rank: int | None = None
    count: int | None = None
    is_left_out: bool = False


_RUN: Final = [rescores.c[field.name] for field in fields(Run)]
_SCORED: Final = [scores.c[name] for name in ("score", "rank", "count", "left_out")]


async def insert_run(connection: AsyncConnection, site: str, run: Run) -> bool:
    """False when a run of this id is there: another process saw the same date due."""
    values = upsert(rescores, connection).values(site=site, holder="", lease_until_ms=0, **asdict(run))
    return (await connection.execute(values.on_conflict_do_nothing())).rowcount == 1


async def find_run(connection: AsyncConnection, run_id: str) -> Run | None:
    row = (await connection.execute(select(*_RUN).where(rescores.c.run_id == run_id))).mappings()
    return next((Run(**found) for found in row), None)


async def unfinished(connection: AsyncConnection, site: str) -> Run | None:
    """The oldest run that is not over."""
    query = select(*_RUN).where(rescores.c.site == site, rescores.c.finished_ms.is_(None))
    oldest = query.order_by(rescores.c.started_ms, rescores.c.run_id).limit(1)
    return next((Run(**row) for row in (await connection.execute(oldest)).mappings()), None)


async def runs(connection: AsyncConnection, site: str, most: int = 20) -> list[Run]:
    """The newest first."""
    query = select(*_RUN).where(rescores.c.site == site)
    newest = query.order_by(rescores.c.started_ms.desc(), rescores.c.run_id.desc()).limit(most)
    return [Run(**row) for row in (await connection.execute(newest)).mappings()]


async def last_placing(connection: AsyncConnection, site: str) -> Run | None:
    """The last run that went through the tiers."""
    query = select(*_RUN).where(rescores.c.site == site, rescores.c.kind != "score")
    newest = query.order_by(rescores.c.started_ms.desc(), rescores.c.run_id.desc()).limit(1)
    return next((Run(**row) for row in (await connection.execute(newest)).mappings()), None)


async def last_started(connection: AsyncConnection, site: str, kind: Kind | None = None) -> int | None:
    """When the last run, or the last of this kind, read the files."""
    query = select(func.max(rescores.c.started_ms)).where(rescores.c.site == site, rescores.c.kind != "place")
    if kind is not None:
        query = query.where(rescores.c.kind == kind)
    found: int | None = (await connection.execute(query)).scalar_one()
    return found


async def claim(connection: AsyncConnection, run_id: str, holder: str, now_ms: int, until_ms: int) -> bool:
    """Take or renew the lease; False while another process holds it, or when the run is over."""
    here = (rescores.c.run_id == run_id, rescores.c.finished_ms.is_(None))
    return await leases.claim(connection, rescores, here, holder, now_ms, until_ms)


async def release(connection: AsyncConnection, run_id: str, holder: str) -> None:
    """Let the next process go on at once."""
    await leases.release(connection, rescores, [rescores.c.run_id == run_id], holder)


async def move_on(connection: AsyncConnection, run_id: str, holder: str, **values: Any) -> bool:
    """Write how far the run has come; False when somebody else has taken it over."""
    mine = (rescores.c.run_id == run_id, rescores.c.holder == holder, rescores.c.finished_ms.is_(None))
    return (await connection.execute(update(rescores).where(*mine).values(**values))).rowcount == 1


async def page_after(connection: AsyncConnection, site: str, after_id: str, most: int) -> Sequence[Any]:
    """What rules and ranking may ask of the next files by id."""
    names = ("customer_id", "account_no", "area", "locale", "attributes")
    query = (
        select(*(customers.c[name] for name in names))
        .where(customers.c.site == site, customers.c.customer_id > after_id)
        .order_by(customers.c.customer_id)
        .limit(most)
    )
    return (await connection.execute(query)).all()


async def save_scores(
    connection: AsyncConnection, site: str, run_id: str, page: Sequence[Score], now_ms: int
) -> None:
    statement = upsert(scores, connection)
    taken = ("run_id", "peers", "sort_key", "score", "left_out", "scored_ms")
    changes = {name: statement.excluded[name] for name in taken} | {"rank": None, "count": None}
    rows = [
        {
            "customer_id": score.customer_id,
            "site": site,
            "run_id": run_id,
            "peers": score.peers,
            "sort_key": score.sort_key,
            "score": score.score,
            "left_out": score.left_out,
            "scored_ms": now_ms,
        }
        for score in page
    ]
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["customer_id"], set_=changes), rows
    )


async def forget_others(connection: AsyncConnection, site: str, run_id: str, most: int) -> int:
    """Scores of files that this run has not seen: they are gone."""
    old = select(scores.c.customer_id).where(scores.c.site == site, scores.c.run_id != run_id).limit(most)
    return int((await connection.execute(delete(scores).where(scores.c.customer_id.in_(old)))).rowcount)


async def sizes(connection: AsyncConnection, site: str) -> dict[str, int]:
    """How many take part in each format."""
    query = select(scores.c.peers, func.count().label("files")).where(
        scores.c.site == site, scores.c.peers.is_not(None)
    )
    return {row.peers: int(row.files) for row in await connection.execute(query.group_by(scores.c.peers))}


async def next_in_order(
    connection: AsyncConnection, site: str, peers: str, after: bytes, most: int
) -> list[tuple[str, bytes]]:
    """(customer_id, sort_key) of the next ones of a format, the best first."""
    query = (
        select(scores.c.customer_id, scores.c.sort_key)
        .where(scores.c.site == site, scores.c.peers == peers, scores.c.sort_key > after)
        .order_by(scores.c.sort_key)
        .limit(most)
    )
    return [(row.customer_id, row.sort_key) for row in await connection.execute(query)]


async def save_ranks(connection: AsyncConnection, ranks: Sequence[tuple[str, int]], count: int) -> None:
    statement = (
        update(scores)
        .where(scores.c.customer_id == bindparam("file_id"))
        .values(rank=bindparam("new_rank"), count=count)
    )
    await connection.execute(statement, [{"file_id": each, "new_rank": rank} for each, rank in ranks])


async def scored_after(
    connection: AsyncConnection, site: str, after_id: str, most: int
) -> list[tuple[Customer, Scored]]:
    """The next files by id, without their numbers, each with what the last run made of it."""
    query = (
        select(customers, *_SCORED)
        .outerjoin(scores, scores.c.customer_id == customers.c.customer_id)
        .where(customers.c.site == site, customers.c.customer_id > after_id)
        .order_by(customers.c.customer_id)
        .limit(most)
    )
    return await _scored(connection, query)


async def scored_of(
    connection: AsyncConnection, site: str, customer_ids: Sequence[str]
) -> list[tuple[Customer, Scored]]:
    """The same of these."""
    query = (
        select(customers, *_SCORED)
        .outerjoin(scores, scores.c.customer_id == customers.c.customer_id)
        .where(customers.c.site == site, customers.c.customer_id.in_(customer_ids))
    )
    return await _scored(connection, query)


async def _scored(connection: AsyncConnection, query: Select[Any]) -> list[tuple[Customer, Scored]]:
    return [
        (
            customer_of(row),
            Scored(
                score=row["score"] or "",
                rank=row["rank"],
                count=row["count"],
                is_left_out=row["left_out"] is not None,
            ),
        )
        for row in (await connection.execute(query)).mappings()
    ]


async def band_counts(connection: AsyncConnection, site: str) -> dict[tuple[str, str], int]:
    """How many of each format stand in each band."""
    query = (
        select(scores.c.peers, customers.c.band, func.count().label("files"))
        .join(customers, customers.c.customer_id == scores.c.customer_id)
        .where(scores.c.site == site, scores.c.peers.is_not(None))
        .group_by(scores.c.peers, customers.c.band)
    )
    return {(row.peers, row.band or ""): int(row.files) for row in await connection.execute(query)}


async def excluded(connection: AsyncConnection, site: str, after_id: str, most: int) -> list[Any]:
    """Who took no part and why: rows of customer_id, name, account_no, left_out."""
    query = (
        select(scores.c.customer_id, customers.c.name, customers.c.account_no, scores.c.left_out)
        .join(customers, customers.c.customer_id == scores.c.customer_id)
        .where(scores.c.site == site, scores.c.left_out.is_not(None), scores.c.customer_id > after_id)
        .order_by(scores.c.customer_id)
        .limit(most)
    )
    return list((await connection.execute(query)).all())
