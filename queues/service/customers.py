"""Customers: import into SQL, and the live index made from it."""

import secrets
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from config import numbers
from config.runtime import Runtime
from queues.domain.customers import Customer
from queues.store import customers as store

BATCH: Final = 500

__all__ = [
    "Customer",
    "find_customer",
    "forget_number",
    "import_customers",
    "mend_index",
    "number_of",
    "rebuild_index",
]


async def import_customers(runtime: Runtime, files: Iterable[Customer]) -> int:
    """Write these files to SQL and then to the live index; what is there already is replaced."""
    site, redis = runtime.settings.site, runtime.redis
    remaining, count = iter(files), 0
    while batch := tuple(islice(remaining, BATCH)):
        keys = keys_of(runtime, batch)
        async with runtime.database.transaction() as connection:
            gone = await store.save(connection, site, batch, keys)
        index = {keys[number]: file.customer_id for file in batch for number in file.numbers}
        await store.put_live(redis, store.index_keys(site), index, batch, gone)
        count += len(batch)
    return count


def keys_of(runtime: Runtime, files: Sequence[Customer]) -> dict[str, str]:
    secret = runtime.settings.secret_key
    return {number: numbers.number_key(secret, number) for file in files for number in file.numbers}


async def rebuild_index(runtime: Runtime) -> int:
    """Make the live index anew from SQL, and put it in place in one step; returns the numbers in it."""
    site, redis = runtime.settings.site, runtime.redis
    mark = secrets.token_hex(4)
    numbers_key, files_key = store.index_keys(site)
    fresh = (f"{numbers_key}:{mark}", f"{files_key}:{mark}")
    count = 0
    after_key = after_id = ""
    async with runtime.database.read() as connection:
        while pairs := await store.numbers_after(connection, site, after_key, BATCH):
            await store.put_live(redis, fresh, dict(pairs), ())
            after_key, count = pairs[-1][0], count + len(pairs)
        while files := await store.page(connection, site, after_id, BATCH):
            await store.put_live(redis, fresh, {}, files)
            after_id = files[-1].customer_id
    await store.swap_live(redis, site, fresh)
    return count


async def mend_index(runtime: Runtime) -> int:
    """Make the index anew if the live store has lost it; returns the numbers put back."""
    numbers_key, _ = store.index_keys(runtime.settings.site)
    return 0 if await runtime.redis.exists(numbers_key) else await rebuild_index(runtime)


async def find_customer(runtime: Runtime, customer_id: str) -> Customer | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, customer_id)


async def number_of(runtime: Runtime, caller_ref: str) -> str | None:
    """The number behind a `caller_ref`, if it is kept."""
    async with runtime.database.read() as connection:
        return await store.number_of(connection, caller_ref)


async def forget_number(runtime: Runtime, caller_ref: str) -> bool:
    """From now on nobody can tell who this caller was."""
    async with runtime.database.transaction() as connection:
        return await store.forget_number(connection, caller_ref)
