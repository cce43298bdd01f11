"""The site's words by version: the plan in force, and every version that ever was, for the calls that keep it."""

import asyncio
import json
from dataclasses import dataclass
from functools import lru_cache

from config.database import Database
from config.runtime import Runtime
from config.site_files import AUDIO, SiteFiles, SiteFilesError, of_content, read_audio
from queues.domain.plan import Plan, load_plan
from queues.store import site_versions


def plan_of(runtime: Runtime) -> Plan:
    """The plan in force."""
    return plan_in(runtime.site_files)


def plan_in(files: SiteFiles) -> Plan:
    """The plan of these words, read once; `SiteFaults` when they have faults."""
    return _read(Version(files))


async def keep_version(runtime: Runtime, files: SiteFiles | None = None) -> int:
    """Keep these words (those in force), so that a call's `site_version` stays readable; 0 when they are kept.

    Raises SiteFilesError when a recorded prompt of theirs is nowhere: no caller could hear this version as it is.
    """
    words = files or runtime.site_files
    async with runtime.database.read() as connection:
        if await site_versions.content_of(connection, words.version) is not None:
            return 0
        kept = await site_versions.kept_sounds(connection, words.audio.values())
    sounds = await asyncio.to_thread(_sounds, runtime, words)
    if lost := [name for name, digest in words.audio.items() if digest not in kept | sounds.keys()]:
        faults = [
            (f"{AUDIO}{name}", "it has changed, or is gone, since the words were read") for name in lost
        ]
        raise SiteFilesError(*faults[0], *faults[1:])
    async with runtime.database.transaction() as connection:
        await site_versions.insert_sounds(connection, sounds)
        is_new = await site_versions.insert_new(
            connection,
            version=words.version,
            site=words.name,
            created_ms=runtime.clock.now_ms(),
            content=json.dumps(words.everything, ensure_ascii=False, sort_keys=True),
        )
    return int(is_new)


async def words_of(runtime: Runtime, version: str) -> SiteFiles | None:
    """The words of a version: those in force, those at hand, else those that SQL has kept."""
    if version == runtime.site_files.version:
        return runtime.site_files
    files = runtime.shelf.get(version)
    if files is None:
        files = await kept_words(runtime.database, runtime.settings.site, version)
        if files is not None:
            runtime.shelf.put(files)
    return files


async def kept_words(database: Database, site: str, version: str) -> SiteFiles | None:
    """The words of a version from SQL; None when they are not there, or of another time that wrote otherwise.

    The same words have the same version wherever they were read first: they are this site's by its own name.
    """
    async with database.read() as connection:
        content = await site_versions.content_of(connection, version)
    if content is None:
        return None
    try:
        return await asyncio.to_thread(of_content, site, json.loads(content))
    except (SiteFilesError, ValueError):
        return None


async def sound(runtime: Runtime, digest: str) -> bytes | None:
    """The bytes of a recorded prompt of any version."""
    words = runtime.site_files
    for name, known in words.audio.items():
        if known == digest:
            found = read_audio(runtime.settings.sites_dir / runtime.settings.site, name, digest)
            if found is not None:
                return found
    async with runtime.database.read() as connection:
        return await site_versions.sound(connection, digest)


def _sounds(runtime: Runtime, words: SiteFiles) -> dict[str, bytes]:
    folder = runtime.settings.sites_dir / runtime.settings.site
    found = {digest: read_audio(folder, name, digest) for name, digest in words.audio.items()}
    return {digest: data for digest, data in found.items() if data is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A site's words, compared by their version."""

    files: SiteFiles

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    @property
    def _name(self) -> tuple[str, str]:
        return self.files.name, self.files.version


@lru_cache(maxsize=32)
def _read(words: Version) -> Plan:
    return load_plan(words.files)
