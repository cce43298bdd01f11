"""Connections to the live store: a Valkey or Redis by URL, or the embedded one of the state directory.

A command is sent once. The library's own repeats are off: a script whose reply got lost may have run, and
only its caller knows whether asking again is safe. (A connection that died while idle is noticed when it is
taken from the pool and replaced, so a restarted store costs nobody an error.) No command takes longer than
LIMIT_S, whoever blocks in one asks for at most BLOCK_MS_MAX. One limit around a command does what the
library's four do (a free connection, connecting, writing, reading) at a third of their price. Nor does a command
pay for the library's retries, its counts for OpenTelemetry, or its packing in Python: nobody here asks for them.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Any

import redis as sync_redis
from hiredis import pack_command
from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.retry import Retry as SyncRetry

from config.settings import Settings
from config.store_server import socket_path

LIMIT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
BLOCK_MS_MAX = 2_000
CONNECTIONS_MAX = 64
WAIT_FOR_STORE_S = 30.0
_CONNECTING: dict[str, Any] = {"socket_connect_timeout": CONNECT_TIMEOUT_S, "protocol": 2}

# What a caller sees when the store is away, still loading, or too slow to answer.
STORE_ERRORS: tuple[type[Exception], ...] = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)


class StoreAbsentError(Exception):
    """The live store did not answer in time."""

    def __init__(self, why: object) -> None:
        super().__init__(f"{self.__doc__} ({why})")


class Connections(ConnectionPool):
    """The library's pool, which hands out the same connections without counting them: nobody reads its figures.

    Between two awaits nobody else runs, so it needs no lock either.
    """

    async def get_connection(self) -> Any:  # type: ignore[override]  # without the names nobody reads
        connection: Any = self.get_available_connection()  # type: ignore[no-untyped-call]  # untyped there
        try:
            await self.ensure_connection(connection)
        except BaseException:
            # Also whoever is cancelled gives it back: else the pool had one less for good.
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: Any) -> None:
        self._in_use_connections.remove(connection)
        try:
            if connection.should_reconnect():
                await connection.disconnect()
        finally:
            self._available_connections.append(connection)


class LiveStore(Redis):
    """A client whose commands and pipelines wait for a free connection, and end within the limit."""

    def __init__(self, pool: ConnectionPool) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self.limit_s = LIMIT_S
        self._free = asyncio.Semaphore(CONNECTIONS_MAX)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        return await self.within_limit(self._ask(*args, **options))

    async def _ask(self, command: str, *args: Any, **options: Any) -> Any:
        """A connection that fails, or is left while an answer is under way, drops itself."""
        pool: Any = self.connection_pool
        connection = await pool.get_connection()
        try:
            await connection.send_packed_command(pack_command((*command.split(), *args)))
            return await self.parse_response(connection, command, **options)
        finally:
            await pool.release(connection)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "LivePipeline":
        return LivePipeline(self, transaction, shard_hint)

    async def within_limit(self, work: Awaitable[Any], *, has_place: bool = False) -> Any:
        """At the limit the connection is dropped, and the library's own error raised."""
        try:
            async with asyncio.timeout(self.limit_s), nullcontext() if has_place else self._free:
                return await work
        except TimeoutError:
            raise exceptions.TimeoutError(f"no answer within {self.limit_s:g} s") from None

    async def take_place(self) -> None:
        await self._free.acquire()

    def leave_place(self) -> None:
        self._free.release()


class LivePipeline(Pipeline):
    """Who watches keeps a connection between two commands, and so a place among the free until `reset`."""

    def __init__(self, store: LiveStore, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(store.connection_pool, store.response_callbacks, transaction, shard_hint)
        self._store = store
        self._has_place = False

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        work = super().execute(raise_on_error)
        done: list[Any] = await self._store.within_limit(work, has_place=self._has_place)
        return done

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """WATCH, and what is read between it and MULTI."""
        return await self._store.within_limit(self._execute_at_once(*args, **options), has_place=True)

    async def _execute_at_once(self, *args: Any, **options: Any) -> Any:
        if not self._has_place:
            await self._store.take_place()
            self._has_place = True
        return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def reset(self) -> None:  # type: ignore[override]
        """At the limit there is nothing to tell: with the connection goes what was watched on it."""
        try:
            async with asyncio.timeout(self._store.limit_s):
                await super().reset()  # type: ignore[no-untyped-call]
        except TimeoutError:
            return
        finally:
            if self._has_place:
                self._has_place = False
                self._store.leave_place()


def connect(settings: Settings) -> LiveStore:
    """A client of the live store; nothing is opened before the first command."""
    options: dict[str, Any] = {
        **_CONNECTING,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": CONNECTIONS_MAX,
        "socket_timeout": None,
    }
    if settings.redis_url is not None:
        return LiveStore(Connections.from_url(settings.redis_url, **options))
    path = str(socket_path(settings.state_dir))
    return LiveStore(Connections(connection_class=UnixDomainSocketConnection, path=path, **options))


def connect_queue(settings: Settings) -> sync_redis.Redis:
    """A blocking client for the work queues, which want bytes and may live on a server of their own."""
    url = settings.queue_redis_url or settings.redis_url
    options = {**_CONNECTING, "socket_timeout": LIMIT_S, "retry": SyncRetry(NoBackoff(), 0)}
    if url is not None:
        return sync_redis.Redis.from_url(url, **options)
    return sync_redis.Redis(unix_socket_path=str(socket_path(settings.state_dir)), **options)


async def wait_for_store(settings: Settings, within_s: float = WAIT_FOR_STORE_S) -> None:
    """Return once the store answers and has loaded its data; raises StoreAbsentError when it does not."""
    why: object = "no answer"
    try:
        async with asyncio.timeout(within_s):
            while (fault := await _ask(settings)) is not None:
                why = fault
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise StoreAbsentError(why) from None


def is_cancelled() -> bool:
    """Whether this task was told to stop: a cancellation that meets a reply can be swallowed in the library.

    It asks a socket with a time limit of nothing whether there is more to read, and takes the one for the
    other's end. So a loop that is to end asks here before it goes round again.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _ask(settings: Settings) -> Exception | None:
    # A new client each time: the embedded store may have just said where its socket is.
    async with connect(settings) as client:
        try:
            await client.ping()
        except STORE_ERRORS as fault:
            return fault
        return None
