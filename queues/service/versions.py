"""Which version of the site's words is in force, since when, and by whose word.

It stands in the live store, where one script changes it and writes the journal's line. SQL keeps the lines,
so that a live store that comes back empty, or without its last second, gets the last version again.
"""

from typing import Final

from redis.asyncio import Redis

from config.database import Database
from config.runtime import Runtime
from queues.service.history import READER
from queues.store import journal, readers, site_versions
from queues.store.site_versions import Activation

__all__ = ["Activation"]

LINES_MAX: Final = 1000
ALL: Final = 100_000


async def version_in_force(redis: Redis, site: str) -> str:
    """The version that the live store names; nothing in a store that is new."""
    return await site_versions.read_live(redis, site)


async def last_activated(database: Database, site: str) -> Activation | None:
    """As SQL knows it."""
    async with database.read() as connection:
        found = await site_versions.activations(connection, site, most=1)
    return found[0] if found else None


async def activations(runtime: Runtime, most: int = 50) -> list[Activation]:
    """What was put in force, the newest first; what the scribe has not written down yet included."""
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        written = await site_versions.activations(connection, site, most=most)
        position = await readers.find(connection, READER)
    unwritten: list[Activation] = []
    last_id = position.last_id if position else readers.FROM_THE_START
    while entries := await journal.read_after(runtime.redis, site, last_id, LINES_MAX):
        unwritten += [
            each for entry in entries if entry.line and (each := site_versions.activation_in(entry.line))
        ]
        last_id = entries[-1].id
    return (unwritten[::-1] + written)[:most]


async def lost_version(runtime: Runtime) -> str:
    """The version that ought to be in force, when the live store lost it; else nothing.

    The line is written with the version in one step, so a store that names another than the newest line has
    lost its last second, or everything.
    """
    # The store first: what comes into force meanwhile is asked for a second time, and that is all.
    live = await version_in_force(runtime.redis, runtime.settings.site)
    told = await activations(runtime, most=1)
    return told[0].version if told and told[0].version != live else ""


async def was_in_force(runtime: Runtime, version: str) -> bool:
    """Whether this version ever came into force here."""
    if version == await version_in_force(runtime.redis, runtime.settings.site):
        return True
    return any(each.version == version for each in await activations(runtime, most=ALL))
