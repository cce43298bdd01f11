"""The outbox: from a link in SQL to a job on a work queue, at least once; the link makes it once.

A push that fails, a job that is lost and a worker that is killed all look the same from here: a link that
stays undone. The sweep pushes it again, each time after a longer while.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from redis.exceptions import RedisError

from config.log import get_log
from config.runtime import Runtime
from queues.store import links as store
from queues.store.links import Link, finish, insert_new, tried

log = get_log(__name__)

__all__ = [
    "OPEN_TICKET",
    "Link",
    "LinkKind",
    "finish",
    "first_attempt",
    "insert_new",
    "push",
    "push_left_over",
    "sweep",
    "tried",
]

OVERDUE_S: Final = 60.0  # real: it is machines that are late here, not people
SWEEP_MAX: Final = 200
_NOT_FOR_JOB_IDS = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class LinkKind:
    """One kind of work: its name, the job that does it, and the name of the id it is told.

    A kind that happens once for a call is told the call; one that can happen more often carries its own id
    behind a colon (`fetch_audio:<recording_id>`).
    """

    name: str
    function: str
    id_name: str = "call_id"

    def ids_of(self, link: Link) -> dict[str, str]:
        own_id = link.kind.partition(":")[2]
        return {self.id_name: own_id or link.call_id}

    def job_id(self, link: Link, attempt: int) -> str:
        """Letters, digits and `-`; another for each attempt, so that a dead job does not stand in the way."""
        return _NOT_FOR_JOB_IDS.sub("-", f"{link.call_id}-{link.kind}-{attempt}")


OPEN_TICKET: Final = LinkKind("open_ticket", "queues.jobs.open_ticket")


def first_attempt(kind: LinkKind, link: Link, now_ms: int) -> Link:
    """As it is written: what is pushed right after the commit, and under which id, is known before.

    Who dies between the two leaves a link that says it was pushed; see `push_left_over`.
    """
    return replace(link, attempts=1, job_id=kind.job_id(link, 1), pushed_ms=now_ms)


async def push(runtime: Runtime, kind: LinkKind, links: Sequence[Link]) -> int:
    """Push freshly committed links. A queue that is away costs a delay, which the sweep ends."""
    for pushed, link in enumerate(links):
        try:
            job_id = link.job_id or kind.job_id(link, link.attempts)
            await runtime.jobs.push(link.work_queue, kind.function, job_id, **kind.ids_of(link))
        except (RedisError, OSError) as fault:
            log.warning("link.push_failed", call_id=link.call_id, kind=link.kind, fault=type(fault).__name__)
            return pushed
    return len(links)


async def push_left_over(runtime: Runtime, kind: LinkKind) -> int:
    """Push what a process that died between its commit and its push may have left: the last that is undone.

    A job that waits, runs or failed is known by its id and stays as it is. What is older, the sweep pushes.
    """
    async with runtime.database.read() as connection:
        undone = await store.newest_undone(connection, kind.name, SWEEP_MAX)
    return await push(runtime, kind, undone)


async def sweep(runtime: Runtime, kind: LinkKind) -> int:
    """Push again what is overdue. Whoever claims the attempt pushes it; being second is no error."""
    now_ms = runtime.clock.now_ms()
    wait_ms = runtime.clock.product_ms(OVERDUE_S)
    async with runtime.database.read() as connection:
        late = await store.overdue(connection, kind.name, now_ms, wait_ms, SWEEP_MAX)
    pushed = 0
    for link in late:
        attempt = link.attempts + 1
        job_id = kind.job_id(link, attempt)
        async with runtime.database.transaction() as connection:
            is_mine = await store.claim(connection, link, job_id, now_ms)
        if not is_mine:
            continue
        log.warning("link.pushed_again", call_id=link.call_id, kind=link.kind, attempt=attempt)
        await runtime.jobs.push(link.work_queue, kind.function, job_id, **kind.ids_of(link))
        pushed += 1
    return pushed
