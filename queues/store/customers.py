"""Customers and callers' numbers in SQL, and the live index that an arrival looks a number up in.

The live index is made from SQL and can be made again at any time. `caller_numbers` is the one place that
ties a `caller_ref` of the journal to a number; deleting its row makes the caller anonymous.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from sqlalchemy import BigInteger, Column, Index, Table, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert
from queues.domain.customers import Customer, live_file

WITHHELD: Final = "withheld"
CHUNK: Final = 1000

caller_numbers = Table(
    "caller_numbers",
    metadata,
    Column("caller_ref", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)
customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("account_no", Text),
    Column("name", Text, nullable=False),
    Column("tier", Text),
    Column("locale", Text),
    Column("manager", Text),
    Column("area", Text),
    Column("attributes", Text),
)
customer_numbers = Table(
    "customer_numbers",
    metadata,
    Column("number_key", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("number", Text, nullable=False),
)
Index(None, customer_numbers.c.customer_id)

PLAIN: Final = ("account_no", "name", "tier", "locale", "manager", "area")


async def save(
    connection: AsyncConnection, site: str, batch: Sequence[Customer], keys: Mapping[str, str]
) -> set[str]:
    """Write these files; `keys` gives the key of each of their numbers. Returns the keys they gave up.

    A number belongs to its latest customer.
    """
    insert = upsert(customers, connection)
    changes = {name: insert.excluded[name] for name in ("site", *PLAIN, "attributes")}
    statement = insert.on_conflict_do_update(index_elements=["customer_id"], set_=changes)
    await connection.execute(statement, [customer_row(site, customer) for customer in batch])
    are_theirs = customer_numbers.c.customer_id.in_([customer.customer_id for customer in batch])
    before = set(
        (await connection.execute(select(customer_numbers.c.number_key).where(are_theirs))).scalars()
    )
    await connection.execute(delete(customer_numbers).where(are_theirs))
    rows = {
        keys[number]: {"number_key": keys[number], "customer_id": customer.customer_id, "number": number}
        for customer in batch
        for number in customer.numbers
    }
    if rows:
        await insert_numbers(connection, list(rows.values()))
    return before - rows.keys()


async def insert_numbers(connection: AsyncConnection, rows: list[dict[str, str]]) -> None:
    insert = upsert(customer_numbers, connection)
    taken = {"customer_id": insert.excluded.customer_id, "number": insert.excluded.number}
    await connection.execute(insert.on_conflict_do_update(index_elements=["number_key"], set_=taken), rows)


def customer_row(site: str, customer: Customer) -> dict[str, Any]:
    return {
        "customer_id": customer.customer_id,
        "site": site,
        **{name: getattr(customer, name) for name in PLAIN},
        "attributes": json.dumps(dict(customer.attributes), ensure_ascii=False),
    }


async def find(connection: AsyncConnection, customer_id: str) -> Customer | None:
    row = (
        (await connection.execute(select(customers).where(customers.c.customer_id == customer_id)))
        .mappings()
        .first()
    )
    if row is None:
        return None
    query = select(customer_numbers.c.number).where(customer_numbers.c.customer_id == customer_id)
    numbers = tuple(sorted((await connection.execute(query)).scalars()))
    return customer_of(row, numbers)


async def page(connection: AsyncConnection, site: str, after_id: str, limit: int) -> list[Customer]:
    """Customers by id, without their numbers."""
    query = (
        select(customers)
        .where(customers.c.site == site, customers.c.customer_id > after_id)
        .order_by(customers.c.customer_id)
        .limit(limit)
    )
    return [customer_of(row, ()) for row in (await connection.execute(query)).mappings()]


def customer_of(row: Mapping[Any, Any], numbers: tuple[str, ...]) -> Customer:
    plain = {name: row[name] or "" for name in PLAIN}
    attributes = json.loads(row["attributes"] or "{}")
    return Customer(customer_id=row["customer_id"], attributes=attributes, numbers=numbers, **plain)


async def names(connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, str]:
    query = select(customers.c.customer_id, customers.c.name).where(customers.c.customer_id.in_(customer_ids))
    return {row.customer_id: row.name for row in await connection.execute(query)}


async def ids_named(connection: AsyncConnection, text: str, limit: int) -> tuple[str, ...]:
    """Customers whose name contains this, or whose account number it is."""
    is_like = func.lower(customers.c.name).contains(text.lower(), autoescape=True)
    query = select(customers.c.customer_id).where(is_like | (customers.c.account_no == text)).limit(limit)
    return tuple((await connection.execute(query)).scalars())


async def numbers_after(
    connection: AsyncConnection, site: str, after_key: str, limit: int
) -> list[tuple[str, str]]:
    """(number_key, customer_id) in the order of the keys."""
    query = (
        select(customer_numbers.c.number_key, customer_numbers.c.customer_id)
        .join(customers, customers.c.customer_id == customer_numbers.c.customer_id)
        .where(customers.c.site == site, customer_numbers.c.number_key > after_key)
        .order_by(customer_numbers.c.number_key)
        .limit(limit)
    )
    return [(row.number_key, row.customer_id) for row in await connection.execute(query)]


async def save_caller_numbers(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember which number stands behind a `caller_ref`: rows of caller_ref, number, seen_ms."""
    insert = upsert(caller_numbers, connection)
    changes = {"number": insert.excluded.number, "seen_ms": insert.excluded.seen_ms}
    is_newer = caller_numbers.c.seen_ms < insert.excluded.seen_ms
    statement = insert.on_conflict_do_update(index_elements=["caller_ref"], set_=changes, where=is_newer)
    await connection.execute(statement, rows)


