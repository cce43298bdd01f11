"""Importing customers from a table: sent in, checked as a whole, reported row by row, merged when somebody says so.

The clock does the work; the page only looks at it, and goes on by itself while there is something to see.
"""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import read_file, read_form
from config.web.templates import page
from queues.domain.plan import Plan
from queues.service import uploads
from queues.service.uploads import FAULTS_KEPT, Upload
from queues.web.customers import EDITORS
from queues.web.fault_words import fault_in_words
from queues.web.floor import floor_of, words_of
from queues.web.times import day_and_time
from queues.web.words import BUILT_IN_FIELDS, Words

COLUMNS: Final = tuple(name for name in BUILT_IN_FIELDS if name not in ("tier", "band", "class_code", "care"))
SHOWN: Final = 200
AT_WORK: Final = ("sent", "confirmed")

View = dict[str, Any]


def routes() -> list[BaseRoute]:
    path = "/customers/import"
    return [
        Route(path, show_imports, methods=["GET"], name="imports"),
        Route(path, send_table, methods=["POST"]),
        Route(f"{path}/table.csv", empty_table, methods=["GET"]),
        Route(f"{path}/{{upload_id}}", show_import, methods=["GET"], name="import"),
        Route(f"{path}/{{upload_id}}/state", tell_state, methods=["GET"]),
        Route(f"{path}/{{upload_id}}/confirm", confirm, methods=["POST"]),
        Route(f"{path}/{{upload_id}}/discard", discard, methods=["POST"]),
    ]


@require(*EDITORS)
async def show_imports(request: Request) -> Response:
    return await _imports_page(request)


@require(*EDITORS, takes_file=True)
async def send_table(request: Request) -> Response:
    file, words = await read_file(request), words_of(request)
    account: Account = request.state.account
    if file is None:
        return await _imports_page(request, {"file": words.t("imports.error.no_file")})
    upload_id = await uploads.keep_upload(
        floor_of(request).runtime,
        file.file,
        file_name=file.filename or "",
        size=file.size or 0,
        by=account.account_id,
    )
    return RedirectResponse(f"/customers/import/{upload_id}", 303)


@require(*EDITORS)
async def empty_table(request: Request) -> Response:
    """The headings a table may have, in the reader's language; with them Excel reads the letters aright."""
    words = words_of(request)
    headings = ",".join(words.field(each) for each in (*COLUMNS, *words.plan.attributes))
    return PlainTextResponse(
        f"\ufeff{headings}\r\n",
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="customers.csv"'},
    )


@require(*EDITORS)
async def show_import(request: Request) -> Response:
    upload, words = await _upload(request), words_of(request)
    faults = uploads.faults_of(upload)
    return page(
        request,
        "import.html",
        upload=_view(upload, words),
        faults=[
            {
                "row": each.row_no,
                "account_no": each.account_no,
                "field": words.field(each.field) if each.field else "",
                "what": fault_in_words(each.what, words),
            }
            for each in faults[:SHOWN]
        ],
        told=words.t("imports.faults_shown", shown=min(len(faults), SHOWN), rows=upload.faulty)
        if len(faults) > SHOWN or len(faults) == FAULTS_KEPT
        else "",
        refresh_s=2 if upload.state in AT_WORK else 0,
    )


@require(*EDITORS)
async def tell_state(request: Request) -> Response:
    """For the script of the page: whether there is something new to show."""
    upload = await _upload(request)
    return JSONResponse({"state": upload.state, "done": upload.done})


@require(*EDITORS)
async def confirm(request: Request) -> Response:
    upload, form = await _upload(request), await read_form(request)
    skips = form.get("skip") == "yes"
    await uploads.confirm(floor_of(request).runtime, upload.upload_id, skip_faulty=skips)
    return RedirectResponse(f"/customers/import/{upload.upload_id}", 303)


@require(*EDITORS)
async def discard(request: Request) -> Response:
    upload = await _upload(request)
    await uploads.discard(floor_of(request).runtime, upload.upload_id)
    return RedirectResponse("/customers/import", 303)


async def _upload(request: Request) -> Upload:
    upload = await uploads.find_upload(floor_of(request).runtime, request.path_params["upload_id"])
    if upload is None:
        raise HTTPException(404)
    return upload


async def _imports_page(request: Request, errors: dict[str, str] | None = None) -> Response:
    floor, words = floor_of(request), words_of(request)
    recent = await uploads.recent_uploads(floor.runtime)
    names = await names_of_accounts(floor.runtime.database, [each.sent_by for each in recent])
    return page(
        request,
        "imports.html",
        status_code=422 if errors else 200,
        errors=errors or {},
        columns=_columns(words.plan, words),
        recent=[_view(each, words) | {"who": names.get(each.sent_by, "")} for each in recent],
    )


def _columns(plan: Plan, words: Words) -> list[View]:
    built_in = [
        {"name": each, "word": words.field(each), "note": words.t(f"imports.column.{each}")}
        for each in COLUMNS
    ]
    own = [
        {"name": each.id, "word": words.attribute(each.id), "note": _note(plan, each.id, words)}
        for each in plan.attributes.values()
    ]
    return [*built_in, *own]


def _note(plan: Plan, name: str, words: Words) -> str:
    attribute = plan.attributes[name]
    kind = words.t(f"imports.type.{attribute.type}")
    values = words.t("why.comma").join(words.value(name, code) for code in attribute.values)
    needs = words.t("customers.needs_consent") if attribute.needs_consent else ""
    required = words.t("imports.required") if attribute.is_required else ""
    return " · ".join(part for part in (values or kind, required, needs) if part)


def _view(upload: Upload, words: Words) -> View:
    zone, locale = words.plan.timezone, words.locale
    figures = ("rows", "opened", "changed", "unchanged", "faulty")
    return {
        "upload_id": upload.upload_id,
        "href": f"/customers/import/{upload.upload_id}",
        "file_name": upload.file_name,
        "size": words.t("imports.size", kb=max(1, upload.size // 1024)),
        "sent": day_and_time(upload.sent_ms, zone, locale),
        "state": upload.state,
        "state_word": words.t(f"imports.state.{upload.state}"),
        "mark": {"merged": "good", "refused": "past", "failed": "past", "discarded": "off"}.get(
            upload.state, "near"
        ),
        "done": upload.done,
        "is_at_work": upload.state in AT_WORK,
        "figures": [
            {"label": words.t(f"imports.{each}"), "value": getattr(upload, each)} for each in figures
        ],
        "has_figures": upload.rows > 0,
        "sound": upload.rows - upload.faulty,
        "changes": upload.opened + upload.changed,
        "faulty": upload.faulty,
        "error": fault_in_words(upload.error, words) if upload.error else "",
    }
