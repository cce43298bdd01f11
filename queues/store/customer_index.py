"""The live index: who has a number, who has an account, and what an arrival is told of him.

It is made from SQL and can be made again at any time. `{site}:index` is the revision of SQL that it shows; the
index and this stamp change in one step only, and only from the stamp that was read before, so two that bring it up
to date never overwrite the newer with the older, and whoever dies half-way has changed nothing. The whole of it
is made under other names and put in place in one step.
"""

import itertools
import json
import operator
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import WatchError
from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from queues.domain.customers import NO_BONDS, Bonds, index_entry, live_file
from queues.store import stamped
from queues.store.customers import (
    compact,
    customer_numbers,
    customer_of,
    customers,
    index_gone,
    index_stamps,
)
from queues.store.managers import bonds_of

KINDS: Final = ("numbers", "accounts", "customers")
PAGE: Final = 5_000
ASKED: Final = 500  # keys in one question to SQL
ABANDONED_AFTER_S: Final = 600
BUILDING_FOR_MS: Final = 60_000

_first = operator.itemgetter(0)
Keyed = Callable[[str], str]
Entries = dict[str, str | None]  # None: take it out


@dataclass(slots=True)
class Delta:
    """What changed since a revision, as the three hashes take it."""

    numbers: Entries = field(default_factory=dict)
    accounts: Entries = field(default_factory=dict)
    customers: Entries = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers) + len(self.accounts) + len(self.customers)


def stamp_key(site: str) -> str:
    return f"{{{site}}}:index"


def index_keys(site: str) -> tuple[str, str, str]:
    numbers, accounts, files = (f"{{{site}}}:{kind}" for kind in KINDS)
    return numbers, accounts, files


def live_text(row: Mapping[Any, Any], bonds: Bonds = NO_BONDS) -> str:
    return compact(live_file(customer_of(row), bonds))


# What SQL says


async def revision_of(connection: AsyncConnection, site: str) -> int:
    query = select(index_stamps.c.revision).where(index_stamps.c.site == site)
    return int((await connection.execute(query)).scalar_one_or_none() or 0)


async def has_numbers(connection: AsyncConnection, site: str) -> bool:
    query = owners_of(site).limit(1)
    return (await connection.execute(query)).first() is not None


async def read_delta(
    connection: AsyncConnection,
    site: str,
    since: int,
    most: int,
    ranks: Mapping[str, int],
    account_key: Keyed,
) -> Delta | None:
    """What changed after this revision; None when it is more than `most` files or numbers."""
    newer = select(customers).where(customers.c.site == site, customers.c.revision > since).limit(most + 1)
    rows = (await connection.execute(newer)).mappings().all()
    gone = select(index_gone.c.number_key).where(index_gone.c.site == site, index_gone.c.revision > since)
    number_keys = set((await connection.execute(gone.limit(most + 1))).scalars())
    if len(rows) > most or len(number_keys) > most:
        return None
    bonds: dict[str, Bonds] = {}
    for chunk in chunks([row["customer_id"] for row in rows]):
        bonds |= await bonds_of(connection, site, chunk)
        held = select(customer_numbers.c.number_key).where(customer_numbers.c.customer_id.in_(chunk))
        number_keys.update((await connection.execute(held)).scalars())
    digits = {row["account_digits"] for row in rows if row["account_digits"]}
    delta = Delta()
    delta.customers = {
        row["customer_id"]: live_text(row, bonds.get(row["customer_id"], NO_BONDS)) for row in rows
    }
    delta.numbers = await _number_entries(connection, site, number_keys, ranks)
    for asked, owner in (await _account_owners(connection, site, digits)).items():
        delta.accounts[account_key(asked)] = owner
    return delta


