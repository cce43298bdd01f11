"""The highest that each counter was ever told as: what has been counted once does not go back.

A late event takes a call from one set to another, and then a sum is lower than it was; whoever computes rates takes
that for a restart and counts all of it anew. The live store keeps the highest of each, and compares them itself: two
that tell at the same time cannot lower it.
"""

from collections.abc import Mapping
from typing import Final

from redis.asyncio import Redis

CHUNK: Final = 2000


async def raised(redis: Redis, site: str, counted: Mapping[str, float]) -> dict[str, float]:
    """Each as high as it was ever told."""
    found: dict[str, float] = {}
    key, names = f"{{{site}}}:counted", list(counted)
    for start in range(0, len(names), CHUNK):
        some = names[start : start + CHUNK]
        pipeline = redis.pipeline(transaction=True)
        pipeline.zadd(key, {name: counted[name] for name in some}, gt=True)
        pipeline.zmscore(key, some)
        _, scores = await pipeline.execute()
        found |= {name: float(score) for name, score in zip(some, scores, strict=True)}
    return found


async def overdue(redis: Redis, site: str, before_ms: int) -> tuple[int, int | None]:
    """How many effects were due before this instant and nobody has taken, and since when the first of them is."""
    key = f"{{{site}}}:due"
    count = int(await redis.zcount(key, "-inf", before_ms))
    first = await redis.zrange(key, 0, 0, withscores=True)
    return count, int(float(first[0][1])) if count and first else None
