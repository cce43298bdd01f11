"""What a ticket is about and how grave that is, as an agent enters it; by that it goes to the post that settles it.

It goes up as soon as the rules say so. Down it goes with a reason alone, which its story keeps.
"""

from collections.abc import Mapping
from typing import Any, Final

from config.runtime import Runtime
from queues.domain.settling import is_lower, post_of, read_amount
from queues.domain.tickets import TicketState
from queues.service.plans import plan_of
from queues.service.tickets import Answer, Ticket, change_ticket

WEIGHED: Final = "ticket.weigh"


async def weigh(
    runtime: Runtime,
    ticket_no: str,
    *,
    amount: str,
    gravity: str,
    reason: str = "",
    by: str,
    revision: int | None = None,
) -> Answer:
    """`amount` as it is written, empty when nobody has named one."""
    plan, reason = plan_of(runtime), reason.strip()
    try:
        cents = read_amount(amount)
    except ValueError:
        return Answer.BAD_AMOUNT
    if gravity and gravity not in plan.gravities:
        return Answer.REFUSED

    def enter(ticket: Ticket) -> Mapping[str, Any] | Answer:
        post = post_of(plan, ticket.type, cents, gravity)
        if ticket.state == TicketState.CLOSED or not post:
            return Answer.REFUSED
        if (ticket.amount_cents, ticket.gravity or "", ticket.post or "") == (cents, gravity, post):
            return Answer.AGAIN
        if not reason and ticket.post and is_lower(plan, post, ticket.post):
            return Answer.LOWER
        return {"amount_cents": cents, "gravity": gravity, "post": post}

    return await change_ticket(runtime, ticket_no, WEIGHED, by, revision, enter, reason=reason)
