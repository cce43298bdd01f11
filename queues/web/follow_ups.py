"""Follow-ups: what one has promised customers and not done yet. An agent sees his own, a supervisor everybody's."""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import Account, require
from config.web.forms import read_form
from config.web.templates import page
from queues.service import customers, follow_ups, people, tickets
from queues.service.follow_ups import FollowUp
from queues.service.tickets import Answer, TicketFilter
from queues.web import ticket_view
from queues.web.floor import floor_of, words_of
from queues.web.ticket_view import CLOSERS, WORKERS
from queues.web.times import day_and_time, iso
from queues.web.words import Words

TICKETS_SHOWN: Final = 100

View = dict[str, Any]


def routes() -> list[BaseRoute]:
    return [
        Route("/follow-ups", show_follow_ups, methods=["GET"], name="follow_ups"),
        Route("/follow-ups/done", end_follow_up, methods=["POST"]),
    ]


@require(*WORKERS)
async def show_follow_ups(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    account: Account = request.state.account
    names = {each.agent_id: each.name for each in await people.agents_of_site(floor.runtime)}
    owed = await follow_ups.follow_ups_owed(floor.runtime, await whose_work(request))
    own: list[View] = []
    if account.agent_id:
        chosen = TicketFilter(owner=account.agent_id, is_unreplied=True)
        mine = await tickets.list_tickets(floor.runtime, chosen, limit=TICKETS_SHOWN)
        own = [await ticket_view.row_of(floor, ticket, words, names) for ticket in mine.tickets]
    return page(
        request,
        "follow_ups.html",
        follow_ups=[await _row(request, each, words, names) for each in owed],
        tickets=own,
        has_tickets=bool(account.agent_id),
        is_everybody=account.role in CLOSERS and not account.agent_id,
    )


@require(*WORKERS)
async def end_follow_up(request: Request) -> Response:
    account: Account = request.state.account
    form = await read_form(request)
    runtime, whose = floor_of(request).runtime, await whose_work(request)
    answer = await follow_ups.end_follow_up(runtime, form.get("follow_up_id", ""), account.account_id, whose)
    if answer in (Answer.GONE, Answer.NOT_HIS):
        raise HTTPException(404 if answer is Answer.GONE else 403)
    return RedirectResponse("/follow-ups", 303)


async def whose_work(request: Request) -> list[str] | None:
    """For whom he answers: himself and those whom he covers; None: for everybody."""
    account: Account = request.state.account
    if account.role in CLOSERS:
        return None
    return await follow_ups.answering_for(floor_of(request).runtime, account.agent_id or "")


async def _row(request: Request, each: FollowUp, words: Words, names: dict[str, str]) -> View:
    floor = floor_of(request)
    customer = await customers.find_customer(floor.runtime, each.customer_id) if each.customer_id else None
    return {
        "follow_up_id": each.follow_up_id,
        "word": words.t(f"follow_ups.kind.{each.kind}"),
        "why": words.t(f"follow_ups.why.{each.why}") if each.why else "",
        "customer": customer.name if customer else "",
        "customer_href": f"/customers/{customer.customer_id}" if customer else "",
        "ticket_no": each.ticket_no or "",
        "who": names.get(each.agent_id or "", each.agent_id or ""),
        "since": day_and_time(each.opened_ms, floor.zone, words.locale),
        "since_iso": iso(each.opened_ms, floor.zone),
    }
