"""Tickets: opened exactly once for a call, listed, and moved by people."""

from dataclasses import dataclass
from typing import Final

from config.log import get_log
from config.runtime import Runtime
from queues.domain.call_records import CallRecord, text_of
from queues.domain.journal import Line, LineType
from queues.domain.tickets import MOVES, TicketEvent, TicketState, subject
from queues.service import links as outbox
from queues.service.plans import plan_of
from queues.store import calls, journal, links, tickets
from queues.store.links import Link
from queues.store.tickets import Ticket, TicketFilter

log = get_log(__name__)

PAGE_MAX: Final = 100
PRIORITY_UNKNOWN: Final = 5

__all__ = [
    "Ticket",
    "TicketFilter",
    "TicketPage",
    "find_ticket",
    "list_tickets",
    "move_ticket",
    "open_ticket",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    tickets: tuple[Ticket, ...]
    older: str | None  # give it as `before` for the next page


async def open_ticket(runtime: Runtime, call_id: str) -> Ticket | None:
    """Write the ticket a call was promised. Whoever marks the link done writes it; again is a no-op."""
    async with runtime.database.transaction() as connection:
        link = await links.find(connection, call_id, outbox.OPEN_TICKET.name)
        if link is None or link.ticket_no is None:
            log.error("ticket.not_promised", call_id=call_id)
            return None
        if not await links.finish(connection, call_id, link.kind, runtime.clock.now_ms()):
            return None
        record = (await calls.load(connection, [call_id])).get(call_id)
        told = await journal.lines_of_calls(connection, [call_id], [LineType.CALL_QUEUED])
        ticket = ticket_of(runtime, link, record, promising(told, link.ticket_no))
        if not await tickets.insert_new(connection, ticket):
            log.error("ticket.number_taken", call_id=call_id, ticket_no=ticket.ticket_no)
        await calls.set_ticket(connection, call_id, ticket.ticket_no)
    log.info("ticket.opened", call_id=call_id, ticket_no=ticket.ticket_no, work_queue=ticket.work_queue)
    return ticket


def promising(lines: list[Line], ticket_no: str) -> Line | None:
    return next((line for line in lines if text_of(line.data, "ticket_no") == ticket_no), None)


def ticket_of(runtime: Runtime, link: Link, record: CallRecord | None, queued: Line | None) -> Ticket:
    """The ticket as promised; opened at the instant it was due, however late the worker was."""
    plan = plan_of(runtime)
    data = queued.data if queued else {}
    ticket_type, matter = text_of(data, "ticket_type"), text_of(data, "matter")
    kind = plan.ticket_types.get(ticket_type)
    names = plan.matters[matter].name if matter in plan.matters else {}
    locale = (record.locale if record else "") or plan.default_locale
    return Ticket(
        ticket_no=link.ticket_no or "",
        site=runtime.settings.site,
        type=ticket_type,
        work_queue=link.work_queue,
        priority=kind.priority if kind else PRIORITY_UNKNOWN,
        state=TicketState.OPEN.value,
        call_id=link.call_id,
        customer_id=record.customer_id if record else "",
        caller_ref=record.caller_ref if record else "",
        tier=record.tier if record else "",
        subject=subject(matter, names, locale),
        opened_ms=link.due_ms,
    )


async def find_ticket(runtime: Runtime, ticket_no: str) -> Ticket | None:
    async with runtime.database.read() as connection:
        return await tickets.find(connection, ticket_no)


async def list_tickets(
    runtime: Runtime, chosen: TicketFilter, *, before: str | None = None, limit: int = 50
) -> TicketPage:
    """Newest first."""
    limit = min(limit, PAGE_MAX)
    async with runtime.database.read() as connection:
        found = await tickets.newest_first(connection, chosen, read_key(before), limit + 1)
    shown = found[:limit]
    older = f"{shown[-1].opened_ms}:{shown[-1].ticket_no}" if len(found) > limit else None
    return TicketPage(tickets=tuple(shown), older=older)


async def count_by_state(runtime: Runtime) -> dict[str, int]:
    async with runtime.database.read() as connection:
        return await tickets.count_by_state(connection)


async def move_ticket(runtime: Runtime, ticket_no: str, event: TicketEvent) -> bool:
    """Move it as the table allows; False when it is in a state from which this does not lead anywhere."""
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        ticket = await tickets.find(connection, ticket_no)
        to = MOVES[TicketState(ticket.state)].get(event) if ticket else None
        if ticket is None or to is None:
            return False
        closed_ms = now_ms if to is TicketState.CLOSED else None
        return await tickets.move(connection, ticket_no, [ticket.state], to.value, closed_ms)


def read_key(text: str | None) -> tuple[int, str] | None:
    """`<instant>:<id>`, as a page gave it; what is not one begins at the newest."""
    instant, _, row_id = (text or "").partition(":")
    return (int(instant), row_id) if instant.isdecimal() and len(instant) < 19 and row_id else None