async def _number_entries(
    connection: AsyncConnection, site: str, number_keys: Iterable[str], ranks: Mapping[str, int]
) -> Entries:
    """Asked for in two plain questions: a database may join a few numbers to all of a site's files, file by file."""
    entries: Entries = dict.fromkeys(number_keys)
    held: list[Any] = []
    for chunk in chunks(list(entries)):
        columns = (customer_numbers.c.number_key, customer_numbers.c.customer_id, customer_numbers.c.contact)
        query = select(*columns).where(customer_numbers.c.number_key.in_(chunk))
        held += (await connection.execute(query.order_by(customer_numbers.c.number_key))).all()
    tiers: dict[str, str] = {}
    for chunk in chunks(list({row.customer_id for row in held})):
        here = (customers.c.site == site, customers.c.customer_id.in_(chunk))
        query = select(customers.c.customer_id, customers.c.tier).where(*here)
        tiers.update({row[0]: row[1] or "" for row in await connection.execute(query)})
    owners = [
        (row.number_key, row.customer_id, tiers[row.customer_id], row.contact)
        for row in held
        if row.customer_id in tiers
    ]
    entries.update(_entries_of(sorted(owners, key=_first), ranks))
    return entries


async def _account_owners(connection: AsyncConnection, site: str, digits: Iterable[str]) -> Entries:
    """The one file with these digits; nobody when there are two, for keying them names neither."""
    owners: Entries = dict.fromkeys(digits)
    for chunk in chunks(list(owners)):
        query = accounts_of(site).where(customers.c.account_digits.in_(chunk))
        owners.update({row[0]: row[1] for row in await connection.execute(query) if row[2] == 1})
    return owners


def owners_of(site: str) -> Select[Any]:
    """(number_key, customer_id, tier, contact), by the key."""
    columns = (customer_numbers.c.number_key, customers.c.customer_id, customers.c.tier)
    return (
        select(*columns, customer_numbers.c.contact)
        .join(customers, customers.c.customer_id == customer_numbers.c.customer_id)
        .where(customers.c.site == site)
        .order_by(customer_numbers.c.number_key)
    )


def accounts_of(site: str) -> Select[Any]:
    """(digits, a customer with them, how many have them)."""
    digits = customers.c.account_digits
    return (
        select(digits, func.min(customers.c.customer_id), func.count())
        .where(customers.c.site == site, digits.is_not(None), digits != "")
        .group_by(digits)
    )


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + ASKED] for start in range(0, len(values), ASKED))


async def number_pages(
    connection: AsyncConnection, site: str, ranks: Mapping[str, int]
) -> AsyncIterator[dict[str, str]]:
    """The whole number index, a page at a time; a number's owners are never on two pages."""
    left: list[Any] = []
    result = await connection.stream(owners_of(site))
    async for part in result.partitions(PAGE):
        rows = [*left, *part]
        last = rows[-1][0]
        left = [row for row in rows if row[0] == last]
        yield _entries_of(rows[: len(rows) - len(left)], ranks)
    yield _entries_of(left, ranks)


def _entries_of(rows: Sequence[Any], ranks: Mapping[str, int]) -> dict[str, str]:
    return {
        key: index_entry(((row[1], row[2] or "", row[3] or "") for row in group), ranks)
        for key, group in itertools.groupby(rows, _first)
    }


async def account_pages(
    connection: AsyncConnection, site: str, account_key: Keyed
) -> AsyncIterator[dict[str, str]]:
    result = await connection.stream(accounts_of(site))
    async for part in result.partitions(PAGE):
        yield {account_key(digits): customer_id for digits, customer_id, count in part if count == 1}


async def file_pages(connection: AsyncConnection, site: str) -> AsyncIterator[dict[str, str]]:
    bonds = await bonds_of(connection, site)
    wanted = ("customer_id", "account_no", "name", "locale", "area", "managers", "tier", "is_care")
    query = select(*(customers.c[name] for name in wanted)).where(customers.c.site == site)
    result = await connection.stream(query)
    async for part in result.partitions(PAGE):
        yield {row.customer_id: _text_of(row, bonds.get(row.customer_id, NO_BONDS)) for row in part}


