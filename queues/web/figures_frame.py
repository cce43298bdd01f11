"""What all pages of figures have around them: the period, what it is narrowed to, the other pages, the saved views."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from config.web.accounts import Account, names_of_accounts
from config.web.templates import Templates, page
from queues.service import figures, saved_views
from queues.service.figures import Report, Totals
from queues.service.saved_views import SavedView
from queues.web.figures_asked import (
    NAMES,
    SPANS,
    TEXT_LENGTH_MAX,
    Found,
    address,
    given_in,
    read_asked,
    today_of,
    view_address,
)
from queues.web.floor import Floor, floor_of, words_of
from queues.web.times import full_date
from queues.web.words import Words

View = dict[str, Any]
ROLES: Final = ("supervisor", "qa", "admin")
# The last part of the address of each page, and what its own choices are called there.
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "": (),
    "week": ("measure",),
    "waits": (),
    "agents": ("agent",),
}
CHARTS: Final = "vendor/uPlot.iife.min.js"
SAID: Final = ("saved", "dropped", "no_name", "taken", "too_many", "gone")


def path_of(page_id: str) -> str:
    return f"/figures/{page_id}" if page_id else "/figures"


async def read(request: Request, floor: Floor, words: Words) -> tuple[Found, Report]:
    found = read_asked(given_in(request.query_params), floor, words)
    return found, await figures.read(floor.runtime, floor.plan, found.asked)


async def framed(
    request: Request,
    template: str,
    page_id: str,
    found: Found,
    totals: Totals,
    own: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page of figures; `own` are the choices of this page alone."""
    floor, words = floor_of(request), words_of(request)
    own = own or {}
    said = request.query_params.get("said", "")
    now_ms = floor.runtime.clock.now_ms()
    corrected_ms = totals.corrected_ms
    frame = {
        "error": found.error,
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "period": _period(found, words),
        "action": path_of(page_id),
        "kept": {"span": found.span, **own},
        "chosen": {
            "department": found.department,
            "queue": found.queue,
            "tier": found.asked.tier,
            "line": found.asked.line,
        },
        "choices": _choices(found, words),
        "narrowed": _narrowed(found, words),
        "spans": _spans(page_id, found, floor, words, own),
        "tabs": [
            {
                "word": words.t(f"figures.page.{each or 'all'}"),
                "href": view_address(path_of(each), found),
                "is_current": each == page_id,
            }
            for each in PAGES
        ],
        "count": totals.counts.sums["arrived"],
        "is_open": totals.is_open,
        "is_going_on": found.asked.until_ms > now_ms,
        "unsettled": totals.counts.sums["unsettled"],
        "corrected": full_date(corrected_ms, floor.zone, words.locale) if corrected_ms else "",
        "printed": full_date(now_ms, floor.zone, words.locale),
        "views": await _views(request, floor, words),
        "view": {"page": page_id, "query": query_of(found, own)},
        "view_name_max": saved_views.NAME_LENGTH_MAX,
        "said": words.t(f"figures.view.said.{said}") if said in SAID else "",
        "is_refused": said not in ("saved", "dropped"),
        "shows_empty": False,
        **context,
    }
    return page(request, template, status_code=422 if found.error else 200, **frame)


def has_charts(request: Request) -> bool:
    """Whether the library that draws them has been built."""
    templates: Templates = request.app.state.templates
    return templates.static.lookup_path(CHARTS)[1] is not None


def csv_address(page_id: str, found: Found, **more: str) -> str:
    return address(f"{path_of(page_id)}.csv", found, **more)


def query_of(found: Found, own: Mapping[str, str]) -> str:
    """What a saved view keeps of the address."""
    return urlsplit(view_address("", found, **own)).query


def kept_query(page_id: str, text: str) -> str:
    """The same of what a form brought: nothing but what the page understands. Raises 422 for what no page writes."""
    names = {*NAMES, *PAGES[page_id]}
    if len(text) >= TEXT_LENGTH_MAX * len(names):
        return ""
    try:
        told = parse_qsl(text, max_num_fields=len(NAMES) * 2)
    except ValueError as error:
        raise HTTPException(422) from error
    return urlencode([(name, value[:TEXT_LENGTH_MAX]) for name, value in told if name in names])


async def _views(request: Request, floor: Floor, words: Words) -> list[View]:
    account: Account = request.state.account
    seen = await saved_views.seen_by(floor.runtime, account.account_id)
    names = await names_of_accounts(floor.runtime.database, {each.account_id for each in seen})
    return [_view(each, account, names, words) for each in seen if each.page in PAGES]


def _view(view: SavedView, account: Account, names: Mapping[str, str], words: Words) -> View:
    is_own = view.account_id == account.account_id
    by = "" if is_own else words.t("figures.view.by", name=names.get(view.account_id, "–"))
    return {
        "view_id": view.view_id,
        "name": view.name,
        "href": f"{path_of(view.page)}?{view.query}",
        "is_own": is_own,
        "note": words.t("figures.view.shared") if is_own and view.is_shared else by,
    }


def _choices(found: Found, words: Words) -> dict[str, list[dict[str, str]]]:
    """What the plan has; and what was chosen, which may be gone from it: its calls are there still."""
    plan = words.plan
    choices = {
        "department": [{"id": each, "word": words.department(each)} for each in plan.departments],
        "queue": [{"id": each, "word": words.queue(each)} for each in plan.queues],
        "tier": [{"id": each, "word": words.tier(each)} for each in plan.tiers],
        "line": [{"id": each, "word": words.line(each)} for each in plan.lines],
    }
    chosen = {"queue": found.queue, "tier": found.asked.tier, "line": found.asked.line}
    for name, one in chosen.items():
        if one and one not in (each["id"] for each in choices[name]):
            choices[name].append({"id": one, "word": words.t("figures.unknown", name=one)})
    return choices


def _narrowed(found: Found, words: Words) -> list[str]:
    """What the form says, for the print, which has no form."""
    asked = found.asked
    told = (
        words.department(found.department) if found.department else "",
        words.queue(found.queue) if found.queue else "",
        words.tier(asked.tier) if asked.tier else "",
        words.line(asked.line) if asked.line else "",
    )
    return [each for each in told if each]


def _period(found: Found, words: Words) -> str:
    days = words.t("figures.days", first=found.first.isoformat(), last=found.last.isoformat())
    one = found.first.isoformat()
    return one if found.first == found.last else days


def _spans(page_id: str, found: Found, floor: Floor, words: Words, own: Mapping[str, str]) -> list[View]:
    today = today_of(floor)
    same = [name for name, days in SPANS.items() if days(today) == (found.first, found.last)]
    current = found.span or (same[0] if same else "")
    return [
        {
            "word": words.t(f"figures.span.{name}"),
            "href": view_address(path_of(page_id), replace(found, span=name), **own),
            "is_current": name == current,
        }
        for name in SPANS
    ]