async def number_of(connection: AsyncConnection, caller_ref: str) -> str | None:
    query = select(caller_numbers.c.number).where(caller_numbers.c.caller_ref == caller_ref)
    return (await connection.execute(query)).scalar_one_or_none()


async def numbers_behind(connection: AsyncConnection, caller_refs: Collection[str]) -> dict[str, str]:
    query = select(caller_numbers.c.caller_ref, caller_numbers.c.number)
    rows = await connection.execute(query.where(caller_numbers.c.caller_ref.in_(caller_refs)))
    return {row.caller_ref: row.number for row in rows}


async def forget_number(connection: AsyncConnection, caller_ref: str) -> bool:
    gone = await connection.execute(delete(caller_numbers).where(caller_numbers.c.caller_ref == caller_ref))
    return gone.rowcount == 1


async def numbers_of_calls(redis: Redis, site: str, call_ids: Sequence[str]) -> dict[str, str]:
    """The numbers that the live calls came from; of a call that is no longer live, none."""
    if not call_ids:
        return {}
    pipeline = redis.pipeline(transaction=False)
    for call_id in call_ids:
        pipeline.hget(f"{{{site}}}:call:{call_id}", "number")
    numbers = await pipeline.execute()
    return {call_id: number for call_id, number in zip(call_ids, numbers, strict=True) if number}


def index_keys(site: str) -> tuple[str, str]:
    """The live index: number_key -> customer_id, and customer_id -> file."""
    return f"{{{site}}}:numbers", f"{{{site}}}:customers"


async def put_live(
    redis: Redis,
    keys: tuple[str, str],
    numbers: dict[Any, Any],
    files: Sequence[Customer],
    gone: Collection[str] = (),
) -> None:
    """Add to the live index under these two keys, and take out the numbers that are gone."""
    numbers_key, files_key = keys
    pipeline = redis.pipeline(transaction=True)
    if gone:
        pipeline.hdel(numbers_key, *gone)
    if numbers:
        pipeline.hset(numbers_key, mapping=numbers)
    if files:
        pipeline.hset(files_key, mapping={each.customer_id: live_text(each) for each in files})
    if gone or numbers or files:
        await pipeline.execute()


def live_text(customer: Customer) -> str:
    return json.dumps(live_file(customer), ensure_ascii=False)


async def swap_live(redis: Redis, site: str, fresh: tuple[str, str]) -> None:
    """Put a freshly made index in the place of the old one, in one step."""
    pipeline = redis.pipeline(transaction=True)
    for old, new in zip(index_keys(site), fresh, strict=True):
        if await redis.exists(new):
            pipeline.rename(new, old)
        else:
            pipeline.delete(old)
    await pipeline.execute()
