"""The live index of cases: what a caller who asks how far his case is may hear, by ticket number.

Beside it stands who owns the open ticket of a caller, by `Ticket.ref` (`owners`), and under which ref a ticket was put
there (`owned`): when its caller is forgotten, nothing else tells any more whose entry has to go.

It is made from SQL and can be made again at any time. `{site}:case_index` is its stamp: up to which revision of SQL
it has come.
"""

from collections.abc import Mapping, Sequence
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


def owners_key(site: str) -> str:
    return f"{{{site}}}:owners"


def owned_key(site: str) -> str:
    return f"{{{site}}}:owned"


async def refs_put(redis: Redis, site: str, ticket_nos: Sequence[str]) -> set[str]:
    """Under whom these tickets' owners were put."""
    if not ticket_nos:
        return set()
    return {str(ref) for ref in await redis.hmget(owned_key(site), list(ticket_nos)) if ref}


def stamp_key(site: str) -> str:
    return f"{{{site}}}:case_index"


async def stamp_of(redis: Redis, site: str) -> Stamp:
    revision, forgot_ms = await redis.hmget(stamp_key(site), ["revision", "forgot_ms"])
    return Stamp(int(revision or 0), int(forgot_ms or 0))


async def is_there(redis: Redis, site: str) -> bool:
    return bool(await redis.exists(cases_key(site)))


async def put(
    redis: Redis,
    site: str,
    seen: Stamp,
    now: Stamp,
    cases: Mapping[str, str | None],
    *,
    owners: Mapping[str, str | None] | None = None,
    owned: Mapping[str, str | None] | None = None,
    anew: bool = False,
) -> bool:
    """The entries (None takes one out) and the new stamp in one step; False, and nothing, if `seen` is not the stamp.

    `anew` empties the index first.
    """
    values: dict[Any, Any] = {"revision": now.revision, "forgot_ms": now.forgot_ms}
    return await stamped.put(
        redis,
        stamp_key(site),
        seen,
        lambda pipeline: stamp_of(pipeline, site),
        lambda pipeline: pipeline.hset(stamp_key(site), mapping=values),
        {cases_key(site): cases, owners_key(site): owners or {}, owned_key(site): owned or {}},
        anew=anew,
    )
