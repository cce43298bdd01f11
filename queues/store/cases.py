"""The live index of cases: what a caller who asks how far his case is may hear, by ticket number.

It is made from SQL and can be made again at any time. `{site}:case_index` says up to which revision of SQL it has
come. Both change in one step, and only from the revision that was read before: two that bring it up to date never
overwrite the newer with the older, and whoever dies half-way has changed nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import WatchError


@dataclass(frozen=True, slots=True)
class Stamp:
    """How far the index has come. A store that has none is new, or came back empty."""

    revision: int = 0
    forgot_ms: int = 0  # what was closed before this instant has been taken out


def cases_key(site: str) -> str:
    return f"{{{site}}}:cases"


def stamp_key(site: str) -> str:
    return f"{{{site}}}:case_index"


async def stamp_of(redis: Redis, site: str) -> Stamp:
    revision, forgot_ms = await redis.hmget(stamp_key(site), ["revision", "forgot_ms"])
    return Stamp(int(revision or 0), int(forgot_ms or 0))


async def is_there(redis: Redis, site: str) -> bool:
    return bool(await redis.exists(cases_key(site)))


async def put(
    redis: Redis, site: str, seen: Stamp, now: Stamp, cases: Mapping[str, str | None], *, anew: bool = False
) -> bool:
    """The cases (None takes one out) and the new stamp in one step; False, and nothing, if `seen` is not the stamp.

    `anew` empties the index first.
    """
    async with redis.pipeline(transaction=True) as pipeline:
        try:
            await pipeline.watch(stamp_key(site))
            revision, forgot_ms = await pipeline.hmget(stamp_key(site), ["revision", "forgot_ms"])
            if Stamp(int(revision or 0), int(forgot_ms or 0)) != seen:
                return False
            pipeline.multi()  # type: ignore[no-untyped-call]
            if anew:
                pipeline.unlink(cases_key(site))
            kept: dict[Any, Any] = {ticket_no: text for ticket_no, text in cases.items() if text is not None}
            if kept:
                pipeline.hset(cases_key(site), mapping=kept)
            if gone := [ticket_no for ticket_no, text in cases.items() if text is None]:
                pipeline.hdel(cases_key(site), *gone)
            pipeline.hset(stamp_key(site), mapping={"revision": now.revision, "forgot_ms": now.forgot_ms})
            await pipeline.execute()
        except WatchError:
            return False
    return True
