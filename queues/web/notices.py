"""Notices: what callers of an area hear before the menu; running, coming and past.

Supervisors raise, change and clear; everybody else reads. The page says word for word what a caller will hear and
how long that takes, before it is heard.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.runtime import Runtime
from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import Form, read_form
from config.web.templates import page
from queues.domain.notices import LONG_S, TEXT_LENGTH_MAX
from queues.domain.parts import in_locale
from queues.domain.surges import Running
from queues.domain.tickets import TicketState
from queues.service import notices, tickets
from queues.service.notices import (
    NoticeFault,
    NoticeKind,
    NoticesRefused,
    Phase,
    RaisedNotice,
    Wording,
    spoken_s,
    text_languages,
)
from queues.service.surging import surges_now
from queues.web.floor import Floor, floor_of, words_of
from queues.web.surge_view import surge_words
from queues.web.times import day_and_time, for_input, full_date, iso, read_local, when
from queues.web.words import Words

RAISERS: Final = ("supervisor", "admin")
TICKETS_OFFERED: Final = 50
EVERYBODY, SOME = "all", "some"

# The sentences around {notice} that the menu speaks, by language: the storey that knows the menu puts the function at
# app.state.notice_sentences. No sentence: no menu of this site reads notices out.
Sentences = Callable[[Runtime], Mapping[str, Sequence[str]]]
View = dict[str, Any]


def routes() -> list[BaseRoute]:
    return [
        Route("/notices", show_notices, methods=["GET"], name="notices"),
        Route("/notices", raise_notice, methods=["POST"]),
        Route("/notices/new", show_form, methods=["GET"]),
        Route("/notices/preview", preview, methods=["POST"]),
        Route("/notices/{notice_id}", show_notice, methods=["GET"], name="notice"),
        Route("/notices/{notice_id}", change_notice, methods=["POST"]),
        Route("/notices/{notice_id}/clear", clear_notice, methods=["POST"]),
    ]


@require()
async def show_notices(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    board = await notices.board_of(floor.runtime)
    proposed = await _proposed(floor, words) if _may_raise(request) else []
    everything = (*board.running, *board.coming, *board.past)
    names = await names_of_accounts(
        floor.runtime.database,
        [account_id for each in everything for account_id in (each.raised_by, each.cleared_by)],
    )

    def shown(group: Sequence[RaisedNotice]) -> list[View]:
        rows = (_row(request, each, words, names) for each in group)
        return [
            row
            | {"is_live": row["id"] not in board.not_live, "may_join": row["id"] not in board.not_joinable}
            for row in rows
        ]

    return page(
        request,
        "notices.html",
        summary=words.t("notices.shown", running=len(board.running), coming=len(board.coming)),
        groups=[("running", shown(board.running)), ("coming", shown(board.coming))],
        past=shown(board.past),
        proposed=proposed,
        may_raise=_may_raise(request),
        is_silent=not _sentences(request),
    )


@require(*RAISERS)
async def show_form(request: Request) -> Response:
    return await _form_page(request, {"form_id": secrets.token_hex(8), "kind": NoticeKind.OUTAGE.value})


@require(*RAISERS)
async def raise_notice(request: Request) -> Response:
    form = await read_form(request)
    account: Account = request.state.account
    notice_id = form.get("form_id", "")
    if not (notice_id.isalnum() and 8 <= len(notice_id) <= 32):
        raise HTTPException(400)
    wording, faults = _wording(floor_of(request), form)
    if not faults and wording:
        try:
            runtime = floor_of(request).runtime
            notice = await notices.raise_notice(runtime, notice_id, wording, account.account_id)
            return RedirectResponse(f"/notices#{notice.notice_id}", 303)
        except NoticesRefused as refused:
            faults = list(refused.faults)
    return await _form_page(request, _typed(form), faults=faults)


@require()
async def show_notice(request: Request) -> Response:
    notice = await _notice(request)
    return await _form_page(request, _given(notice, floor_of(request)), notice=notice)


@require(*RAISERS)
async def change_notice(request: Request) -> Response:
    notice, form = await _notice(request), await read_form(request)
    account: Account = request.state.account
    revision = form.get("revision", "")
    wording, faults = _wording(floor_of(request), form, notice)
    if not faults and wording and revision.isdecimal():
        try:
            runtime = floor_of(request).runtime
            await notices.change_notice(runtime, notice.notice_id, int(revision), wording, account.account_id)
            return RedirectResponse(f"/notices#{notice.notice_id}", 303)
        except NoticesRefused as refused:
            faults = list(refused.faults)
    return await _form_page(request, _typed(form), faults=faults, notice=notice)


@require(*RAISERS)
async def clear_notice(request: Request) -> Response:
    """Cleared twice is cleared: whoever was second sees the same page."""
    notice = await _notice(request)
    account: Account = request.state.account
    await notices.clear_notice(floor_of(request).runtime, notice.notice_id, account.account_id)
    return RedirectResponse(f"/notices#{notice.notice_id}", 303)


@require(*RAISERS)
async def preview(request: Request) -> Response:
    """What a caller would hear of the texts that are being typed, in each language."""
    form, words = await read_form(request), words_of(request)
    texts = {each: form.get(f"text_{each}", "")[: TEXT_LENGTH_MAX * 2] for each in _languages(request)}
    return JSONResponse({each["id"]: each for each in _heard(request, texts, words)})


async def _notice(request: Request) -> RaisedNotice:
    notice = await notices.find_notice(floor_of(request).runtime, request.path_params["notice_id"])
    if notice is None:
        raise HTTPException(404)
    return notice


async def _proposed(floor: Floor, words: Words) -> list[View]:
    """A notice for each surge that runs and has none yet: the form as it will be sent, to be raised at one click."""
    surge = floor.plan.surge
    if surge is None or surge.notice is None:
        return []
    running = await surges_now(floor.runtime)
    known = {each: await notices.find_notice(floor.runtime, each.notice_id) for each in running}
    return [_proposal(each, surge.notice, floor, words) for each, notice in known.items() if notice is None]


def _proposal(running: Running, notice: Mapping[str, str], floor: Floor, words: Words) -> View:
    about, plan = running.about, floor.plan
    name = plan.areas[about.area].name if about.area in plan.areas else plan.short_name
    texts = {
        language: in_locale(notice, language).replace("{area}", in_locale(name, language))
        for language in text_languages(plan)
    }
    fields = {
        "form_id": running.notice_id,
        "kind": NoticeKind.OUTAGE.value if about.area else NoticeKind.EMERGENCY.value,
        "reach": SOME if about.area in plan.areas else EVERYBODY,
        **{f"text_{language}": text for language, text in texts.items()},
        **({"area": about.area} if about.area in plan.areas else {}),
    }
    return {
        "fields": fields,
        "texts": [
            {"id": language, "language": words.t(f"notices.language.{language}"), "text": text, "length": ""}
            for language, text in texts.items()
        ],
        "why": surge_words(running, words),
    }


def _may_raise(request: Request) -> bool:
    account: Account = request.state.account
    return account.role in RAISERS


def _languages(request: Request) -> tuple[str, ...]:
    return text_languages(floor_of(request).plan)


def _wording(
    floor: Floor, form: Form, known: RaisedNotice | None = None
) -> tuple[Wording | None, list[NoticeFault]]:
    """What the form says, and what of it cannot even be read.

    A form shows minutes: an instant of the notice that is `known` and was left alone stays what it was.
    """
    faults: list[NoticeFault] = []
    before = {"starts": known.starts_ms, "ends": known.ends_ms} if known else {}

    def instant(name: str) -> int | None:
        text = form.get(name, "").strip()
        if text and text == for_input(before.get(name), floor.zone):
            return before[name]
        try:
            return read_local(text, floor.zone) if text else None
        except ValueError:
            faults.append(NoticeFault(field=name, key="instant", values={}))
            return None

    starts_ms, ends_ms = instant("starts"), instant("ends")
    areas = tuple(form.getlist("area")) if form.get("reach") == SOME else ()
    if form.get("reach") == SOME and not areas:
        faults.insert(0, NoticeFault(field="areas", key="no_area", values={}))
    if floor.plan.areas and form.get("reach") not in (EVERYBODY, SOME):
        faults.insert(0, NoticeFault(field="areas", key="reach", values={}))
    if faults:
        return None, faults
    wording = Wording(
        kind=form.get("kind", ""),
        areas=areas,
        text={each: form.get(f"text_{each}", "").strip() for each in text_languages(floor.plan)},
        starts_ms=floor.runtime.clock.now_ms() if starts_ms is None else starts_ms,
        ends_ms=ends_ms,
        ticket_no=form.get("ticket_no", "").strip().upper(),
    )
    return wording, []


def _typed(form: Form) -> View:
    """The form again, as it was sent."""
    return {**{name: form[name] for name in form if name != "csrf"}, "area": form.getlist("area")}


def _given(notice: RaisedNotice, floor: Floor) -> View:
    """The form of a notice that is there."""
    return {
        "kind": notice.kind,
        "reach": SOME if notice.areas else EVERYBODY,
        "area": list(notice.areas),
        **{f"text_{language}": text for language, text in notice.text.items()},
        "starts": for_input(notice.starts_ms, floor.zone),
        "ends": for_input(notice.ends_ms, floor.zone),
        "ticket_no": notice.ticket_no,
        "revision": str(notice.revision),
    }


async def _form_page(
    request: Request,
    typed: View,
    *,
    faults: Sequence[NoticeFault] = (),
    notice: RaisedNotice | None = None,
) -> Response:
    floor, words = floor_of(request), words_of(request)
    errors = {fault.field: _sentence(fault, words) for fault in reversed(faults)}
    texts = {each: str(typed.get(f"text_{each}", "")) for each in _languages(request)}
    phase = notice.phase(floor.runtime.clock.now_ms()) if notice else None
    history = await _history(floor, notice, words) if notice else []
    return page(
        request,
        "notice.html",
        status_code=422 if faults else 200,
        typed=typed,
        errors=errors,
        error_list=list(errors.values()),
        kinds=[{"id": str(each), "word": words.t(f"notices.kind.{each}")} for each in NoticeKind],
        areas=[{"id": each.id, "word": words.area(each.id)} for each in floor.plan.areas.values()],
        heard=_heard(request, texts, words),
        tickets=await _tickets(floor, words) if _may_raise(request) else [],
        most=TEXT_LENGTH_MAX,
        notice=_row(request, notice, words, {}) if notice else None,
        phase=str(phase or ""),
        is_open=_may_raise(request) and phase is not Phase.PAST,
        history=history,
        is_silent=not _sentences(request),
    )


def _sentence(fault: NoticeFault, words: Words) -> str:
    values = dict(fault.values)
    if "language" in values:
        values["language"] = words.t(f"notices.language.{values['language']}")
    return words.t(f"notices.error.{fault.key}", **values)


def _row(request: Request, notice: RaisedNotice, words: Words, names: Mapping[str, str]) -> View:
    now_ms = floor_of(request).runtime.clock.now_ms()
    over_ms = notice.over_ms
    zone = words.plan.timezone

    def told(at_ms: int | None) -> str:
        return "" if at_ms is None else when(at_ms, now_ms, zone, words.locale)

    areas = [words.area(each) for each in notice.areas]
    return {
        "id": notice.notice_id,
        "href": f"/notices/{notice.notice_id}",
        "kind": notice.kind,
        "kind_word": words.t(f"notices.kind.{notice.kind}"),
        "areas": words.t("why.comma").join(areas) if areas else words.t("notices.everybody"),
        "texts": _heard(request, dict(notice.text), words),
        "starts_ms": notice.starts_ms,
        "starts": told(notice.starts_ms),
        "starts_iso": iso(notice.starts_ms, zone),
        "ends": told(notice.ends_ms),
        "over": told(over_ms),
        "raised_by": names.get(notice.raised_by, ""),
        "cleared_by": names.get(notice.cleared_by, ""),
        "is_cleared": notice.cleared_ms is not None,
        "ticket_no": notice.ticket_no,
    }


def _heard(request: Request, texts: Mapping[str, str], words: Words) -> list[View]:
    """Word for word, in the sentences that the menu speaks around it."""
    around = _sentences(request)
    shown = []
    for language in _languages(request):
        text = texts.get(language, "").strip()
        whole = [each.replace("{notice}", text) for each in around.get(language, ("{notice}",))]
        seconds = max((spoken_s(each) for each in whole), default=0) if text else 0
        shown.append(
            {
                "id": language,
                "language": words.t(f"notices.language.{language}"),
                "text": text,
                "heard": whole if text else [],
                "seconds": seconds,
                "length": words.t("notices.length", seconds=seconds) if text else "",
                "is_long": seconds >= LONG_S,
            }
        )
    return shown


def _sentences(request: Request) -> Mapping[str, Sequence[str]]:
    ask: Sentences | None = getattr(request.app.state, "notice_sentences", None)
    if ask is None:
        return dict.fromkeys(_languages(request), ("{notice}",))
    return ask(floor_of(request).runtime)


async def _tickets(floor: Floor, words: Words) -> list[View]:
    """Open tickets, the newest first, for a caller to join."""
    found = await tickets.list_tickets(
        floor.runtime, tickets.TicketFilter(state=TicketState.OPEN), limit=TICKETS_OFFERED
    )
    return [
        {
            "no": each.ticket_no,
            "word": " · ".join(
                part
                for part in (
                    words.ticket_type(each.type) or each.subject or "",
                    day_and_time(each.opened_ms, floor.zone, words.locale),
                )
                if part
            ),
        }
        for each in found.tickets
    ]


async def _history(floor: Floor, notice: RaisedNotice, words: Words) -> list[View]:
    rows = await notices.history_of(floor.runtime, notice.notice_id)
    names = await names_of_accounts(floor.runtime.database, [row["account_id"] for row in rows])
    return [
        {
            "at": full_date(row["at_ms"], floor.zone, words.locale),
            "who": names.get(row["account_id"], "") or words.t("notices.by_time"),
            "word": words.t(f"notices.history.{row['action'].partition('.')[2]}"),
            "changes": _changes(row.get("before"), row.get("after"), floor, words),
        }
        for row in reversed(rows)
    ]


def _changes(before: View | None, after: View | None, floor: Floor, words: Words) -> list[View]:
    """What a change changed, field by field; a first wording and a clearing need no list."""
    if not before or not after:
        return []
    was, now = _told(before, floor, words), _told(after, floor, words)
    return [
        {"label": words.t(f"notices.{name.partition('_')[0]}"), "was": was[name] or "–", "now": text or "–"}
        for name, text in now.items()
        if was.get(name, "") != text
    ]


def _told(form: View, floor: Floor, words: Words) -> dict[str, str]:
    now_ms, zone = floor.runtime.clock.now_ms(), floor.zone
    areas = words.t("why.comma").join(words.area(each) for each in form["areas"])
    return {
        "kind": words.t(f"notices.kind.{form['kind']}"),
        "areas": areas or words.t("notices.everybody"),
        **{f"text_{language}": text for language, text in form["text"].items()},
        "starts": when(form["starts_ms"], now_ms, zone, words.locale),
        "ends": when(form["ends_ms"], now_ms, zone, words.locale) if form["ends_ms"] else "",
        "ticket": form["ticket_no"],
    }
