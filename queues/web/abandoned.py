"""The page of callers who gave up: agents see those whom they may call, supervisors and QA staff all of them.

An agent's call is one press, on this page or on his desk; whoever led the call notes what came of it. Every change has
a row in the audit.
"""

import datetime as dt
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, require
from config.web.forms import read_form
from config.web.sheets import csv_answer
from config.web.templates import page
from queues.domain.periods import YEARS
from queues.service import people, ringing_back
from queues.service.calls import day_of
from queues.service.people import Agent
from queues.service.ringing_back import Answer, Listed
from queues.web import abandoned_view
from queues.web.floor import Floor, floor_of, wants_page, words_of
from queues.web.times import local
from queues.web.words import Words

READERS: Final = ("agent", "supervisor", "qa", "admin")
STAFF: Final = ("supervisor", "qa", "admin")
LEADERS: Final = ("supervisor", "admin")
DAYS: Final = 14
EXPORT_DAYS_MAX: Final = 366
DAY_LENGTH: Final = 10

View = abandoned_view.View


def routes() -> list[BaseRoute]:
    return [
        Route("/abandoned", show_list, methods=["GET"], name="abandoned"),
        Route("/abandoned.csv", export_list, methods=["GET"]),
        Route("/abandoned/call", call_caller, methods=["POST"]),
        Route("/abandoned/note", note_call, methods=["POST"]),
    ]


@require(*READERS)
async def show_list(request: Request) -> Response:
    done, refused = request.query_params.get("done", ""), request.query_params.get("refused", "")
    return await _page(
        request,
        done=done if done in ("called", "noted") else "",
        refused=refused if refused in set(Answer) else "",
    )


@require(*STAFF)
async def export_list(request: Request) -> Response:
    """Every entry of these days, its columns named in the reader's language."""
    floor, words = floor_of(request), words_of(request)
    today = _today(floor)
    from_day = _day(request.query_params.get("from", ""), today - dt.timedelta(days=DAYS - 1))
    until_day = _day(request.query_params.get("until", ""), today)
    if not 0 <= (until_day - from_day).days <= EXPORT_DAYS_MAX:
        raise HTTPException(422)
    span = day_of(floor.plan, from_day)[0], day_of(floor.plan, until_day)[1]
    found = await ringing_back.of_days(floor.runtime, *span)
    return csv_answer(
        f"abandoned-{from_day}-{until_day}", *abandoned_view.as_table(found, words, await _names(floor))
    )


@require("agent", *LEADERS)
async def call_caller(request: Request) -> Response:
    """His own phone rings at once, and then the customer's."""
    floor, form = floor_of(request), await read_form(request)
    account: Account = request.state.account
    agent = await _agent_of(floor, account)
    if agent is None:
        raise HTTPException(403)
    answer = await ringing_back.call(
        floor.runtime,
        form.get("entry_id", ""),
        agent_id=agent.agent_id,
        skills=agent.skills,
        by=account.account_id,
    )
    return _said(request, answer, "called", form.get("next", ""))


@require("agent", *LEADERS)
async def note_call(request: Request) -> Response:
    form, account = await read_form(request), request.state.account
    answer = await ringing_back.note(
        floor_of(request).runtime,
        form.get("entry_id", ""),
        form.get("ending", ""),
        agent_id=account.agent_id or "",
        by=account.account_id,
        is_anybodys=account.role in LEADERS,
    )
    if answer is Answer.BAD:
        raise HTTPException(422)
    return _said(request, answer, "noted", "")


def _said(request: Request, answer: Answer, done: str, back: str) -> Response:
    """A browser's form goes back to where it came from; a program hears the word."""
    is_ok = answer is Answer.OK
    if not wants_page(request):
        said = words_of(request).t(f"abandoned.said.{done}" if is_ok else f"abandoned.refused.{answer}")
        body = {"ok": is_ok, "word": str(answer), "said": said}
        return JSONResponse(body, status_code=200 if is_ok else 409)
    if is_ok and back == "desk":
        return RedirectResponse("/desk", 303)
    return RedirectResponse(f"/abandoned?{f'done={done}' if is_ok else f'refused={answer}'}", 303)


async def _page(request: Request, *, done: str, refused: str) -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    agent, is_staff = await _agent_of(floor, account), account.role in STAFF
    if agent is None and not is_staff:
        return page(request, "no_seat.html")
    plan, now_ms = floor.plan, floor.runtime.clock.now_ms()
    mine = agent.agent_id if agent else ""
    skills = agent.skills if agent and not is_staff else None
    found = await ringing_back.listed(floor.runtime, agent_id=mine, skills=skills)
    today_ms = day_of(plan, _today(floor))[0]
    closed = await ringing_back.closed_since(floor.runtime, today_ms, agent_id="" if is_staff else mine)
    names, leads = await _names(floor), account.role in LEADERS
    return page(
        request,
        "abandoned.html",
        is_kept=plan.abandoned is not None,
        rows=[_row(one, words, names, now_ms, mine, leads=leads) for one in found.entries],
        count=found.count,
        closed=[_row(one, words, names, now_ms, mine, leads=leads) for one in closed],
        days=await _days(floor, words) if is_staff else [],
        has_seat=agent is not None,
        is_staff=is_staff,
        done=words.t(f"abandoned.said.{done}") if done else "",
        refused=words.t(f"abandoned.refused.{refused}") if refused else "",
    )


def _row(
    one: Listed, words: Words, names: dict[str, str], now_ms: int, agent_id: str, *, leads: bool
) -> View:
    row = abandoned_view.row_of(one, words, names, now_ms)
    endings = abandoned_view.noted_by(one, agent_id, leads=leads)
    return row | {"endings": [{"id": each, "word": words.t(f"abandoned.ending.{each}")} for each in endings]}


async def _days(floor: Floor, words: Words) -> list[View]:
    """The last fortnight, the newest day first."""
    today = _today(floor)
    spans = [day_of(floor.plan, today - dt.timedelta(days=n)) for n in range(DAYS)]
    counts = await ringing_back.days(floor.runtime, spans)
    return [
        abandoned_view.day_row(span[0], count, words)
        for span, count in zip(spans, counts, strict=True)
        if count.opened
    ]


def _today(floor: Floor) -> dt.date:
    return local(floor.runtime.clock.now_ms(), floor.zone).date()


def _day(text: str, otherwise: dt.date) -> dt.date:
    try:
        day = dt.date.fromisoformat(text[:DAY_LENGTH]) if text else otherwise
    except ValueError as fault:
        raise HTTPException(422) from fault
    if day.year not in YEARS:
        raise HTTPException(422)
    return day


async def _agent_of(floor: Floor, account: Account) -> Agent | None:
    return await people.find_agent(floor.runtime, account.agent_id) if account.agent_id else None


async def _names(floor: Floor) -> dict[str, str]:
    return {agent.agent_id: agent.name for agent in await people.agents_of_site(floor.runtime)}
