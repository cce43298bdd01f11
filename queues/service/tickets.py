"""Tickets: opened exactly once for a call, listed, and worked on by people.

SQL is their truth. What a caller who asks may hear of one follows after each commit (`queues.service.cases`).
Whoever talked with the caller first owns the ticket, whether it or his answer is written down first.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.log import get_log
from config.runtime import Runtime
from queues.domain.call_records import CallRecord, text_of
from queues.domain.clocks import DueState, NeverOpenError, deadline, due_state
from queues.domain.faults import SiteFaults
from queues.domain.hours import Hours
from queues.domain.journal import Line, LineType
from queues.domain.plan import Plan
from queues.domain.settling import post_of
from queues.domain.tickets import (
    REPLY_LENGTH_MAX,
    TicketEvent,
    TicketState,
    changes,
    first_answer,
    next_state,
    tidy_reply,
)
from queues.service import cases, plans
from queues.service import links as outbox
from queues.service.plans import plan_of
from queues.store import audits, calls, follow_ups, journal, links, tickets
from queues.store.follow_ups import FollowUp
from queues.store.links import Link
from queues.store.tickets import Ticket, TicketFilter

log = get_log(__name__)

PAGE_MAX: Final = 100
PRIORITY_UNKNOWN: Final = 5
ANSWERED: Final = "ticket.answer"
CALL_BACK: Final = "call_back"
DONE, DROPPED = "done", "dropped"
TELLING: Final = (
    LineType.CALL_ARRIVED,
    LineType.CALL_IDENTIFIED,
    LineType.CALL_ANONYMISED,
    LineType.CALL_QUEUED,
    LineType.CALL_CONNECTED,
)

__all__ = [
    "Answer",
    "Ticket",
    "TicketEvent",
    "TicketFilter",
    "TicketPage",
    "answer_caller",
    "audit",
    "change_ticket",
    "due_state_of",
    "find_ticket",
    "history_of",
    "list_tickets",
    "move_ticket",
    "open_ticket",
    "own_first",
    "work_on",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    tickets: tuple[Ticket, ...]
    older: str | None  # give it as `before` for the next page


class Answer(StrEnum):
    """What somebody hears who wants to change a ticket."""

    OK = "ok"
    AGAIN = "again"  # it is so already
    STALE = "stale"  # somebody has changed it since it was looked at
    REFUSED = "refused"  # its state does not lead there
    GONE = "gone"
    TOO_LONG = "too_long"
    NO_REASON = "no_reason"
    NOT_HIS = "not_his"  # another answers for it
    UNKNOWN_AGENT = "unknown_agent"
    BAD_AMOUNT = "bad_amount"
    LOWER = "lower"  # it would go to a lower post, and nobody said why


Decide = Callable[[Ticket], Mapping[str, Any] | Answer]
Also = Callable[[AsyncConnection, Ticket], Awaitable[None]]


async def open_ticket(runtime: Runtime, call_id: str) -> Ticket | None:
    """Write the ticket a call was promised. Whoever marks the link done writes it; again is a no-op."""
    try:
        ticket = await _write_ticket(runtime, call_id)
    except PlanAwayError as away:
        ticket = await _write_ticket(runtime, call_id, await _plan_of_version(runtime, away.version))
    if ticket is None:
        return None
    log.info("ticket.opened", call_id=call_id, ticket_no=ticket.ticket_no, work_queue=ticket.work_queue)
    await cases.tell(runtime)
    return ticket


class PlanAwayError(Exception):
    """The words that a call began with are to be fetched first: nobody waits for that with the writers' lock."""

    def __init__(self, version: str) -> None:
        super().__init__(self.__doc__)
        self.version = version


async def _write_ticket(runtime: Runtime, call_id: str, plan: Plan | None = None) -> Ticket | None:
    """None when somebody else did. Raises PlanAwayError, and has written nothing, where the plan has to be given."""
    async with runtime.database.transaction() as connection:
        kind = outbox.OPEN_TICKET.name
        link = await links.take_promise(connection, call_id, kind, runtime.clock.now_ms())
        if link is None or link.ticket_no is None:
            kept = await links.find(connection, call_id, kind)
            if kept is None or kept.ticket_no is None:
                log.error("ticket.not_promised", call_id=call_id)
            return None
        record = await calls.give_ticket(connection, call_id, link.ticket_no)
        version = record.site_version if record else ""
        if plan is None and version not in ("", runtime.site_files.version):
            raise PlanAwayError(version)
        told = await journal.lines_of_calls(connection, [call_id], TELLING)
        ticket = ticket_of(plan or plan_of(runtime), link, record, told)
        if not await tickets.insert_new(connection, ticket):
            log.error("ticket.number_taken", call_id=call_id, ticket_no=ticket.ticket_no)
    return ticket


