"""The journal's upkeep.

It is trimmed behind its slowest reader, and it never goes back behind what SQL has seen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from config.runtime import Runtime
from queues.domain.journal import parse_id
from queues.store import journal, readers, tickets

KEPT_MS: Final = 600_000  # pages that reconnect read on from where they were


@dataclass(frozen=True, slots=True, kw_only=True)
class HighWater:
    """What SQL has seen of the ids and counters that the live store hands out."""

    journal_id: str
    ticket_no: str | None


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
    """Raise the live store above this before it serves anybody: it may have lost its last second."""
    async with runtime.database.read() as connection:
        positions = await readers.all_positions(connection)
        ticket_no = await tickets.newest_no(connection)
    newest = max((each.last_id for each in positions), key=parse_id, default=readers.FROM_THE_START)
    return HighWater(journal_id=newest, ticket_no=ticket_no)
