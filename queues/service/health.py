"""What an operator asks first: do the stores answer, do the readers of the journal keep up, what failed.

Looking changes nothing and never raises: a store that does not answer is what this is there to say.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.clock import Clock
from config.runtime import Runtime
from queues.domain.journal import parse_id
from queues.domain.tickets import WORK_QUEUE_DEFAULT
from queues.service import reporting
from queues.service.plans import plan_of
from queues.store import calls, journal, readers
from queues.store.calls import CallFilter

Answer = TypeVar("Answer")
PATIENCE_S = 3.0
BEHIND_COUNTED_MAX = 1000
DISPATCHER = "dispatcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One thing that was asked: in how many real milliseconds it answered, or the kind of trouble it had."""

    name: str
    took_ms: int
    trouble: str = ""

    @property
    def is_good(self) -> bool:
        return not self.trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderHealth:
    name: str
    holder: str
    lease_s: int  # real seconds left; 0 when nobody holds it
    behind: int  # lines; BEHIND_COUNTED_MAX means that many or more
    behind_ms: int = 0  # from the newest line that it has read to the newest there is, by the product's clock
    is_missed: bool = False  # calls wait for nobody while this one is away


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkQueueHealth:
    name: str
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    stores: tuple[Answered, ...]
    journal_lines: int
    journal_newest_ms: int | None
    readers: tuple[ReaderHealth, ...]
    work_queues: tuple[WorkQueueHealth, ...]
    last_call_ms: int | None
    reports_missing: tuple[tuple[str, int], ...] = ()  # which, and by when it was to be there

    @property
    def is_alive(self) -> bool:
        return all(store.is_good for store in self.stores)


async def look(runtime: Runtime) -> Health:
    live, database, jobs = await asyncio.gather(
        _ask("live_store", lambda: _journal(runtime)),
        _ask("database", lambda: _history(runtime)),
        _ask("job_store", lambda: _work_queues(runtime)),
    )
    lines, newest_id, *leader = live.answer or (0, None)
    positions, last_call_ms = database.answer or ((), None)
    missing = (await _ask("reports", lambda: _missing(runtime))).answer or ()
    return Health(
        stores=(live.told, database.told, jobs.told),
        journal_lines=lines,
        journal_newest_ms=parse_id(newest_id)[0] if newest_id else None,
        readers=(*leader, *[await _reader(runtime, each, newest_id) for each in positions]),
        work_queues=jobs.answer or (),
        last_call_ms=last_call_ms,
        reports_missing=missing,
    )


async def _missing(runtime: Runtime) -> tuple[tuple[str, int], ...]:
    found = await reporting.missing(runtime, plan_of(runtime))
    return tuple((row.report_id, due_ms) for row, due_ms in found)


@dataclass(frozen=True, slots=True)
class _Asked(Generic[Answer]):
    told: Answered
    answer: Answer | None


async def _ask(name: str, ask: Callable[[], Awaitable[Answer]]) -> _Asked[Answer]:
    wall = Clock.real()
    began_ms = wall.now_ms()
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await ask()
    except (RedisError, SQLAlchemyError, OSError) as error:
        took_ms = wall.now_ms() - began_ms
        return _Asked(Answered(name=name, took_ms=took_ms, trouble=type(error).__name__), None)
    return _Asked(Answered(name=name, took_ms=wall.now_ms() - began_ms), answer)


async def _journal(runtime: Runtime) -> tuple[int, str | None, ReaderHealth]:
    """The journal, and who matches calls with agents: his lease is in the live store."""
    key = journal.journal_key(runtime.settings.site)
    newest: Any = await runtime.redis.xrevrange(key, count=1)
    lines = int(await runtime.redis.xlen(key))
    leader_key = f"{{{runtime.settings.site}}}:leader:{DISPATCHER}"
    holder = str(await runtime.redis.get(leader_key) or "")
    left_ms = max(0, await runtime.redis.pttl(leader_key))
    lease_s = -(-left_ms // 1000)  # a second that has begun is left
    leader = ReaderHealth(name=DISPATCHER, holder=holder, lease_s=lease_s, behind=0, is_missed=not holder)
    return lines, str(newest[0][0]) if newest else None, leader


async def _history(runtime: Runtime) -> tuple[tuple[readers.Position, ...], int | None]:
    async with runtime.database.read() as connection:
        positions = await readers.all_positions(connection)
        newest = await calls.newest_first(connection, CallFilter(site=runtime.settings.site), None, 1)
    return tuple(positions), newest[0]["arrived_ms"] if newest else None


async def _work_queues(runtime: Runtime) -> tuple[WorkQueueHealth, ...]:
    names = sorted({*plan_of(runtime).work_queues(), WORK_QUEUE_DEFAULT, "audio"})
    return tuple(
        [
            WorkQueueHealth(
                name=name,
                waiting=await runtime.jobs.waiting(name),
                failed=len(await runtime.jobs.failed(name)),
            )
            for name in names
        ]
    )


async def _reader(runtime: Runtime, position: readers.Position, newest_id: str | None) -> ReaderHealth:
    lease_ms = (position.lease_until_ms or 0) - Clock.real().now_ms()
    behind = behind_ms = 0
    if newest_id and parse_id(position.last_id) < parse_id(newest_id):
        site = runtime.settings.site
        asked = await _ask(
            "behind", lambda: journal.read_after(runtime.redis, site, position.last_id, BEHIND_COUNTED_MAX)
        )
        behind = len(asked.answer or ())
        read_ms = parse_id(position.last_id)[0]
        behind_ms = parse_id(newest_id)[0] - read_ms if read_ms and behind else 0
    return ReaderHealth(
        name=position.name,
        holder=position.holder or "",
        lease_s=max(0, -(-lease_ms // 1000)),
        behind=behind,
        behind_ms=behind_ms,
    )
