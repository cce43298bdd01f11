"""The pages of the reports: which there are and which are missing, and one of them to read, to print and as CSV."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import read_form
from config.web.sheets import csv_answer
from config.web.templates import page
from queues.domain.reports import Kind
from queues.service import reports, urgent_reports
from queues.service.reports import PAGE, EntryKind, Found
from queues.web import reports_view
from queues.web.floor import Floor, floor_of, words_of
from queues.web.reports_view import Shown, View
from queues.web.times import full_date, when
from queues.web.words import Words

ROLES: Final = ("supervisor", "qa", "admin")
LEADERS: Final = ("supervisor", "admin")


def routes() -> list[BaseRoute]:
    return [
        Route("/reports", show_reports, methods=["GET"], name="reports"),
        Route("/reports/urgent", begin_report, methods=["POST"]),
        Route("/reports/{report_id}.csv", export_report, methods=["GET"]),
        Route("/reports/{report_id}", show_report, methods=["GET"], name="report"),
        Route("/reports/{report_id}/note", note_report, methods=["POST"]),
        Route("/reports/{report_id}/update", update_report, methods=["POST"]),
    ]


@require(*ROLES)
async def show_reports(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    kind = request.query_params.get("kind", "")
    kinds = (Kind(kind),) if kind in set(Kind) else tuple(Kind)
    now_ms = floor.runtime.clock.now_ms()
    found = await reports.listed(floor.runtime, kinds, _before(request.query_params.get("before", "")))
    last = found[-1].row if len(found) == PAGE else None
    return page(
        request,
        "reports.html",
        kinds=_kinds(kind, words),
        missing=await _missing(floor, words),
        awaited=await _awaited(floor, words),
        leads=request.state.account.role in LEADERS,
        rows=[reports_view.head(each.row, each.entries, now_ms, words) for each in found],
        older=f"/reports?kind={kind}&before={last.until_ms}:{last.report_id}" if last else "",
    )


def _before(text: str) -> tuple[int, str] | None:
    until_ms, _, report_id = text.partition(":")
    return (
        (int(until_ms), report_id)
        if until_ms.isascii() and until_ms.isdecimal() and len(until_ms) < 16
        else None
    )


def _kinds(chosen: str, words: Words) -> list[View]:
    rest = [
        {
            "word": words.t(f"reports.kind.{kind}"),
            "href": f"/reports?kind={kind}",
            "is_current": kind == chosen,
        }
        for kind in Kind
    ]
    return [
        {"word": words.t("reports.every"), "href": "/reports", "is_current": chosen not in set(Kind)},
        *rest,
    ]


async def _missing(floor: Floor, words: Words) -> list[View]:
    now_ms, zone = floor.runtime.clock.now_ms(), floor.zone
    return [
        {
            "report_id": row.report_id,
            "title": reports_view.title_of(row, words),
            "due": when(due_ms, now_ms, zone, words.locale),
        }
        for row, due_ms in reversed(await reports.missing(floor.runtime, floor.plan))
    ]


async def _awaited(floor: Floor, words: Words) -> list[View]:
    now_ms, zone = floor.runtime.clock.now_ms(), floor.zone
    return [
        {
            "title": reports_view.title_of(each.row, words),
            "ready": when(each.ready_ms, now_ms, zone, words.locale),
            "due": when(each.due_ms, now_ms, zone, words.locale),
        }
        for each in await reports.waiting_for(floor.runtime, floor.plan)
    ]


@require(*ROLES)
async def show_report(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    found, shown = await _find(request)
    entries = {kind: shown.entries(kind) for kind in EntryKind}
    counts = {str(kind): len(each) for kind, each in entries.items()}
    now_ms = floor.runtime.clock.now_ms()
    return page(
        request,
        "report.html",
        head=reports_view.head(found.row, counts, now_ms, words),
        site_name=shown.site_name,
        made=full_date(found.row.made_ms or 0, floor.zone, words.locale),
        due=full_date(found.row.due_ms or 0, floor.zone, words.locale),
        digest=(found.row.digest or "")[:12],
        is_intact=found.is_intact,
        version=found.document["site_version"],
        unsettled=0 if found.row.kind == Kind.URGENT else found.document["unsettled"],
        count=shown.count,
        tables=shown.tables(),
        groups=shown.groups(),
        agents=shown.agents(),
        tickets=shown.tickets(),
        promises=shown.promises(),
        months=shown.months(),
        ranking=shown.ranking(),
        now=shown.now(),
        thread=shown.thread(),
        older_href=""
        if found.older is None
        else f"/reports/{found.row.report_id}?before={found.older}#thread",
        leads=request.state.account.role in LEADERS,
        complaints=shown.complaints(),
        corrections=entries[EntryKind.CORRECTION],
        notes=entries[EntryKind.NOTE],
        done=request.query_params.get("done") == "noted",
        csv_href=f"/reports/{found.row.report_id}.csv",
    )


@require(*ROLES)
async def export_report(request: Request) -> Response:
    found, shown = await _find(request)
    return csv_answer(f"report-{found.row.report_id}", shown.heading, shown.lines())


@require(*ROLES)
async def note_report(request: Request) -> Response:
    """A proposal or a remark beside it; nobody takes one back."""
    form, report_id = await read_form(request), request.path_params["report_id"]
    account: Account = request.state.account
    if not await reports.note(floor_of(request).runtime, report_id, form.get("text", ""), account.account_id):
        raise HTTPException(422)
    return RedirectResponse(f"/reports/{report_id}?done=noted#notes", 303)


@require(*LEADERS)
async def begin_report(request: Request) -> Response:
    """An urgent report, made at once."""
    form, account = await read_form(request), request.state.account
    try:
        report_id = await urgent_reports.begin(
            floor_of(request).runtime, form.get("why", ""), account.account_id
        )
    except ValueError as fault:
        raise HTTPException(422) from fault
    return RedirectResponse(f"/reports/{report_id}", 303)


@require(*LEADERS)
async def update_report(request: Request) -> Response:
    """What is to be added to an urgent report, or that it is closed; with how things stand now."""
    form, report_id = await read_form(request), request.path_params["report_id"]
    is_done = await urgent_reports.update(
        floor_of(request).runtime,
        report_id,
        form.get("text", ""),
        request.state.account.account_id,
        closes="close" in form,
    )
    if not is_done:
        raise HTTPException(422)
    return RedirectResponse(f"/reports/{report_id}#thread", 303)


async def _find(request: Request) -> tuple[Found, Shown]:
    floor = floor_of(request)
    before = request.query_params.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 10 else None
    found = await reports.find(floor.runtime, request.path_params["report_id"], number)
    if found is None:
        raise HTTPException(404)
    authors = [each.account_id for each in found.entries if each.account_id]
    names = await names_of_accounts(floor.runtime.database, authors)
    return found, Shown(found, words_of(request), names)
