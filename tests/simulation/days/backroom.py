"""The scribe, the workers and the clock's sweep of a day: they write down what happens, and die at any point of it.

A worker's jobs are done by RQ's own worker in another thread, so they take one turn together; he dies inside one of
them, and what he had in hand is done by the sweep's next push.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from config.jobs import work_off
from config.runtime import Runtime
from queues.service import links
from queues.service.history import Scribe, scribe
from queues.service.plans import plan_of
from tests.simulation.days.timeline import Died, Mortality, Timeline

WRITES_EVERY_MS = 40_000
WORKS_EVERY_MS = 240_000
OVERDUE_MS = 61_000
ROUNDS_MAX = 20


@dataclass
class Backroom:
    runtime: Runtime
    timeline: Timeline
    runtime_of: Callable[[Mortality], Runtime]
    mortality: Mortality = field(init=False)
    reader: Scribe = field(init=False)
    worker_dies: str = ""  # before or after his next transaction
    worker_deaths: int = 0

    def __post_init__(self) -> None:
        self._begins()

    def _begins(self) -> None:
        """The next life of the scribe; the lease of the one before has run out."""
        self.mortality = Mortality(self.timeline)
        self.reader = scribe(self.runtime_of(self.mortality), f"scribe {id(self.mortality)}")
        self.reader.real = self.runtime.clock

    async def works(self) -> None:
        next_ms = self.timeline.now_ms + WORKS_EVERY_MS
        while True:
            await self.timeline.sleep(WRITES_EVERY_MS)
            with contextlib.suppress(Died):
                await self.reader.drain()
            if self.timeline.now_ms >= next_ms:
                next_ms = self.timeline.now_ms + WORKS_EVERY_MS
                await links.sweep(self.runtime_of(Mortality(self.timeline)), links.OPEN_TICKET)
                async with self.timeline.nothing_else():
                    await self._works_off()

    async def _works_off(self) -> None:
        dies, self.worker_dies = self.worker_dies, ""
        self.worker_deaths += bool(dies)
        database: Any = FatalDatabase(self.runtime.database, dies)
        await work_off(replace(self.runtime, database=database), plan_of(self.runtime).work_queues())

    async def dies(self, chance: Random) -> None:
        """One of the two; the scribe lives again when his lease has run out."""
        dies = chance.choice(["before", "after"])
        if chance.random() < 0.5:
            self.worker_dies = dies
            return
        self.mortality.dies, self.mortality.requests_left = dies, chance.randrange(8)
        await self.timeline.sleep(WRITES_EVERY_MS)
        self.mortality.is_dead = True
        await self.timeline.sleep(4_000)
        self._begins()

    def lives_again(self) -> None:
        self.worker_dies = ""
        self._begins()

    async def finishes(self) -> None:
        """Everything that happened is written down, and every job is done: at once, or pushed again when overdue."""
        await self.timeline.end()
        for _ in range(ROUNDS_MAX):
            reader = scribe(self.runtime, "the last one")
            reader.real = self.runtime.clock
            written = await reader.drain()
            await self._works_off()
            self.timeline.leap_over(OVERDUE_MS)
            if not written and not await links.sweep(self.runtime, links.OPEN_TICKET):
                return
        raise AssertionError("the books are never done")


class FatalDatabase:
    """SQL as a worker asks it who dies with his first transaction."""

    def __init__(self, database: Any, dies: str) -> None:
        self._database, self._dies = database, dies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextlib.asynccontextmanager
    async def transaction(self) -> Any:
        dies, self._dies = self._dies, ""
        async with self._database.transaction() as connection:
            yield connection
            if dies == "before":
                raise WorkerDiedError
        if dies == "after":
            raise WorkerDiedError


class WorkerDiedError(Exception):
    """As far as anybody sees: his job is never done."""
