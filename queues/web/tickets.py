"""Tickets: what is open, by work queue and the most urgent first; and one ticket with its calls."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.web.accounts import require
from config.web.templates import page
from queues.domain.tickets import TicketState
from queues.service import calls, customers, tickets
from queues.service.calls import CallFilter
from queues.service.tickets import Ticket, TicketFilter
from queues.web.call_view import call_row
from queues.web.floor import Floor, floor_of, words_of
from queues.web.times import day_and_time, face, full_date, iso
from queues.web.words import Words

SHOWN = 100
CALLS_SHOWN = 20


def routes() -> list[BaseRoute]:
    return [
        Route("/tickets", show_tickets, methods=["GET"], name="tickets"),
        Route("/tickets/{ticket_no}", show_ticket, methods=["GET"], name="ticket"),
    ]


@require()
async def show_tickets(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    before = request.query_params.get("before")
    found = await tickets.list_tickets(
        floor.runtime, TicketFilter(state=TicketState.OPEN), before=before, limit=SHOWN
    )
    counts = await tickets.count_by_state(floor.runtime)
    rows = [await _row(floor, ticket, words) for ticket in found.tickets]
    return page(
        request,
        "tickets.html",
        groups=_groups(rows, words),
        summary=words.t("tickets.shown", count=counts.get(TicketState.OPEN, 0)),
        older_href=f"/tickets?{urlencode({'before': found.older})}" if found.older else "",
    )


@require()
async def show_ticket(request: Request) -> Response:
    floor, words = floor_of(request), words_of(request)
    ticket = await tickets.find_ticket(floor.runtime, request.path_params["ticket_no"])
    if ticket is None:
        raise HTTPException(404)
    found = await calls.list_calls(floor.runtime, CallFilter(text=ticket.ticket_no), limit=CALLS_SHOWN)
    row = await _row(floor, ticket, words)
    own = [call for call in found.calls if call.ticket_no == ticket.ticket_no]
    notes = [ticket.note or "", *(call.note or "" for call in own)]
    row["note"] = "\n\n".join(note for note in notes if note)
    return page(
        request,
        "ticket.html",
        ticket=row,
        calls=[call_row(call, words) for call in own],
        facts=_facts(ticket, words),
    )


async def _row(floor: Floor, ticket: Ticket, words: Words) -> dict[str, Any]:
    zone = floor.zone
    return {
        "ticket_no": ticket.ticket_no,
        "href": f"/tickets/{ticket.ticket_no}",
        "work_queue": ticket.work_queue,
        "priority": ticket.priority,
        "type_word": words.ticket_type(ticket.type) or ticket.subject or "",
        "state": f"{ticket.state}_ticket" if ticket.state == TicketState.CLOSED else ticket.state,
        "state_word": words.t(f"state.ticket.{ticket.state}"),
        "customer": await _customer_name(floor, ticket.customer_id or ""),
        "tier_word": words.tier(ticket.tier or ""),
        "rank": words.rank(ticket.tier or ""),
        "opened": day_and_time(ticket.opened_ms, zone, words.locale),
        "opened_iso": iso(ticket.opened_ms, zone),
        "opened_ms": ticket.opened_ms,
        "age": face(floor.runtime.clock.now_ms() - ticket.opened_ms),
    }


async def _customer_name(floor: Floor, customer_id: str) -> str:
    async def ask() -> str:
        customer = await customers.find_customer(floor.runtime, customer_id)
        return customer.name if customer else ""

    return await floor.remembered.get(f"customer name:{customer_id}", 30, ask) if customer_id else ""


def _groups(rows: Iterable[dict[str, Any]], words: Words) -> list[dict[str, Any]]:
    """By work queue, the most urgent first; inside it the most urgent ticket, then the oldest."""
    by_queue: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["priority"], row["opened_ms"])):
        by_queue.setdefault(row["work_queue"], []).append(row)
    return [
        {"id": name, "word": _work_queue(name, words), "count": len(own), "tickets": own}
        for name, own in by_queue.items()
    ]


def _work_queue(name: str, words: Words) -> str:
    """A work queue is known by what is done in it."""
    types = [each.id for each in words.plan.ticket_types.values() if each.work_queue == name]
    return words.t("why.comma").join(words.ticket_type(each) for each in types)


def _facts(ticket: Ticket, words: Words) -> list[dict[str, str]]:
    zone = words.plan.timezone
    facts = {
        "tickets.subject": ticket.subject or "",
        "tickets.priority": str(ticket.priority),
        "tickets.work_queue": ticket.work_queue,
        "tickets.opened": full_date(ticket.opened_ms, zone, words.locale),
        "tickets.closed": full_date(ticket.closed_ms, zone, words.locale) if ticket.closed_ms else "",
    }
    return [{"label": words.t(key), "text": text} for key, text in facts.items() if text]
