"""Everything an installation's process holds open, opened and closed in one place."""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from config import redis as live
from config import site_files
from config.clock import Clock
from config.database import Database, database_url
from config.jobs import JobQueue
from config.links import Links
from config.settings import Settings
from config.site_files import Shelf, SiteFiles
from config.tally import Tally
from config.telephony import Telephony, TwilioTelephony


@dataclass
class Runtime:
    settings: Settings
    clock: Clock
    redis: Redis
    database: Database
    telephony: Telephony
    jobs: JobQueue
    links: Links
    site_files: SiteFiles  # the version in force; `activate` puts another in its place
    shelf: Shelf = field(default_factory=Shelf)
    kept: dict[str, Any] = field(
        default_factory=dict
    )  # what a room above keeps for this process, by its own name

    @property
    def tally(self) -> Tally:
        """What this process counts; the database, which counts as well, keeps it."""
        return self.database.tally

    def activate(self, files: SiteFiles) -> None:
        """From here on these words are in force in this process; the ones before stay at hand."""
        self.shelf.put(self.site_files)
        self.shelf.put(files)
        self.site_files = files


def settle() -> None:
    """For a process that stays, once it is open: what is there now stays to its end.

    Otherwise the collector of garbage looks through all the libraries again and again, some tens of milliseconds each
    time, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


FirstWords = Callable[[Settings, Redis, Database], Awaitable[SiteFiles]]


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    *,
    telephony: Telephony | None = None,
    store_within_s: float = live.WAIT_FOR_STORE_S,
    first_words: FirstWords | None = None,
) -> AsyncIterator[Runtime]:
    """Open in order, close in reverse.

    The site's words are the folder's, and are read first: with a fault in them nothing is opened. Whoever
    knows of versions in force gives `first_words`, which says what a process begins with. Then the live store
    is waited for. With ``store_within_s`` 0 it is not: the front door opens without it, to say what it can.
    """
    words = None if first_words else site_files.read(settings.sites_dir / settings.site)
    if store_within_s > 0:
        await live.wait_for_store(settings, store_within_s)
    async with AsyncExitStack() as closing:
        redis = live.connect(settings)
        closing.push_async_callback(redis.aclose)
        database = Database(database_url(settings))
        closing.push_async_callback(database.close)
        provider = telephony or TwilioTelephony(settings)
        closing.push_async_callback(provider.close)
        jobs = JobQueue(settings.site, live.connect_queue(settings))
        closing.callback(jobs.close)
        if words is None:
            assert first_words is not None  # noqa: S101  else the folder was read
            words = await first_words(settings, redis, database)
        yield Runtime(
            settings=settings,
            clock=settings.clock,
            redis=redis,
            database=database,
            telephony=provider,
            jobs=jobs,
            links=Links(settings.public_base_url),
            site_files=words,
        )
