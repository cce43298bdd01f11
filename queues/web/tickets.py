"""Tickets: what is to be done, by work queue and the most urgent first; and one ticket, with what people do to it."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, names_of_accounts, require
from config.web.forms import Form, read_form
from config.web.templates import page
from queues.domain.tickets import (
    REASON_LENGTH_MAX,
    REPLY_LENGTH_MAX,
    UNDONE,
    TicketEvent,
    TicketState,
    number_in,
)
from queues.service import calls, owners, people, settling, tickets
from queues.service.calls import CallFilter
from queues.service.tickets import Answer, Ticket, TicketFilter
from queues.web import ticket_view as view
from queues.web.call_view import call_row
from queues.web.floor import floor_of, words_of
from queues.web.follow_ups import whose_work
from queues.web.ticket_view import WORKERS
from queues.web.words import Words

SHOWN: Final = 100
CALLS_SHOWN: Final = 20
UNDONE_STATES, ALL_STATES = "undone", "all"
MINE: Final = "mine"
TYPED_WRONG: Final = (
    Answer.TOO_LONG,
    Answer.NO_REASON,
    Answer.UNKNOWN_AGENT,
    Answer.BAD_AMOUNT,
    Answer.LOWER,
)


def routes() -> list[BaseRoute]:
    return [
        Route("/tickets", show_tickets, methods=["GET"], name="tickets"),
        Route("/tickets/{ticket_no}", show_ticket, methods=["GET"], name="ticket"),
        Route("/tickets/{ticket_no}/move", move_ticket, methods=["POST"]),
        Route("/tickets/{ticket_no}/reply", answer_caller, methods=["POST"]),
        Route("/tickets/{ticket_no}/told", caller_told, methods=["POST"]),
        Route("/tickets/{ticket_no}/owner", hand_over, methods=["POST"]),
        Route("/tickets/{ticket_no}/weight", weigh, methods=["POST"]),
    ]


@require()
async def show_tickets(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    filters, account = _filters(request), request.state.account
    number = number_in(filters["q"])
    if number and await tickets.find_ticket(floor.runtime, number):
        return RedirectResponse(f"/tickets/{number}", 303)
    before = request.query_params.get("before")
    chosen = _chosen(filters, account.agent_id or "")
    found = await tickets.list_tickets(floor.runtime, chosen, before=before, limit=SHOWN)
    counts = await tickets.count_by_state(floor.runtime)
    agents = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    rows = [await view.row_of(floor, ticket, words, agents) for ticket in found.tickets]
    given = {name: value for name, value in filters.items() if value and name != "q"}
    return page(
        request,
        "tickets.html",
        groups=view.groups(rows, words),
        summary=words.t("tickets.shown", count=sum(counts.get(state, 0) for state in UNDONE)),
        filters=filters,
        choices=_choices(words, agents, account),
        is_filtered=bool(given or filters["q"]),
        not_found=filters["q"],
        older_href=f"/tickets?{urlencode(given | {'before': found.older})}" if found.older else "",
    )


def _filters(request: Request) -> dict[str, str]:
    names = ("state", "work_queue", "area", "post", "owner", "q")
    return {name: request.query_params.get(name, "").strip()[:80] for name in names}


def _chosen(filters: dict[str, str], agent_id: str) -> TicketFilter:
    """Mine are those I answer for, until their callers have been told: also when somebody has resolved them."""
    state, owner = filters["state"], filters["owner"]
    is_mine = owner == MINE and bool(agent_id)
    states: tuple[str, ...] = () if state == ALL_STATES or (is_mine and not state) else (state,)
    if not is_mine and state in ("", UNDONE_STATES):
        states = tuple(UNDONE)
    return TicketFilter(
        states=tuple(UNDONE) if states == (UNDONE_STATES,) else states,
        work_queue=filters["work_queue"],
        area=filters["area"],
        post=filters["post"],
        owner=agent_id if is_mine else owner,
        is_unreplied=is_mine and state != ALL_STATES,
    )


def _choices(words: Words, agents: Mapping[str, str], account: Account) -> dict[str, list[dict[str, str]]]:
    named = [(UNDONE_STATES, "ticket_work.undone"), *((each, f"state.ticket.{each}") for each in TicketState)]
    states = [{"id": str(name), "word": words.t(key)} for name, key in [*named, (ALL_STATES, "calls.any")]]
    lists = [
        {"id": name, "word": view.work_queue_word(name, words) or name} for name in words.plan.work_queues()
    ]
    areas = [{"id": area, "word": words.area(area)} for area in words.plan.areas]
    owners_shown = [{"id": agent_id, "word": name} for agent_id, name in agents.items()]
    if account.agent_id:
        owners_shown.insert(0, {"id": MINE, "word": words.t("ticket_work.mine")})
    posts = [{"id": post, "word": words.post(post)} for post in words.plan.posts]
    return {
        "states": states,
        "work_queues": lists,
        "areas": areas,
        "posts": posts,
        "owners": owners_shown,
    }


@require()
async def show_ticket(request: Request) -> Response:
    return await _ticket_page(request, await _ticket(request))


@require(*WORKERS)
async def move_ticket(request: Request) -> Response:
    ticket, form = await _ticket(request), await read_form(request)
    account: Account = request.state.account
    try:
        event = TicketEvent(form.get("event", ""))
    except ValueError:
        raise HTTPException(400) from None
    if not view.may(account.role, event, ticket, floor_of(request).plan):
        raise HTTPException(403)
    answer = await tickets.work_on(
        floor_of(request).runtime,
        ticket.ticket_no,
        event,
        account.account_id,
        _revision(form),
        agent_id=account.agent_id or "",
    )
    return await _answered(request, answer)


@require(*WORKERS)
async def caller_told(request: Request) -> Response:
    """He has been rung back, or told in some other way."""
    ticket, form = await _ticket(request), await read_form(request)
    account: Account = request.state.account
    runtime = floor_of(request).runtime
    whose = await whose_work(request)
    answer = await owners.caller_told(runtime, ticket.ticket_no, account.account_id, whose, _revision(form))
    if answer is Answer.NOT_HIS:
        raise HTTPException(403)
    return await _answered(request, answer)


@require(*WORKERS)
async def hand_over(request: Request) -> Response:
    """By whoever owns it, or by a supervisor."""
    ticket, form = await _ticket(request), await read_form(request)
    account: Account = request.state.account
    if not view.may_hand_over(ticket, account):
        raise HTTPException(403)
    to, reason = form.get("owner", ""), form.get("reason", "")
    answer = await owners.hand_over(
        floor_of(request).runtime, ticket.ticket_no, to, reason, account.account_id, _revision(form)
    )
    return await _answered(request, answer, typed_reason=reason)


@require(*WORKERS)
async def answer_caller(request: Request) -> Response:
    ticket, form = await _ticket(request), await read_form(request)
    account: Account = request.state.account
    reply = form.get("reply", "")
    answer = await tickets.answer_caller(
        floor_of(request).runtime, ticket.ticket_no, reply, account.account_id, _revision(form)
    )
    return await _answered(request, answer, typed=reply)


@require(*WORKERS)
async def weigh(request: Request) -> Response:
    """What it is about and how grave that is; by that it goes up to whoever may settle it."""
    ticket, form = await _ticket(request), await read_form(request)
    account: Account = request.state.account
    typed = {name: form.get(name, "").strip()[:REASON_LENGTH_MAX] for name in ("amount", "gravity", "why")}
    answer = await settling.weigh(
        floor_of(request).runtime,
        ticket.ticket_no,
        amount=typed["amount"],
        gravity=typed["gravity"],
        reason=typed["why"],
        by=account.account_id,
        revision=_revision(form),
    )
    return await _answered(request, answer, weighed=typed)


def _revision(form: Form) -> int:
    """What whoever sends this has looked at."""
    text = form.get("revision", "")
    if not text.isdecimal() or len(text) > 18:
        raise HTTPException(400)
    return int(text)


async def _ticket(request: Request) -> Ticket:
    ticket = await tickets.find_ticket(floor_of(request).runtime, request.path_params["ticket_no"])
    if ticket is None:
        raise HTTPException(404)
    return ticket


async def _answered(
    request: Request,
    answer: Answer,
    typed: str | None = None,
    typed_reason: str = "",
    weighed: Mapping[str, str] | None = None,
) -> Response:
    """Done, or done already: the ticket as it is now. Else the same page says why, and keeps what was typed."""
    if answer is Answer.GONE:
        raise HTTPException(404)
    ticket = await _ticket(request)
    if answer in (Answer.OK, Answer.AGAIN):
        return RedirectResponse(f"/tickets/{ticket.ticket_no}", 303)
    return await _ticket_page(
        request, ticket, refused=answer, typed=typed, typed_reason=typed_reason, weighed=weighed
    )


async def _ticket_page(
    request: Request,
    ticket: Ticket,
    *,
    refused: Answer | None = None,
    typed: str | None = None,
    typed_reason: str = "",
    weighed: Mapping[str, str] | None = None,
) -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    story = await tickets.history_of(floor.runtime, ticket.ticket_no)
    writers = [each["account_id"] or "" for each in story]
    names = await names_of_accounts(floor.runtime.database, [ticket.taken_by or "", *writers])
    agents = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    own = await _own_calls(request, ticket)
    notes = [ticket.note or "", *(call.note or "" for call in own)]
    values: dict[str, Any] = {"most": REASON_LENGTH_MAX if typed_reason else REPLY_LENGTH_MAX}
    error = words.t(f"ticket_work.error.{refused}", **values) if refused else ""
    return page(
        request,
        "ticket.html",
        status_code=(422 if refused in TYPED_WRONG else 409) if refused else 200,
        ticket=await view.row_of(floor, ticket, words, agents),
        note="\n\n".join(note for note in notes if note),
        calls=[call_row(call, words) for call in own],
        facts=view.facts_of(ticket, names, agents, words),
        actions=view.actions(ticket, account.role, words),
        weight=view.weight_of(ticket, words, weighed) if account.role in WORKERS else None,
        may_answer=account.role in WORKERS,
        may_tell=account.role in WORKERS
        and ticket.replied_ms is None
        and owners.is_theirs(ticket.owner, await whose_work(request)),
        may_hand_over=view.may_hand_over(ticket, account),
        agents=[{"id": each, "word": name} for each, name in agents.items() if each != ticket.owner],
        typed_reason=typed_reason,
        reply=ticket.reply or "",
        typed=(ticket.reply or "") if typed is None else typed,
        reply_hint="ticket_work.reply_hint_code" if ticket.code_key else "ticket_work.reply_hint",
        most=REPLY_LENGTH_MAX,
        revision=ticket.revision or 0,
        error=error,
        story=view.story_of(story, names, agents, words),
    )


async def _own_calls(request: Request, ticket: Ticket) -> list[Any]:
    found = await calls.list_calls(
        floor_of(request).runtime, CallFilter(text=ticket.ticket_no), limit=CALLS_SHOWN
    )
    return [call for call in found.calls if call.ticket_no == ticket.ticket_no]
