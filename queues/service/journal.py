"""The journal's upkeep.

It is trimmed behind its slowest reader, and it never goes back behind what SQL has seen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from config.runtime import Runtime
from queues.domain.call_records import text_of, whole_of
from queues.domain.journal import LineType, parse_id
from queues.store import journal, readers, tickets

LOOKED_AT: Final = 64  # lines of one millisecond, at most
KEPT_MS: Final = 600_000  # pages that reconnect read on from where they were


@dataclass(frozen=True, slots=True, kw_only=True)
class HighWater:
    """What SQL has seen of the ids and counters that the live store hands out."""

    journal_id: str
    tickets: int
    arrivals: int


async def trim(runtime: Runtime, reader_names: Collection[str]) -> int:
    """Drop what all of these readers have read and no page wants any more; a reader unheard of stops it."""
    async with runtime.database.read() as connection:
        positions = {each.name: each.last_id for each in await readers.all_positions(connection)}
    if not all(name in positions for name in reader_names):
        return 0
    slowest = min(parse_id(last_id) for last_id in positions.values())
    oldest_kept = min(slowest, (runtime.clock.now_ms() - KEPT_MS, 0))
    entry_id = f"{max(0, oldest_kept[0])}-{oldest_kept[1]}"
    return await journal.trim_before(runtime.redis, runtime.settings.site, entry_id)


async def high_water(runtime: Runtime) -> HighWater:
    """Raise the live store above this before it serves anybody: it may have lost its last second.

    A ticket's number is issued, and told, long before the ticket is written.
    """
    site = runtime.settings.site
    async with runtime.database.read() as connection:
        positions = await readers.all_positions(connection)
        written = await tickets.newest_no(connection)
        queued = await journal.newest_lines(connection, site, LineType.CALL_QUEUED, LOOKED_AT)
        arrived = await journal.newest_lines(connection, site, LineType.CALL_ARRIVED, LOOKED_AT)
        arrived += await journal.newest_lines(connection, site, LineType.CALL_ANONYMISED, LOOKED_AT)
    numbers = [text_of(line.data, "ticket_no") for line in queued]
    return HighWater(
        journal_id=max((each.last_id for each in positions), key=parse_id, default=readers.FROM_THE_START),
        tickets=max(count_of(ticket_no) for ticket_no in (written or "", *numbers)),
        arrivals=max((whole_of(line.data, "arrival") or 0 for line in arrived), default=0),
    )


def count_of(ticket_no: str) -> int:
    """How many numbers had been issued with this one."""
    digits = ticket_no.removeprefix("T")
    return int(digits) if digits.isdecimal() else 0
