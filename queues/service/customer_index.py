"""Keeps the live index of customers up to what SQL says: after a change at once, after a death by a chore."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError

from config import numbers
from config.log import get_log
from config.runtime import Runtime
from queues.service.plans import plan_of
from queues.store import customer_index as store

log = get_log(__name__)

CHANGES_AT_ONCE: Final = 2_000  # more than these files are not put in one step: the whole index is made anew
TRIES: Final = 20
WAIT_FOR_OTHERS_S: Final = 0.5
WAITS_MAX: Final = 600
GONE_KEPT_FOR_MS: Final = 3_600_000
LATE: Final = (RedisError, OperationalError, InterfaceError, OSError)


async def show_live(runtime: Runtime, *, waits: bool = False) -> None:
    """What was just committed, in the live index. It is committed whatever happens here: the chore does the rest."""
    try:
        await catch_up(runtime, waits=waits)
    except LATE as fault:
        log.warning("index.late", fault=type(fault).__name__)


async def catch_up(runtime: Runtime, *, waits: bool = False) -> int:
    """Bring the live index up to SQL; returns the entries written, 0 when it was up to date.

    While another process makes the whole index anew there is nothing to do here; with `waits` this returns only
    when the index shows what SQL said at the call.
    """
    site, redis, database = runtime.settings.site, runtime.redis, runtime.database
    written = waited = 0
    for _ in range(TRIES):
        seen = await store.live_stamp(redis, site)
        is_whole = await store.is_whole(redis, site)
        async with database.read() as connection:
            revision = await store.revision_of(connection, site)
            if seen == revision and (is_whole or not await store.has_numbers(connection, site)):
                return written
            delta = None
            if seen is not None and seen < revision and is_whole:
                delta = await store.read_delta(
                    connection, site, seen, CHANGES_AT_ONCE, tier_ranks(runtime), account_key_of(runtime)
                )
        if delta is not None and seen is not None:
            if await store.put_delta(redis, site, seen, revision, delta):
                written += len(delta)
            continue
        while (made := await _make_unless_others_do(runtime)) is None:
            waited += 1
            if not waits or waited > WAITS_MAX:
                return written
            await asyncio.sleep(WAIT_FOR_OTHERS_S)
        written += made
    return written


async def rebuild_index(runtime: Runtime) -> int:
    """Make the live index anew from SQL, and put it in place in one step; returns the numbers in it."""
    site, redis = runtime.settings.site, runtime.redis
    mark = secrets.token_hex(4)
    fresh = tuple(f"{key}:{mark}" for key in store.index_keys(site))
    seen = await store.live_stamp(redis, site)
    sizes = [0] * len(fresh)
    try:
        async with runtime.database.read() as connection:
            revision = await store.revision_of(connection, site)
            pages = (
                store.number_pages(connection, site, tier_ranks(runtime)),
                store.account_pages(connection, site, account_key_of(runtime)),
                store.file_pages(connection, site),
            )
            for index, each in enumerate(pages):
                async for page in each:
                    await store.put_page(redis, fresh[index], page)
                    await store.still_building(redis, site)
                    sizes[index] += len(page)
        await store.swap(redis, site, fresh, sizes, seen, revision)
    finally:
        await store.clear(redis, fresh)
    return sizes[0]


async def mend_index(runtime: Runtime) -> int:
    """The chore: whatever died between SQL and the live index is finished here; returns the entries put."""
    site = runtime.settings.site
    written = await catch_up(runtime)
    before_ms = runtime.clock.now_ms() - GONE_KEPT_FOR_MS
    async with runtime.database.read() as connection:
        has_old = await store.has_gone(connection, site, before_ms)
    if has_old:
        async with runtime.database.transaction() as connection:
            await store.forget_gone(connection, site, before_ms)
    return written


def tier_ranks(runtime: Runtime) -> Mapping[str, int]:
    return {tier.id: tier.rank for tier in plan_of(runtime).tiers.values()}


def account_key_of(runtime: Runtime) -> store.Keyed:
    secret, site = runtime.settings.secret_key, runtime.settings.site
    return lambda digits: numbers.account_key(secret, site, digits)


async def _make_unless_others_do(runtime: Runtime) -> int | None:
    """The whole index made anew; None when somebody else is at it."""
    redis, site, token = runtime.redis, runtime.settings.site, secrets.token_hex(4)
    if not await store.begin_building(redis, site, token):
        return None
    try:
        return await rebuild_index(runtime)
    finally:
        await store.end_building(redis, site, token)
