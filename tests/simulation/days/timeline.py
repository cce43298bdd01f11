"""Virtual time, and one thing at a time: whatever is asked of a store or of the provider waits for its turn.

Everybody who lives on the timeline is a task: he naps until an instant, or until he is poked. When all of them nap or
stand before the turnstile, the seed says whose request goes through next; when nobody stands there, time leaps to the
next instant somebody naps until. So any two requests can overtake each other, and the same seed does the same again.
A process that is to die does so at its n-th request: before it is made, or after it was made and before it is heard.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from redis.asyncio import Redis

from config.redis import LiveStore
from tests.doubles import ManualClock

Answer = TypeVar("Answer")


class Died(BaseException):
    """The process is gone, at this very point."""


@dataclass
class Nap:
    """One sleeper; `poke` wakes him before his time."""

    future: asyncio.Future[bool]

    def poke(self) -> None:
        if not self.future.done():
            self.future.set_result(True)


class ShiftedClock(ManualClock):
    """The house's clock: the timeline's, and whatever it was set forward or back by."""

    def set_to(self, at_ms: int) -> None:
        self._now_ms = at_ms


@dataclass
class Timeline:
    clock: ShiftedClock
    chance: Random
    now_ms: int = 0
    shift_ms: int = 0  # by which the house's clock is wrong
    is_in_turn: bool = False  # requests go through as they came: nobody overtakes
    requests: int = 0
    _coming: list[tuple[int, int, Nap]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)
    _at_turnstile: list[asyncio.Future[None]] = field(default_factory=list)
    _is_busy: bool = False
    _calm: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    faults: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now_ms = self.clock.now_ms()

    # For who lives on it

    def begin(self, life: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(life)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) and not isinstance(fault, Died):
            self.faults.append(fault)

    def nap(self, for_ms: int) -> Nap:
        nap = Nap(asyncio.get_running_loop().create_future())
        heapq.heappush(self._coming, (self.now_ms + max(0, for_ms), next(self._order), nap))
        return nap

    async def sleep(self, for_ms: int) -> None:
        await self.nap(for_ms).future

    @asynccontextmanager
    async def nothing_else(self) -> AsyncIterator[None]:
        """From its turn on until the end of the block nobody else makes a request."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._at_turnstile.append(turn)
        await turn
        try:
            yield
        finally:
            self._is_busy = False
            self._calm.set()

    async def pass_turnstile(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a request when its turn comes."""
        async with self.nothing_else():
            return await ask()

    # For who drives it

    async def settle(self) -> None:
        """Until everybody naps."""
        loop: Any = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0)
            if loop._ready:
                continue
            if self._is_busy:
                self._calm.clear()
                await self._calm.wait()
            elif self._at_turnstile:
                self._is_busy = True
                self.requests += 1
                at = 0 if self.is_in_turn else self.chance.randrange(len(self._at_turnstile))
                self._at_turnstile.pop(at).set_result(None)
            else:
                break
        if self.faults:
            raise self.faults[0]

    async def leap(self, until_ms: int) -> bool:
        """To the next instant at which somebody wakes, who then does what he wants to; not past `until_ms`."""
        while self._coming and self._coming[0][2].future.done():
            heapq.heappop(self._coming)
        if not self._coming or self._coming[0][0] > until_ms:
            self._move_to(max(self.now_ms, until_ms))
            return False
        at_ms, _, nap = heapq.heappop(self._coming)
        self._move_to(at_ms)
        nap.future.set_result(False)
        return True

    def _move_to(self, at_ms: int) -> None:
        self.now_ms = at_ms
        self.clock.set_to(self.now_ms + self.shift_ms)

    def leap_over(self, for_ms: int) -> None:
        """Nobody lives any more."""
        self._move_to(self.now_ms + for_ms)

    def shift(self, by_ms: int) -> None:
        """Somebody sets the house's clock."""
        self.shift_ms += by_ms
        self._move_to(self.now_ms)

    async def end(self) -> None:
        """Nobody goes on living."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass
class Mortality:
    """What a process has left to live: so many requests, or as many as it likes."""

    timeline: Timeline
    requests_left: int | None = None
    dies: str = "before"  # or after its last request
    is_dead: bool = False
    _is_last: bool = False

    async def ask(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self.request():
            return await ask()

    @asynccontextmanager
    async def request(self, *, is_lost: bool = False) -> AsyncIterator[None]:
        """The turn of one request; the last one is made or not, and in both cases nobody hears its answer.

        With `is_lost` it is for the request itself to say (`die_if_it_was_the_last`) when it is not made.
        """
        self._die_if_dead()
        async with self.timeline.nothing_else():
            self._die_if_dead()
            self._is_last = self.requests_left == 0
            if self.requests_left:
                self.requests_left -= 1
            if not is_lost:
                self.die_if_it_was_the_last("before")
            yield
            self.die_if_it_was_the_last("after")

    def die_if_it_was_the_last(self, dies: str) -> None:
        if self._is_last and self.dies == dies:
            self.is_dead = True
            raise Died

    def _die_if_dead(self) -> None:
        if self.is_dead:
            raise Died


class MortalStore(LiveStore):
    """The live store as one process asks it."""

    def __init__(self, store: Redis, mortality: Mortality) -> None:
        super().__init__(store.connection_pool)
        self.auto_close_connection_pool = False
        self.mortality = mortality

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        ask = super().execute_command
        return await self.mortality.ask(lambda: ask(*args, **options))

    def pipeline(self, *given: Any, **named: Any) -> Any:
        """Many commands, one request; what it asks before them, because others may write, is one each."""
        pipe = super().pipeline(*given, **named)
        for name in ("execute", "immediate_execute_command"):
            setattr(pipe, name, self._in_turn(getattr(pipe, name)))
        return pipe

    def _in_turn(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def ask(*given: Any, **named: Any) -> Any:
            return await self.mortality.ask(lambda: real(*given, **named))

        return ask


class TimelyDatabase:
    """SQL as a process asks it: a look at it is one request, for it takes real time; so is a transaction, with which
    a process may die before its commit or after it."""

    def __init__(self, database: Any, mortality: Mortality) -> None:
        self._database, self._mortality = database, mortality

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        async with self._mortality.request(), self._database.read() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self._mortality.request(is_lost=True), self._database.transaction() as connection:
            yield connection
            self._mortality.die_if_it_was_the_last("before")


class TimelyJobs:
    """The work queues as a process pushes to them: each push is one request."""

    def __init__(self, jobs: Any, mortality: Mortality) -> None:
        self._jobs, self._mortality = jobs, mortality

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    async def push(self, *given: Any, **named: Any) -> Any:
        return await self._mortality.ask(lambda: self._jobs.push(*given, **named))


class MortalTelephony:
    """The provider as one process asks it."""

    def __init__(self, telephony: Any, mortality: Mortality) -> None:
        self._telephony, self._mortality = telephony, mortality

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._telephony, name)
        if not asyncio.iscoroutinefunction(real):
            return real

        async def call(*given: Any, **named: Any) -> Any:
            return await self._mortality.ask(lambda: real(*given, **named))

        return call
