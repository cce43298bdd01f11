"""From the folder's words to the words in force: in every process, without a restart.

Words come into force by one command of the switchboard, after they were found sound and SQL has kept them;
every process follows what the live store names. So a process may die at any step: before the command nothing
has changed, after it everybody follows. The folder decides only at a release, and only by words that were
never in force: who went back to an older version is not overruled by a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from config import site_files
from config.database import Database
from config.log import get_log
from config.redis import STORE_ERRORS, is_cancelled
from config.runtime import Runtime
from config.settings import Settings
from config.site_files import SiteFiles, SiteFilesError
from ivr.service.hotlines import read_hotline
from queues.clockwork import Chore
from queues.domain.faults import SiteFaults
from queues.service.plans import keep_version, kept_words, words_of
from queues.service.switchboard import Switchboard
from queues.service.versions import last_activated, lost_version, version_in_force, was_in_force

log = get_log(__name__)

FOLLOW_EVERY_S: Final = 0.5
SQL_WITHIN_S: Final = 3.0
SYSTEM: Final = "system"
AWAY: Final[tuple[type[Exception], ...]] = (*STORE_ERRORS, SQLAlchemyError, TimeoutError)


class NotFollowed(Exception):  # noqa: N818  told to the log, once
    """The version in force cannot be read here: SQL has not got it, or another release of the software wrote it."""

    def __init__(self, version: str) -> None:
        self.version = version
        super().__init__(version)


class NoSuchVersion(Exception):  # noqa: N818  an answer, told to whoever asked for it
    """SQL has no version of that name."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload or a step back did: the words in force before, and those now."""

    before: SiteFiles
    now: SiteFiles

    @property
    def is_new(self) -> bool:
        return self.before.version != self.now.version


async def first_words(settings: Settings, redis: Redis, database: Database) -> SiteFiles:
    """What a process begins with: the version in force; without the live store the last one that was; else the folder.

    A folder that somebody is in the middle of editing keeps no process from starting.
    """
    folder = settings.sites_dir / settings.site
    words = await _in_force(settings, redis, database)
    try:
        found = await asyncio.to_thread(site_files.read, folder)
    except SiteFilesError as fault:
        if words is None:
            raise
        log.warning("site.folder_has_faults", fault=str(fault))
        return words
    return found if words is None or words.version == found.version else words


async def _in_force(settings: Settings, redis: Redis, database: Database) -> SiteFiles | None:
    version = ""
    with contextlib.suppress(*STORE_ERRORS):
        version = await version_in_force(redis, settings.site)
    try:
        async with asyncio.timeout(SQL_WITHIN_S):
            if not version:
                told = await last_activated(database, settings.site)
                version = told.version if told else ""
            words = await kept_words(database, settings.site, version) if version else None
        if words is not None:
            await asyncio.to_thread(read_hotline, words)
    except AWAY as fault:
        log.warning("site.versions_away", fault=type(fault).__name__)
        return None
    except SiteFaults:  # kept by another release of this software, which wrote sites otherwise
        log.warning("site.version_unreadable", version=version)
        return None
    return words


async def follow(runtime: Runtime) -> None:
    """A task of every process: within a second it has the words that the live store names. Until cancelled."""
    follower = Follower(runtime)
    while not is_cancelled():
        await follower.look()
        await asyncio.sleep(FOLLOW_EVERY_S)


class Follower:
    """Keeps a process at the version in force, and says once what it could not follow."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stumbled_over = ""

    async def look(self) -> None:
        try:
            await catch_up(self._runtime)
            self._stumbled_over = ""
        except NotFollowed as fault:
            self._tell("site.not_followed", fault.version)
        except AWAY as fault:
            self._tell("site.versions_away", type(fault).__name__)
        except SiteFilesError as fault:
            self._tell("site.not_kept", str(fault))
        except Exception:
            log.exception("site.not_followed")

    def _tell(self, event: str, what: str) -> None:
        if what != self._stumbled_over:
            log.error(event, about=what)
        self._stumbled_over = what


async def catch_up(runtime: Runtime) -> bool:
    """Take up the version in force, if this process has another; True when it did."""
    version = await version_in_force(runtime.redis, runtime.settings.site)
    if not version:
        await restore(runtime)
        return False
    if version == runtime.site_files.version:
        return False
    files = await words_of(runtime, version)
    if files is None:
        raise NotFollowed(version)
    try:
        await asyncio.to_thread(read_hotline, files, runtime.settings.duty_number)
    except SiteFaults:
        raise NotFollowed(version) from None
    runtime.activate(files)
    log.info("site.followed", version=version)
    return True


async def restore(runtime: Runtime) -> int:
    """A live store that lost the version gets the last one again; one that never had any gets ours."""
    version = await lost_version(runtime)
    if not version:
        if await version_in_force(runtime.redis, runtime.settings.site):
            return 0
        await asyncio.to_thread(read_hotline, runtime.site_files, runtime.settings.duty_number)
        await keep_version(runtime)
        version = runtime.site_files.version
    log.warning("site.restored", version=version)
    await Switchboard(runtime).activate_version(version=version, by=SYSTEM)
    return 1


async def reload(runtime: Runtime, by: str) -> Change:
    """The folder's words come into force; SiteFilesError or SiteFaults when they are not sound, and nothing changes."""
    files = await asyncio.to_thread(site_files.read, folder_of(runtime))
    return await put_in_force(runtime, files, by)


async def back_to(runtime: Runtime, version: str, by: str) -> Change:
    """A version that was kept comes into force again."""
    files = await words_of(runtime, version)
    if files is None:
        raise NoSuchVersion
    return await put_in_force(runtime, files, by)


async def put_in_force(runtime: Runtime, files: SiteFiles, by: str) -> Change:
    await asyncio.to_thread(read_hotline, files, runtime.settings.duty_number)
    with contextlib.suppress(NotFollowed):
        await catch_up(runtime)
    before = runtime.site_files
    await keep_version(runtime, files)
    await Switchboard(runtime).activate_version(version=files.version, by=by)
    runtime.activate(files)
    return Change(before, files)


async def release(runtime: Runtime, by: str = SYSTEM) -> Change | None:
    """At an installation's start: words that are new come into force; else what was in force stays so.

    Raises SiteFilesError or SiteFaults after that, when the folder has faults: what was in force serves.
    """
    await restore(runtime)
    with contextlib.suppress(NotFollowed):
        await catch_up(runtime)
    files = await asyncio.to_thread(site_files.read, folder_of(runtime))
    if await was_in_force(runtime, files.version):
        return None
    return await put_in_force(runtime, files, by)


def own_chores() -> tuple[Chore, ...]:
    """A live store that lost its last second names an older version than the journal's copy."""
    return (Chore("restore_version", 10.0, restore),)


def folder_of(runtime: Runtime) -> Path:
    return runtime.settings.sites_dir / runtime.settings.site
