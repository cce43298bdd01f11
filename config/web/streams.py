"""What happens now, sent to the pages as it happens.

`sse` turns a generator of events into one endless answer. `JournalTail` reads the journal once for the whole
process and hands each line to every page that listens. A page subscribes first and reads its picture after,
so nothing falls between. When the store goes away, or a page cannot keep up, its stream ends: the browser
says that the connection is lost and comes back for a fresh picture, instead of showing an old one as if it
were new.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.responses import StreamingResponse

from config.clock import Clock
from config.log import get_log

HEARTBEAT_S = 10.0  # less than what proxies take for silence
RETRY_MS = 2000
BLOCK_MS = 1000
LINES_PER_READ = 500
BACKLOG_MAX = 2000
BEAT = "event: beat\ndata: 1\n\n"  # an event, not a comment: the page hears it and knows the line is up

log = get_log(__name__)


@dataclass(frozen=True)
class Event:
    data: str
    name: str = "message"

    def encode(self) -> str:
        lines = "".join(f"data: {line}\n" for line in self.data.split("\n"))
        return f"event: {self.name}\n{lines}\n"


def sse(events: AsyncIterator[Event]) -> StreamingResponse:
    """An event stream of what the generator yields; the generator is closed when the reader leaves."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_encoded(events), media_type="text/event-stream", headers=headers)


async def _encoded(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    coming: asyncio.Task[Event] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({coming}, timeout=HEARTBEAT_S)
            if not done:
                yield BEAT
                continue
            event, coming = coming.result(), None
            yield event.encode()
    except StopAsyncIteration:
        return
    except (RedisError, OSError) as error:
        log.warning("stream.ended", error=type(error).__name__)
    finally:
        if coming is not None:
            await _cancel(coming)
        if hasattr(events, "aclose"):
            await events.aclose()


@dataclass(frozen=True)
class Line:
    """One line of the journal, fields as they were written."""

    line_id: str
    fields: dict[str, str]


class Subscription:
    """The lines since somebody began to listen; it ends with the tail, or when the backlog is too long."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue()
        self.is_over = False

    def put(self, line: Line) -> None:
        if self._lines.qsize() >= BACKLOG_MAX:
            self.end()
        if not self.is_over:
            self._lines.put_nowait(line)

    def end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._lines.put_nowait(None)

    def waiting(self) -> list[Line]:
        """Takes what is there without waiting: many lines may be worth one new picture."""
        lines: list[Line] = []
        while not self._lines.empty():
            line = self._lines.get_nowait()
            if line is None:
                self._lines.put_nowait(None)
                break
            lines.append(line)
        return lines

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Line:
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise StopAsyncIteration
        return line


class JournalTail:
    """One reader of the journal per process. Use as a context manager for as long as the process serves."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key
        self._subscriptions: set[Subscription] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_reading = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="journal tail")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Ends every stream; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            await _cancel(task)
        self._is_reading.set()  # nobody waits for a tail that has stopped
        self._end_all()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Every line written from now on. Read the picture you start from inside the block."""
        await self._is_reading.wait()
        subscription = Subscription()
        self._subscriptions.add(subscription)
        if self._task is None:
            subscription.end()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _run(self) -> None:
        while True:
            try:
                last_id = await self._last_id()
                self._is_reading.set()
                while True:
                    last_id = await self._read(last_id)
            except (RedisError, OSError) as error:
                log.warning("journal_tail.lost", error=type(error).__name__)
                self._is_reading.clear()
                self._end_all()
                await Clock.real().sleep(500)

    async def _last_id(self) -> str:
        newest: Any = await self._redis.xrevrange(self._key, count=1)
        return str(newest[0][0]) if newest else "0-0"

    async def _read(self, last_id: str) -> str:
        found: Any = await self._redis.xread({self._key: last_id}, count=LINES_PER_READ, block=BLOCK_MS)
        # A list of (key, lines) in the second protocol, a mapping in the third.
        batches = found.values() if isinstance(found, dict) else [lines for _, lines in found or []]
        for lines in batches:
            for line_id, fields in lines:
                last_id = str(line_id)
                for subscription in tuple(self._subscriptions):
                    subscription.put(Line(last_id, fields))
        return last_id

    def _end_all(self) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.end()


async def _cancel(task: asyncio.Task[Any]) -> None:
    """Until it is over: redis-py may swallow a cancellation that comes while it takes a connection."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)
    if not task.cancelled():
        task.exception()  # seen, so that nobody complains that it was not
