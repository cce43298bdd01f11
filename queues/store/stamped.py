"""Hashes of the live store that are made from SQL, and the stamp that says how far they have come.

Both change in one step, and only from the stamp that was read before: two that bring a copy up to date never
overwrite the newer with the older, and whoever dies half-way has changed nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import WatchError


async def put(
    redis: Redis,
    stamp_key: str,
    seen: object,
    read: Callable[[Redis], Awaitable[object]],
    write: Callable[[Redis], object],
    changes: Mapping[str, Mapping[str, str | None]],
    *,
    anew: bool = False,
) -> bool:
    """What changes in each hash (None takes an entry out), and the stamp that `write` sets.

    False, and nothing, if `seen` is not the stamp any more. `anew` empties the hashes first.
    """
    async with redis.pipeline(transaction=True) as pipeline:
        try:
            await pipeline.watch(stamp_key)
            if await read(pipeline) != seen:
                return False
            pipeline.multi()  # type: ignore[no-untyped-call]
            for key, entries in changes.items():
                if anew:
                    pipeline.unlink(key)
                kept: dict[Any, Any] = {name: text for name, text in entries.items() if text is not None}
                if kept:
                    pipeline.hset(key, mapping=kept)
                if gone := [name for name, text in entries.items() if text is None]:
                    pipeline.hdel(key, *gone)
            write(pipeline)
            await pipeline.execute()
        except WatchError:
            return False
    return True
