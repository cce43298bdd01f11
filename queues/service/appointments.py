"""What a change of account manager brings with it: open items move, and the customer is told by text and by call.

A table that is imported changes managers as well; it tells whoever has another one now, and nobody who has his first:
else the first import of a register would write to every customer in it.

The text is a follow-up that the machine tries first (`send_texts`, a chore). What must hold: no text goes out twice,
and none is lost in silence. What cannot be sent, or may have been, is left to the manager to say on the telephone.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from config import numbers
from config.log import get_log
from config.runtime import Runtime
from config.telephony import ProviderError, TelephonyError
from queues.domain.clocks import NeverOpenError, deadline
from queues.domain.customers import Customer
from queues.domain.parts import in_locale
from queues.domain.plan import Plan
from queues.service.owners import HANDED_OVER
from queues.service.plans import plan_of
from queues.service.tickets import DONE, DROPPED, audit
from queues.store import audits, customers, follow_ups, people, tickets
from queues.store import managers as store
from queues.store.follow_ups import FollowUp

log = get_log(__name__)

INTRODUCE, APPOINTED, CHANGED = "introduce", "tell_appointed", "tell_changed"
NEW_MANAGER: Final = "new_manager"  # why a ticket changed hands
DUE, SENDING = "due", "sending"
LOST_AFTER_S: Final = 120.0  # real; a sender that has said nothing for so long is dead
AT_ONCE: Final = 20
TRY_LATER: Final = frozenset({408, 425, 429})
POST_HELD_MS: Final = 365 * 24 * 3_600_000


async def follow_change(
    connection: AsyncConnection,
    runtime: Runtime,
    customer_id: str,
    before: Sequence[str],
    after: Sequence[str],
    revision: int,
    by: str,
) -> int:
    """In the transaction of the change: how many tickets have moved to the new first manager."""
    first, last = (after or ("",))[0], (before or ("",))[0]
    if first in ("", last):
        return 0
    now_ms, site = runtime.clock.now_ms(), runtime.settings.site
    gone = [agent_id for agent_id in before if agent_id == last or agent_id not in after]
    open_items = await tickets.owned_by(connection, site, gone, customer_id) if gone else []
    for ticket in open_items:
        await tickets.change(connection, ticket, {"owner": first})
        await audit(connection, ticket, HANDED_OVER, by, now_ms, {"owner": first}, NEW_MANAGER)
        await follow_ups.hand_over(connection, ticket.ticket_no, first)
    await follow_ups.drop_of_customer(
        connection, customer_id, (INTRODUCE, APPOINTED, CHANGED), DROPPED, now_ms
    )
    for kind, why in ((INTRODUCE, ""), (CHANGED if last else APPOINTED, DUE)):
        promised = FollowUp(
            follow_up_id=f"{kind}:{customer_id}:{revision}",
            site=site,
            kind=kind,
            agent_id=first,
            customer_id=customer_id,
            why=why,
            opened_ms=now_ms,
        )
        await follow_ups.promise(connection, promised)
    return len(open_items)


async def send_texts(runtime: Runtime) -> int:
    """The chore: texts that are due go out, each once; how many have. In quiet hours they wait for the morning."""
    site, now_ms, plan = runtime.settings.site, runtime.clock.now_ms(), plan_of(runtime)
    window = plan.appointing.window if plan.appointing else None
    has_texts = bool(runtime.settings.texts_from)  # else its manager is to be told so at once
    is_quiet = has_texts and window is not None and not plan.is_open(window, now_ms)
    lost_ms = now_ms - runtime.clock.product_ms(LOST_AFTER_S)
    async with runtime.database.read() as connection:
        due = [] if is_quiet else await follow_ups.to_be_texted(connection, site, DUE, AT_ONCE)
        lost = [
            each
            for each in await follow_ups.to_be_texted(connection, site, SENDING, AT_ONCE)
            if (each.tried_ms or 0) <= lost_ms
        ]
    for each in lost:
        await _mark(runtime, each, SENDING, "unknown")
    return sum([await _send(runtime, each) for each in due])


async def _send(runtime: Runtime, each: FollowUp) -> bool:
    to, body, why = await _text_of(runtime, each)
    if not await _mark(runtime, each, DUE, why or SENDING) or why:
        return False
    try:
        await runtime.telephony.send_text(to=to, from_=runtime.settings.texts_from, body=body)
    except ProviderError as fault:
        is_early = fault.status in TRY_LATER
        is_no = fault.status in range(400, 500)
        await _mark(runtime, each, SENDING, DUE if is_early else "refused" if is_no else "unknown")
        log.warning("text.not_sent", follow_up_id=each.follow_up_id, status=fault.status)
        return False
    except TelephonyError as fault:
        await _mark(runtime, each, SENDING, "unknown")
        log.warning("text.not_sent", follow_up_id=each.follow_up_id, fault=type(fault).__name__)
        return False
    now_ms = runtime.clock.now_ms()
    detail = {"kind": each.kind, "agent_id": each.agent_id or ""}
    async with runtime.database.transaction() as connection:
        await follow_ups.end(connection, each.follow_up_id, DONE, "", now_ms)
        await audits.write(
            connection,
            "text.sent",
            each.follow_up_id,
            at_ms=now_ms,
            by="",
            subject=each.customer_id or "",
            detail=detail,
        )
    return True


async def _mark(runtime: Runtime, each: FollowUp, was: str, now: str) -> bool:
    async with runtime.database.transaction() as connection:
        return await follow_ups.mark(connection, each.follow_up_id, was, now, runtime.clock.now_ms())


async def _text_of(runtime: Runtime, each: FollowUp) -> tuple[str, str, str]:
    """To whom and what; or why it cannot be sent."""
    plan, settings = plan_of(runtime), runtime.settings
    words = plan.appointing and (
        plan.appointing.changed if each.kind == CHANGED else plan.appointing.appointed
    )
    if not settings.texts_from or not words:
        return "", "", "no_texts"
    async with runtime.database.read() as connection:
        file = await customers.find(connection, each.customer_id or "", settings.site)
        agent = await people.find(connection, each.agent_id or "")
    to = next((number for number in file.everybodys_numbers if numbers.is_mobile(number)), "") if file else ""
    if file is None or agent is None or not to:
        return "", "", "no_mobile"
    hotline = next(iter(settings.hotline_numbers.values()), "")
    number = agent.endpoint if agent.endpoint.startswith("+") else hotline
    told = {"{customer}": file.name, "{name}": agent.name, "{number}": numbers.display(number)}
    body = in_locale(words, file.locale or plan.default_locale)
    for mark, value in told.items():
        body = body.replace(mark, value)
    return to, body, ""


def named_by(plan: Plan, since_ms: int) -> int | None:
    """By when a customer who is to have a manager has one; None where the site does not say."""
    if plan.appointing is None:
        return None
    try:
        return deadline(plan.hours.get(plan.appointing.calendar or ""), since_ms, plan.appointing.within)
    except NeverOpenError:
        return None


async def posts_held_long(runtime: Runtime, most: int) -> list[tuple[Customer, str, int]]:
    """Customers who have had the same manager for a year: file, agent, since when; the longest first."""
    before_ms = runtime.clock.now_ms() - POST_HELD_MS
    async with runtime.database.read() as connection:
        return await store.held_since(connection, runtime.settings.site, before_ms, most)


async def unmanaged_since(runtime: Runtime, files: Sequence[Customer]) -> dict[str, int]:
    """Since when each of these is to have a manager: its last change of tier or managers, else since it was opened."""
    async with runtime.database.read() as connection:
        return await store.unmanaged_since(connection, [file.customer_id for file in files])