def _text_of(row: Any, bonds: Bonds) -> str:
    """As `live_text`, without making a whole customer: this is done for each of a million."""
    whole = {
        "name": row.name,
        "tier": row.tier,
        "locale": row.locale,
        "area": row.area,
        "account_no": row.account_no,
        "managers": json.loads(row.managers) if row.managers else None,
        "waits": dict(bonds.waits),
        "never": list(bonds.never),
        "care": "1" if row.is_care else None,
    }
    kept = {name: value for name, value in whole.items() if value}
    return compact(kept)


async def has_gone(connection: AsyncConnection, site: str, before_ms: int) -> bool:
    query = select(index_gone.c.site).where(index_gone.c.site == site, index_gone.c.at_ms < before_ms)
    return (await connection.execute(query.limit(1))).first() is not None


async def forget_gone(connection: AsyncConnection, site: str, before_ms: int) -> int:
    """What the index has long seen, and the loss of its last second would not bring back."""
    old = delete(index_gone).where(index_gone.c.site == site, index_gone.c.at_ms < before_ms)
    return int((await connection.execute(old)).rowcount)


async def live_stamp(redis: Redis, site: str) -> int | None:
    """The revision that the live index shows; None when there is no index."""
    found = await redis.get(stamp_key(site))
    return int(found) if found is not None else None


async def is_whole(redis: Redis, site: str) -> bool:
    numbers, _, files = index_keys(site)
    return int(await redis.exists(numbers, files)) == len((numbers, files))


async def put_delta(redis: Redis, site: str, seen: int, revision: int, delta: Delta) -> bool:
    """The changes and the new stamp in one step; False, and nothing, if the stamp is no longer `seen`."""
    parts = (delta.numbers, delta.accounts, delta.customers)
    return await stamped.put(
        redis,
        stamp_key(site),
        seen,
        lambda pipeline: live_stamp(pipeline, site),
        lambda pipeline: pipeline.set(stamp_key(site), revision),
        dict(zip(index_keys(site), parts, strict=True)),
    )


async def put_page(redis: Redis, key: str, entries: Mapping[str, str]) -> None:
    """Add to a hash that is being made. If its maker dies, it is garbage that goes away by itself."""
    if not entries:
        return
    pipeline = redis.pipeline(transaction=False)
    pairs: dict[Any, Any] = dict(entries)
    pipeline.hset(key, mapping=pairs)
    pipeline.expire(key, ABANDONED_AFTER_S)
    await pipeline.execute()


async def swap(
    redis: Redis, site: str, fresh: Sequence[str], sizes: Sequence[int], seen: int | None, revision: int
) -> bool:
    """Put a newly made index in the place of the old one, with its stamp; False if a newer one came meanwhile.

    One that was newer all along is from before SQL was set back, and goes.
    """
    async with redis.pipeline(transaction=True) as pipeline:
        try:
            await pipeline.watch(stamp_key(site), *fresh)
            there = await live_stamp(pipeline, site)
            held = [await pipeline.hlen(key) for key in fresh]
            is_newer = there is not None and there != seen and there > revision
            if held != list(sizes) or is_newer:
                return False
            pipeline.multi()  # type: ignore[no-untyped-call]
            for key, new, size in zip(index_keys(site), fresh, sizes, strict=True):
                pipeline.unlink(key)
                if size:
                    pipeline.persist(new)
                    pipeline.rename(new, key)
            pipeline.set(stamp_key(site), revision)
            await pipeline.execute()
        except WatchError:
            return False
    return True


async def begin_building(redis: Redis, site: str, token: str) -> bool:
    """One at a time makes a whole index: two would only be slower."""
    return bool(await redis.set(f"{{{site}}}:index:builder", token, nx=True, px=BUILDING_FOR_MS))


async def still_building(redis: Redis, site: str) -> None:
    await redis.pexpire(f"{{{site}}}:index:builder", BUILDING_FOR_MS)


async def end_building(redis: Redis, site: str, token: str) -> None:
    key = f"{{{site}}}:index:builder"
    if await redis.get(key) == token:
        await redis.delete(key)


async def clear(redis: Redis, fresh: Sequence[str]) -> None:
    """What was made and is not needed."""
    await redis.unlink(*fresh)
