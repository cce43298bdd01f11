"""The clockwork: chores that come round again, done by whichever clock process gets to them first.

A chore claims what it does by conditional change, so any number of clock processes may run it at once. One
chore that fails is logged and comes round again; the others go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete

from config.clock import Clock
from config.log import get_log
from config.runtime import Runtime
from config.web.sessions import sessions, wall_ms
from queues.service import journal, links

log = get_log(__name__)

PACE_S = 0.25


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` says how much it did. It comes round every so often, in real seconds."""

    name: str
    every_s: float
    run: Callable[[Runtime], Awaitable[int]]


def own_chores(reader_names: Collection[str]) -> tuple[Chore, ...]:
    """The chores of this storey. The journal is kept for the readers named here."""
    return (
        Chore("sweep_tickets", 5.0, lambda runtime: links.sweep(runtime, links.OPEN_TICKET)),
        Chore("trim_journal", 60.0, lambda runtime: journal.trim(runtime, reader_names)),
        Chore("end_sessions", 300.0, end_sessions),
    )


async def end_sessions(runtime: Runtime) -> int:
    """Forget sign-in sessions that have run out; their time is real time."""
    async with runtime.database.transaction() as connection:
        ended = await connection.execute(delete(sessions).where(sessions.c.expires_ms <= wall_ms()))
    return int(ended.rowcount)


@dataclass
class Clockwork:
    """The chores of one process; `tick()` does those that have come round and says whether there was work."""

    runtime: Runtime
    chores: Sequence[Chore]
    real: Clock = field(default_factory=Clock.real)
    due_ms: dict[str, int] = field(default_factory=dict)

    async def tick(self) -> bool:
        done = 0
        for chore in self.chores:
            if self.due_ms.get(chore.name, 0) <= self.real.now_ms():
                done += await self.do(chore)
                self.due_ms[chore.name] = self.real.now_ms() + self.real.product_ms(chore.every_s)
        return done > 0

    async def do(self, chore: Chore) -> int:
        try:
            count = await chore.run(self.runtime)
        except Exception as fault:
            log.exception("chore.failed", chore=chore.name, fault=type(fault).__name__)
            return 0
        if count:
            log.info("chore.done", chore=chore.name, count=count)
        return count


async def run(runtime: Runtime, chores: Sequence[Chore]) -> None:
    """The loop of the `clock` process, until it is cancelled."""
    clockwork = Clockwork(runtime, chores)
    while True:
        await clockwork.tick()
        await asyncio.sleep(PACE_S)
