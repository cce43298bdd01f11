"""Said against happened, read from SQL: what waiting callers were told in an interval, and what became of them."""

from config.runtime import Runtime
from queues.domain.said import Came, Said, Tally, by_quarter, tally
from queues.store import announcements

__all__ = ["Came", "Said", "Tally", "by_quarter", "said_between", "tally"]


async def said_between(runtime: Runtime, from_ms: int, until_ms: int, queue: str = "") -> list[Said]:
    """In the order it was told; an empty `queue` is all of them."""
    async with runtime.database.read() as connection:
        return await announcements.said_between(connection, runtime.settings.site, from_ms, until_ms, queue)
