"""The plan in force, read once for each version of the site's words."""

import json
from functools import lru_cache

from config.runtime import Runtime
from config.site_files import SiteFiles
from queues.domain.plan import Plan, load_plan
from queues.store import site_versions


def plan_of(runtime: Runtime) -> Plan:
    return _read(_Words(runtime.site_files))


async def keep_version(runtime: Runtime) -> int:
    """Keep the words in force, so that a call's `site_version` stays readable; 0 when they are kept already."""
    words = runtime.site_files
    content = json.dumps(dict(words.content), ensure_ascii=False, sort_keys=True)
    async with runtime.database.transaction() as connection:
        is_new = await site_versions.insert_new(
            connection,
            version=words.version,
            site=words.name,
            created_ms=runtime.clock.now_ms(),
            content=content,
        )
    return int(is_new)


class _Words:
    """A site's words, compared by their version."""

    def __init__(self, files: SiteFiles) -> None:
        self.files = files

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Words) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    @property
    def _name(self) -> tuple[str, str]:
        return self.files.name, self.files.version


@lru_cache(maxsize=8)
def _read(words: _Words) -> Plan:
    return load_plan(words.files)
