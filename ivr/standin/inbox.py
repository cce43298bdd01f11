"""What a leg waits for, and the only way it waits.

Each leg is carried by one task. Everything that can happen to it (a key, a word, a hang-up, a redirect) is
put into its inbox, and every wait of a verb goes through ``take`` or ``during``. Things heard are returned;
things that take the leg away from its verb are raised as an ``Interrupt``, so that a verb needs to know
only of those it can answer. No interrupt may be swallowed by a verb that did not expect it.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from config.clock import Clock

if TYPE_CHECKING:
    from ivr.standin.twiml import Document

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A document to ask for, and what to say besides the usual parameters."""

    url: str
    method: str = "POST"
    params: tuple[tuple[str, str], ...] = ()

    def saying(self, **params: str) -> "Target":
        return Target(self.url, self.method, (*self.params, *params.items()))


@dataclass(frozen=True)
class Key:
    digit: str


@dataclass(frozen=True)
class Speech:
    text: str
    confidence: float | None
    lasts_ms: int


@dataclass(frozen=True)
class Tidings:
    """News from another leg: a child's progress, the end of a bridge."""

    kind: str
    source: object


Signal = Key | Speech | Tidings


class Scope:
    """One verb's stay; what is addressed to it is stale once it is over."""

    def __init__(self) -> None:
        self.is_over = False


class Interrupt(Exception):  # noqa: N818  it is no error: a leg is called away
    """The leg is taken away from what it was doing."""

    scope: Scope | None = None


class Gone(Interrupt):
    """The call has ended."""


class Redirected(Interrupt):
    """Another document takes over, after a while."""

    def __init__(self, source: "Target | Document", delay_ms: int = 0) -> None:
        super().__init__()
        self.source = source
        self.delay_ms = delay_ms


class Dequeued(Interrupt):
    """The leg was taken out of its queue: to a document, or to another leg."""

    def __init__(self, scope: Scope, source: Target | None, taker: object | None = None) -> None:
        super().__init__()
        self.scope = scope
        self.source = source
        self.taker = taker


class Changed(Interrupt):
    """The conference asks this leg to look again at what it should hear."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope


class Left(Interrupt):
    """The leg is no longer in its conference or queue."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope


class BargedIn(Interrupt):
    """A key or a word arrived while a gather was still speaking."""

    def __init__(self, signal: Key | Speech) -> None:
        super().__init__()
        self.signal = signal


class Inbox:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._signals: deque[Signal | Interrupt] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, signal: Signal | Interrupt) -> None:
        self._signals.append(signal)
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def forget_heard(self) -> None:
        """Keys and words of the past are not kept for the next verb."""
        self._signals = deque(signal for signal in self._signals if not isinstance(signal, Key | Speech))

    async def take(self, for_ms: float | None = None) -> Signal | None:
        """The next thing heard, or None when the time is over; interrupts are raised."""
        loop = asyncio.get_running_loop()
        until = None if for_ms is None else loop.time() + self._clock.real_s(for_ms)
        while True:
            signal = self._next()
            if signal is not None:
                return signal
            if not await self._sleep(until):
                return None

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for some work; an interrupt leaves it to finish alone, its result unheard."""
        try:
            self.check()
        except Interrupt:
            work.close()
            raise
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._worked)
        while not task.done():
            self._next()
            if not task.done():
                await self._sleep(None)
        return task.result()

    def check(self) -> None:
        """Raise what is already waiting to interrupt."""
        for signal in list(self._signals):
            if isinstance(signal, Interrupt):
                self._signals.remove(signal)
                if signal.scope is None or not signal.scope.is_over:
                    raise signal

    def _worked(self, task: "asyncio.Future[Any]") -> None:
        if not task.cancelled():
            task.exception()
        self.wake()

    def _next(self) -> Signal | None:
        while self._signals:
            signal = self._signals.popleft()
            if not isinstance(signal, Interrupt):
                return signal
            if signal.scope is None or not signal.scope.is_over:
                raise signal
        return None

    async def _sleep(self, until: float | None) -> bool:
        """Sleep until woken (True) or until the instant on the loop's clock (False)."""
        loop = asyncio.get_running_loop()
        if until is not None and until <= loop.time():
            await asyncio.sleep(0)
            return bool(self._signals)
        self._waiter = waiter = loop.create_future()
        timer = None if until is None else loop.call_at(until, _expire, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        return until is None or until > loop.time() or bool(self._signals)


def _expire(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
