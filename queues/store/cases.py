"""The live index of cases: what a caller who asks how far his case is may hear, by ticket number.

It is made from SQL and can be made again at any time. `{site}:case_index` is its stamp: up to which revision of SQL
it has come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from queues.store import stamped


@dataclass(frozen=True, slots=True)
class Stamp:
    """How far the index has come. A store that has none is new, or came back empty."""

    revision: int = 0
    # what was closed before this instant has been taken out
    forgot_ms: int = 0


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
    values: dict[Any, Any] = {"revision": now.revision, "forgot_ms": now.forgot_ms}
    return await stamped.put(
        redis,
        stamp_key(site),
        seen,
        lambda pipeline: stamp_of(pipeline, site),
        lambda pipeline: pipeline.hset(stamp_key(site), mapping=values),
        {cases_key(site): cases},
        anew=anew,
    )
