"""Who answers for a ticket until its caller has been told what came of it.

He became its owner by talking with the caller first (`queues.service.tickets.own_first`) and stays it whoever works on
it. It changes by hand-over alone, with a reason that stays in the ticket's story. That the caller has been told is his
to say, or his cover's, or a supervisor's, whichever page it is said on; of a ticket that nobody owns, anybody's.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config.runtime import Runtime
from queues.domain.tickets import REASON_LENGTH_MAX, TicketState
from queues.service.tickets import DONE, Answer, Ticket, change_ticket
from queues.store import follow_ups, people

HANDED_OVER: Final = "ticket.handed_over"
TOLD: Final = "ticket.told"


async def hand_over(
    runtime: Runtime, ticket_no: str, to: str, reason: str, by: str, revision: int | None = None
) -> Answer:
    """This agent answers for it from now on, and for what its owner has promised about it."""
    reason = reason.strip()
    if not reason:
        return Answer.NO_REASON
    if len(reason) > REASON_LENGTH_MAX:
        return Answer.TOO_LONG
    async with runtime.database.read() as connection:
        if to not in await people.names_in(connection, runtime.settings.site, [to]):
            return Answer.UNKNOWN_AGENT

    def give(ticket: Ticket) -> Mapping[str, Any] | Answer:
        if (ticket.owner or "") == to:
            return Answer.AGAIN
        return Answer.REFUSED if ticket.state == TicketState.CLOSED else {"owner": to}

    async def with_promises(connection: AsyncConnection, ticket: Ticket) -> None:
        await follow_ups.hand_over(connection, ticket.ticket_no, to)

    return await change_ticket(
        runtime, ticket_no, HANDED_OVER, by, revision, give, with_promises, reason=reason
    )


def is_theirs(owner: str | None, whose: Collection[str] | None) -> bool:
    """Whether it is for who answers for these agents (None: for everybody) to say that it is done."""
    return whose is None or not owner or owner in whose


async def caller_told(
    runtime: Runtime,
    ticket_no: str,
    by: str,
    whose: Collection[str] | None,
    revision: int | None = None,
) -> Answer:
    """The caller has been told what came of it; NOT_HIS when another than these answers for it."""
    now_ms = runtime.clock.now_ms()

    def note(ticket: Ticket) -> Mapping[str, Any] | Answer:
        if not is_theirs(ticket.owner, whose):
            return Answer.NOT_HIS
        return Answer.AGAIN if ticket.replied_ms is not None else {"replied_ms": now_ms}

    async def promise_kept(connection: AsyncConnection, ticket: Ticket) -> None:
        await follow_ups.end_of_ticket(connection, ticket.ticket_no, DONE, by, now_ms)

    return await change_ticket(runtime, ticket_no, TOLD, by, revision, note, promise_kept)