async def own_first(connection: AsyncConnection, lines: Sequence[Line]) -> int:
    """Whoever answered with these lines owns the tickets that are written already and have no owner; how many."""
    answers = [
        line for line in lines if line.type == LineType.CALL_CONNECTED and line.agent_id and line.call_id
    ]
    if not answers:
        return 0
    unowned = await tickets.unowned_of(connection, {line.call_id for line in answers})
    owned: set[str] = set()
    for line in answers:
        ticket = unowned.get(line.call_id)
        if ticket is not None and ticket.ticket_no not in owned:
            owned.add(ticket.ticket_no)
            await tickets.change(connection, ticket, {"owner": line.agent_id})
    return len(owned)


async def _plan_of_version(runtime: Runtime, version: str) -> Plan:
    """The plan of these words; the one in force where they cannot be read any more."""
    words = await plans.words_of(runtime, version)
    try:
        return plans.plan_in(words) if words else plan_of(runtime)
    except SiteFaults:
        return plan_of(runtime)


def ticket_of(plan: Plan, link: Link, record: CallRecord | None, told: list[Line]) -> Ticket:
    """The ticket as promised; opened at the instant it was due, however late the worker was."""
    queued = promising(told, link.ticket_no or "")
    data = queued.data if queued else {}
    ticket_type, area = text_of(data, "ticket_type"), area_of(told)
    kind = plan.ticket_types.get(ticket_type)
    return Ticket(
        ticket_no=link.ticket_no or "",
        site=plan.site,
        type=ticket_type,
        work_queue=link.work_queue,
        priority=kind.priority if kind else PRIORITY_UNKNOWN,
        state=TicketState.OPEN.value,
        call_id=link.call_id,
        customer_id=record.customer_id if record else "",
        caller_ref=record.caller_ref if record else "",
        tier=record.tier if record else "",
        subject="",
        matter=text_of(data, "matter"),
        area=area,
        opened_ms=link.due_ms,
        due_ms=due_of(plan, ticket_type, area, link.due_ms),
        code_key=text_of(data, "access_key"),
        owner=first_answer(told),
        post=post_of(plan, ticket_type, None, ""),
    )


def promising(lines: list[Line], ticket_no: str) -> Line | None:
    queued = (line for line in lines if line.type == LineType.CALL_QUEUED)
    return next((line for line in queued if text_of(line.data, "ticket_no") == ticket_no), None)


def area_of(lines: list[Line]) -> str:
    """The caller's area as the call last knew it."""
    return next((area for line in reversed(lines) if (area := text_of(line.data, "area"))), "")


def due_of(plan: Plan, ticket_type: str, area: str, opened_ms: int) -> int | None:
    """By when it is to be done; None for a kind that promises nothing."""
    kind = plan.ticket_types.get(ticket_type)
    if kind is None or kind.due is None:
        return None
    try:
        return deadline(hours_of(plan, ticket_type), opened_ms, kind.due.span(plan.areas.get(area)))
    except NeverOpenError:
        log.error("ticket.never_due", ticket_type=ticket_type)
        return None


def hours_of(plan: Plan, ticket_type: str) -> Hours | None:
    """The calendar in which its clock runs; None when that is round the clock."""
    kind = plan.ticket_types.get(ticket_type)
    return plan.hours.get(kind.due.calendar or "") if kind and kind.due else None


def due_state_of(plan: Plan, ticket: Ticket, now_ms: int) -> DueState | None:
    """How its promise stands now; None when it made none."""
    if ticket.due_ms is None:
        return None
    hours = hours_of(plan, ticket.type)
    return due_state(hours, ticket.opened_ms, ticket.due_ms, now_ms, ticket.done_ms)


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


async def history_of(runtime: Runtime, ticket_no: str) -> list[dict[str, Any]]:
    """Who did what to it, oldest first: at_ms, account_id, action, before, after."""
    async with runtime.database.read() as connection:
        rows = await audits.of_subject(connection, _subject(ticket_no))
    return [{**row, **json.loads(row["detail"] or "{}")} for row in rows]


def read_key(text: str | None) -> tuple[int, str] | None:
    """`<instant>:<id>`, as a page gave it; what is not one begins at the newest."""
    instant, _, row_id = (text or "").partition(":")
    return (int(instant), row_id) if instant.isdecimal() and len(instant) < 19 and row_id else None


async def move_ticket(runtime: Runtime, ticket_no: str, event: TicketEvent, by: str = "") -> bool:
    """Move it as the table allows; False when it is in a state from which this does not lead anywhere."""
    return await work_on(runtime, ticket_no, event, by) is Answer.OK


