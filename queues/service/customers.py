"""Customers: files found, changed with date and origin, and forgotten; SQL first, then the live index.

Who dies between the two leaves a revision that the live index has not seen; `mend_index` finds it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from config import numbers
from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from queues.domain.customers import Contact, Customer
from queues.service.customer_index import catch_up, mend_index, rebuild_index
from queues.store import customers as store

log = get_log(__name__)
BATCH: Final = 500

__all__ = [
    "Contact",
    "Customer",
    "find_customer",
    "forget_number",
    "import_customers",
    "mend_index",
    "number_of",
    "rebuild_index",
    "show_live",
]


async def import_customers(runtime: Runtime, files: Iterable[Customer]) -> int:
    """Write these files as they are, tier and all, to SQL and then to the live index; those there are replaced."""
    remaining, count = iter(files), 0
    while batch := tuple(islice(remaining, BATCH)):
        keys = keys_of(runtime, batch)
        async with runtime.database.transaction() as connection:
            await store.save(connection, runtime.settings.site, batch, keys, runtime.clock.now_ms())
        await catch_up(runtime, waits=True)
        count += len(batch)
    return count


def keys_of(runtime: Runtime, files: Sequence[Customer]) -> dict[str, str]:
    secret = runtime.settings.secret_key
    return {
        number: numbers.number_key(secret, number) for file in files for number in file.everybodys_numbers
    }


async def show_live(runtime: Runtime) -> None:
    """What was just committed, in the live index; without the live store the chore does it later."""
    try:
        await catch_up(runtime)
    except STORE_ERRORS as fault:
        log.warning("index.late", fault=type(fault).__name__)


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
