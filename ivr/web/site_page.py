"""The page of the site: the running menu as a picture, who is in it, what is open today, and every version.

Supervisors take the folder's words or go back to older ones here; both are shown in words before they are done,
journalled and audited. Counts come by the page's one stream; everything else is read when the page is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config import site_files
from config.runtime import Runtime
from config.site_files import SiteFiles, SiteFilesError
from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import read_form
from config.web.streams import Event, sse
from config.web.templates import page
from ivr.domain.differences import differences
from ivr.domain.fault_words import fault_in, told_in
from ivr.domain.picture import picture
from ivr.domain.tree import tree_lines
from ivr.service import versions
from ivr.service.hotlines import active_hotline, read_hotline
from ivr.service.versions import NoSuchVersion
from ivr.web.site_view import View, counts_of, hours_view, live_view, outline_for, versions_view
from queues.domain.faults import SiteFaults
from queues.service import audits
from queues.service.passages import Passages
from queues.service.plans import words_of as words_of_version
from queues.service.versions import Activation, activations
from queues.web.floor import floor_of, words_of
from queues.web.words import Words

LOOK_S: Final = 1.0
VERSIONS_SHOWN: Final = 12
ROLES: Final = ("supervisor", "admin")


def routes() -> list[BaseRoute]:
    return [
        Route("/site", show_site, methods=["GET"], name="site"),
        Route("/site/events", stream_counts, methods=["GET"]),
        Route("/site/picture.svg", show_picture, methods=["GET"]),
        Route("/site/reload", take_folder, methods=["POST"]),
        Route("/site/versions/{version}", take_version, methods=["POST"]),
    ]


@dataclass(frozen=True)
class Folder:
    """The folder beside the words in force: its faults, or what taking it would change."""

    files: SiteFiles | None = None
    faults: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@require(*ROLES)
async def show_site(request: Request) -> Response:
    return await _site(request)


async def _site(request: Request, status_code: int = 200, refused: str = "") -> Response:
    floor, words = floor_of(request), words_of(request)
    runtime = floor.runtime
    hotline, outline = active_hotline(runtime), outline_for(active_hotline(runtime), words.locale)
    now, today = await _counted(request)
    told = await activations(runtime, VERSIONS_SHOWN + 1)
    return page(
        request,
        "site.html",
        status_code=status_code,
        refused=refused,
        live=live_view(hotline, now, today, words),
        picture=Markup(picture(outline, counts_of(hotline, now, today))),  # noqa: S704  every text in it is escaped
        tree="\n".join(tree_lines(outline)),
        hours=hours_view(hotline.plan, runtime.clock.now_ms(), words),
        folder=await _folder(runtime, words.locale),
        versions=await _versions(runtime, told, words),
        version=hotline.plan.version,
    )


@require(*ROLES)
async def show_picture(request: Request) -> Response:
    """The picture alone, to print or to send."""
    hotline = active_hotline(floor_of(request).runtime)
    svg = picture(outline_for(hotline, words_of(request).locale))
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@require(*ROLES)
async def take_folder(request: Request) -> Response:
    """The folder as the reader saw it; one that changed meanwhile is shown first."""
    runtime, words = floor_of(request).runtime, words_of(request)
    folder = await _folder(runtime, words.locale)
    if folder.files is None:
        return await _site(request, 422, words.t("site.has_faults"))
    if folder.files.version != (await read_form(request)).get("version", ""):
        return await _site(request, 409, words.t("site.changed_since"))
    try:
        await versions.put_in_force(runtime, folder.files, _account(request).account_id)
    except SiteFilesError:
        return await _site(request, 409, words.t("site.changed_since"))
    await _note(request, "site.reloaded", folder.files.version)
    return RedirectResponse("/site", 303)


@require(*ROLES)
async def take_version(request: Request) -> Response:
    """Back to words that were in force before."""
    runtime, words = floor_of(request).runtime, words_of(request)
    version = str(request.path_params["version"])
    try:
        await versions.back_to(runtime, version, _account(request).account_id)
    except NoSuchVersion:
        return await _site(request, 404, words.t("site.no_such_version"))
    except (SiteFilesError, SiteFaults):
        return await _site(request, 422, words.t("site.unreadable_version"))
    await _note(request, "site.restored", version)
    return RedirectResponse("/site", 303)


@require(*ROLES)
async def stream_counts(request: Request) -> Response:
    return sse(counts(request))


async def counts(request: Request) -> AsyncGenerator[Event]:
    """The first at once, then each that differs; the day's counts trail the journal, so one look comes after it."""
    floor, words = floor_of(request), words_of(request)
    async with floor.tail.subscribe() as lines:
        shown: View = {}
        is_settled = False
        while True:
            now, today = await _counted(request)
            view = live_view(active_hotline(floor.runtime), now, today, words)
            if view != shown:
                shown = view
                yield Event(json.dumps(view, ensure_ascii=False, separators=(",", ":")))
            if is_settled:
                try:
                    await anext(lines)
                except StopAsyncIteration:
                    return
            await asyncio.sleep(LOOK_S if not is_settled else LOOK_S / 2)
            is_settled = not lines.waiting() and not is_settled


async def _counted(request: Request) -> tuple[dict[str, dict[str, int]], Passages]:
    floor, passages = floor_of(request), _passages(request)

    async def ask() -> dict[str, dict[str, int]]:
        await passages.catch_up(floor.runtime, floor.plan)
        return await floor.switchboard.in_menu()

    return await floor.remembered.get("menu", LOOK_S / 2, ask), passages


def _passages(request: Request) -> Passages:
    """One count of the day for the whole process."""
    if not hasattr(request.app.state, "passages"):
        request.app.state.passages = Passages()
    found: Passages = request.app.state.passages
    return found


async def _folder(runtime: Runtime, locale: str) -> Folder:
    try:
        files = await asyncio.to_thread(site_files.read, versions.folder_of(runtime))
        if files.version == runtime.site_files.version:
            return Folder(files)
        hotline = await asyncio.to_thread(read_hotline, files, runtime.settings.duty_number)
    except SiteFilesError as fault:
        return Folder(faults=tuple(f"{where}: {fault_in(why, locale)}" for where, why in fault.faults))
    except SiteFaults as fault:
        return Folder(faults=tuple(told_in(fault.faults, locale)))
    said = differences(outline_for(active_hotline(runtime), locale), outline_for(hotline, locale))
    return Folder(files, changes=tuple(said))


async def _versions(runtime: Runtime, told: Sequence[Activation], words: Words) -> list[View]:
    changes: dict[str, list[str]] = {}
    for later, earlier in pairwise(told):
        said = await _changes(runtime, earlier.version, later.version, words.locale)
        if said is not None:
            changes[later.entry_id] = said
    names = await names_of_accounts(runtime.database, [each.by for each in told])
    return versions_view(told, runtime.site_files.version, changes, names, words)[:VERSIONS_SHOWN]


async def _changes(runtime: Runtime, before: str, after: str, locale: str) -> list[str] | None:
    """What changed from one version to the other; None where one of them cannot be read any more."""
    sides = [await words_of_version(runtime, version) for version in (before, after)]
    if sides[0] is None or sides[1] is None:
        return None
    try:
        was, now = (outline_for(read_hotline(each), locale) for each in sides if each is not None)
    except SiteFaults:
        return None
    return differences(was, now)


async def _note(request: Request, action: str, version: str) -> None:
    account = _account(request)
    await audits.done(
        floor_of(request).runtime, account_id=account.account_id, action=action, subject=f"site:{version}"
    )


def _account(request: Request) -> Account:
    account: Account = request.state.account
    return account