async def work_on(
    runtime: Runtime,
    ticket_no: str,
    event: TicketEvent,
    by: str,
    revision: int | None = None,
    *,
    agent_id: str = "",
) -> Answer:
    """Move a ticket. With the revision that somebody looked at, only if it is still that one.

    A ticket that nobody owns, because nobody talked with its caller, belongs to the first agent who takes it.
    """
    now_ms = runtime.clock.now_ms()

    def move(ticket: Ticket) -> Mapping[str, Any] | Answer:
        to = next_state(TicketState(ticket.state), event)
        if to is None:
            return Answer.REFUSED
        written: dict[str, Any] = changes(to, by, now_ms)
        if event is TicketEvent.TAKE and agent_id and not ticket.owner:
            written["owner"] = agent_id
        if event is TicketEvent.REOPEN:
            written["replied_ms"] = None
        if event is TicketEvent.CLOSE and ticket.replied_ms is None:
            written["replied_ms"] = now_ms
        return written

    async def follow(connection: AsyncConnection, ticket: Ticket) -> None:
        await _follow_up(connection, ticket, event, by, now_ms)

    return await change_ticket(runtime, ticket_no, f"ticket.{event}", by, revision, move, follow)


async def _follow_up(
    connection: AsyncConnection, ticket: Ticket, event: TicketEvent, by: str, now_ms: int
) -> None:
    """When it is resolved its caller is to be rung back, unless he has been told; by its owner, whoever resolved it."""
    has_caller = bool(ticket.ref) and not ticket.code_key
    if event is TicketEvent.RESOLVE and ticket.replied_ms is None and has_caller:
        call_back = FollowUp(
            follow_up_id=f"{CALL_BACK}:{ticket.ticket_no}:{ticket.revision}",
            site=ticket.site,
            kind=CALL_BACK,
            agent_id=ticket.owner,
            customer_id=ticket.customer_id,
            ticket_no=ticket.ticket_no,
            opened_ms=now_ms,
        )
        await follow_ups.promise(connection, call_back)
    elif event in (TicketEvent.REOPEN, TicketEvent.CLOSE):
        how = DROPPED if event is TicketEvent.REOPEN else DONE
        await follow_ups.end_of_ticket(connection, ticket.ticket_no, how, by, now_ms)


async def answer_caller(
    runtime: Runtime, ticket_no: str, reply: str, by: str, revision: int | None = None
) -> Answer:
    """Write what the caller hears when he asks; empty takes it back."""
    spoken = tidy_reply(reply)
    if len(spoken) > REPLY_LENGTH_MAX:
        return Answer.TOO_LONG

    now_ms = runtime.clock.now_ms()

    def answer(ticket: Ticket) -> Mapping[str, Any] | Answer:
        if (ticket.reply or "") == spoken:
            return Answer.AGAIN
        # Whoever has a code can be told in no other way; anybody else is to be rung back.
        return (
            {"reply": spoken, "replied_ms": now_ms if spoken else None}
            if ticket.code_key
            else {"reply": spoken}
        )

    return await change_ticket(runtime, ticket_no, ANSWERED, by, revision, answer)


async def change_ticket(
    runtime: Runtime,
    ticket_no: str,
    action: str,
    by: str,
    revision: int | None,
    decide: Decide,
    also: Also | None = None,
    *,
    reason: str = "",
) -> Answer:
    """Read, decide, write and audit in one transaction, with what `also` goes with it; then callers are told."""
    now_ms = runtime.clock.now_ms()
    async with runtime.database.transaction() as connection:
        ticket = await tickets.find(connection, ticket_no)
        if ticket is None:
            return Answer.GONE
        decided = decide(ticket)
        if revision is not None and ticket.revision != revision and decided is not Answer.AGAIN:
            return await _second(connection, ticket, action, by)
        if isinstance(decided, Answer):
            return decided
        await tickets.change(connection, ticket, decided)
        await audit(connection, ticket, action, by, now_ms, decided, reason)
        if also is not None:
            await also(connection, ticket)
    await cases.tell(runtime)
    return Answer.OK


async def _second(connection: AsyncConnection, ticket: Ticket, action: str, by: str) -> Answer:
    """A move that was sent twice has been made; any other change has not been seen by whoever sends this."""
    rows = await audits.of_subject(connection, _subject(ticket.ticket_no))
    last = rows[-1] if rows and action != ANSWERED else None
    is_own = last is not None and (last["action"], last["account_id"]) == (action, by)
    return Answer.AGAIN if is_own else Answer.STALE


async def audit(
    connection: AsyncConnection,
    ticket: Ticket,
    action: str,
    by: str,
    at_ms: int,
    changed: Mapping[str, Any],
    reason: str = "",
) -> None:
    """In the story of the ticket: what it was before this change, and after."""
    before = {name: getattr(ticket, name) for name in changed}
    mark, subject = f"{ticket.ticket_no}:{ticket.revision}", _subject(ticket.ticket_no)
    detail = {"before": before, "after": dict(changed), **({"reason": reason} if reason else {})}
    await audits.write(connection, action, mark, at_ms=at_ms, by=by, subject=subject, detail=detail)


def _subject(ticket_no: str) -> str:
    return f"ticket:{ticket_no}"
