"""A hotline by its version: what a call hears and presses from beginning to end, whatever is in force meanwhile.

A call keeps the version it began with. That version is in memory as a rule; a process that has not met it
reads it from SQL, once. When not even that is possible the call goes on with the version in force: its place
may be missing there, and then it begins anew, but it is never dropped. Nobody else is kept waiting meanwhile: a
version is read beside the event loop, and one that could not be had is not asked for again at every webhook.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from config.log import get_log
from config.runtime import Runtime
from config.site_files import SiteFiles
from ivr.domain.documents import Documents
from ivr.domain.menus import load_menu
from ivr.domain.nodes import Menu, NoticesNode
from queues.domain.faults import SiteFaults
from queues.domain.parts import in_locale
from queues.domain.plan import Plan
from queues.service.plans import Version, plan_in, words_of

log = get_log(__name__)
SQL_WITHIN_S: Final = 2.0  # of the seconds that the provider waits for an answer
ABSENT_FOR_S: Final = 30.0  # real


@dataclass(frozen=True, slots=True)
class Hotline:
    """One version of one hotline."""

    plan: Plan
    menu: Menu
    documents: Documents


def active_hotline(runtime: Runtime) -> Hotline:
    """The one in force."""
    return read_hotline(runtime.site_files, runtime.settings.duty_number)


async def hotline_of(runtime: Runtime, version: str) -> Hotline:
    """The version a call began with; the one in force when that cannot be had, or when there is none."""
    if not version or version == runtime.site_files.version:
        return active_hotline(runtime)
    now_s = asyncio.get_running_loop().time()
    if not runtime.shelf.is_absent(version, now_s=now_s):
        found = await _hotline_read(runtime, version)
        if found is not None:
            return found
        runtime.shelf.note_absent(version, now_s=now_s, until_s=now_s + ABSENT_FOR_S)
    return active_hotline(runtime)


async def _hotline_read(runtime: Runtime, version: str) -> Hotline | None:
    try:
        async with asyncio.timeout(SQL_WITHIN_S):
            files = await words_of(runtime, version)
            if files is not None:
                return await asyncio.to_thread(read_hotline, files, runtime.settings.duty_number)
        log.warning("site.version_unknown", version=version)
    except (SiteFaults, SQLAlchemyError, OSError) as fault:
        log.warning("site.version_unreadable", version=version, fault=type(fault).__name__)
    return None


def read_hotline(files: SiteFiles, duty_number: str | None = None) -> Hotline:
    """These words as a hotline, read once; `SiteFaults` when they have faults."""
    return _read(Version(files), duty_number)


def notice_sentences(runtime: Runtime) -> dict[str, tuple[str, ...]]:
    """What the menu in force speaks around a notice, by language; nothing when it reads none out."""
    menu = active_hotline(runtime).menu
    found: dict[str, tuple[str, ...]] = {}
    for node in menu.nodes.values():
        if isinstance(node, NoticesNode):
            for language, text in node.prompt.items():
                org = in_locale(menu.org, language)
                found[language] = (*found.get(language, ()), text.replace("{org}", org))
    return found


@lru_cache(maxsize=32)
def _read(words: Version, duty_number: str | None) -> Hotline:
    plan = plan_in(words.files)
    menu = load_menu(words.files, plan)
    return Hotline(plan, menu, Documents(plan, menu, duty_number))
