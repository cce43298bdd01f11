"""Keeps what the live store knows of cases up to what SQL says: after a commit at once, after a death by a chore.

That is what callers may hear of them, and who owns the open ticket of a caller.
"""

import json
from typing import Final

from redis.exceptions import RedisError

from config.log import get_log
from config.runtime import Runtime
from queues.domain.tickets import TicketState
from queues.store import cases as store
from queues.store import tickets
from queues.store.cases import Stamp
from queues.store.tickets import Ticket

log = get_log(__name__)

PAGE: Final = 2_000
TRIES: Final = 20
FORGETS_EVERY_MS: Final = 3_600_000
KEPT_FOR_MS: Final = 180 * 24 * 3_600_000  # so long after it was closed a case can be asked about


async def tell(runtime: Runtime) -> None:
    """After a commit. A live store that is away costs a delay, which the chore ends."""
    try:
        await catch_up(runtime)
    except (RedisError, OSError) as fault:
        log.warning("cases.not_told", fault=type(fault).__name__)


async def catch_up(runtime: Runtime) -> int:
    """Put what has changed since the index was last brought up; returns how many cases that was."""
    site, redis = runtime.settings.site, runtime.redis
    written = lost = 0
    while lost < TRIES:
        seen = await store.stamp_of(redis, site)
        async with runtime.database.read() as connection:
            changed = await tickets.changed_since(connection, site, seen.revision, PAGE)
            newest = await tickets.newest_revision(connection) if not changed else seen.revision
        if seen.revision > newest:  # SQL was set back: what the index knows is of another time
            lost += not await _put(runtime, seen, Stamp(), [], anew=True)
        elif not changed:
            return written
        elif await _put(runtime, seen, _after(runtime, seen, changed), changed):
            written += len(changed)
            if len(changed) < PAGE:
                return written
        else:
            lost += 1
    return written


async def mend_cases(runtime: Runtime) -> int:
    """The chore: what died between SQL and the index is finished, what was lost is put back, what is old goes."""
    site, redis = runtime.settings.site, runtime.redis
    before_ms = runtime.clock.now_ms() - KEPT_FOR_MS
    seen = await store.stamp_of(redis, site)
    if seen.revision and not await store.is_there(redis, site):
        async with runtime.database.read() as connection:
            is_lost = await tickets.has_any(connection, site, before_ms)
        if is_lost:
            await _put(runtime, seen, Stamp(), [], anew=True)
    return await catch_up(runtime) + await _forget(runtime, before_ms)


async def _forget(runtime: Runtime, before_ms: int) -> int:
    """Take out what was closed too long ago."""
    site = runtime.settings.site
    seen = await store.stamp_of(runtime.redis, site)
    if not seen.revision or seen.forgot_ms > before_ms - FORGETS_EVERY_MS:
        return 0
    async with runtime.database.read() as connection:
        old = await tickets.closed_between(connection, site, seen.forgot_ms, before_ms)
    now = Stamp(seen.revision, before_ms)
    is_put = await store.put(runtime.redis, site, seen, now, dict.fromkeys(old))
    return len(old) if is_put else 0


def _after(runtime: Runtime, seen: Stamp, changed: list[Ticket]) -> Stamp:
    """An index that is begun anew holds nothing yet that would have to be forgotten."""
    forgot_ms = seen.forgot_ms or runtime.clock.now_ms() - KEPT_FOR_MS
    return Stamp(changed[-1].revision or 0, forgot_ms)


async def _put(
    runtime: Runtime, seen: Stamp, now: Stamp, changed: list[Ticket], *, anew: bool = False
) -> bool:
    site, before_ms = runtime.settings.site, runtime.clock.now_ms() - KEPT_FOR_MS
    cases = {ticket.ticket_no: case_of(ticket, before_ms) for ticket in changed}
    owned = {ticket.ticket_no: ticket.ref or None if is_owned(ticket) else None for ticket in changed}
    refs = {*filter(None, owned.values()), *await store.refs_put(runtime.redis, site, list(owned))}
    async with runtime.database.read() as connection:
        found = await tickets.owners_of(connection, site, refs) if refs else {}
    owners = {ref: found.get(ref) for ref in refs}
    return await store.put(runtime.redis, site, seen, now, cases, owners=owners, owned=owned, anew=anew)


def is_owned(ticket: Ticket) -> bool:
    """Somebody answers for it still."""
    return bool(ticket.owner) and ticket.replied_ms is None and ticket.state != TicketState.CLOSED


def case_of(ticket: Ticket, before_ms: int) -> str | None:
    """What the switchboard knows of a ticket; nothing of one that was closed before this instant."""
    if ticket.closed_ms is not None and ticket.closed_ms < before_ms:
        return None
    code_key = ticket.code_key or ""
    told = {
        "state": ticket.state,
        "code_key": code_key,
        "reply": ticket.reply or "",
        # with a code it matters to nobody whose it is
        "customer_id": "" if code_key else ticket.customer_id or "",
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
