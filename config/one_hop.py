"""SQLite from an event loop with one hand-over to the connection's thread for each statement.

aiosqlite hands over four times: to make a cursor, to run the statement, to fetch, to close. Each costs more than most
statements. Here the four are one. What must hold: rows come as they would have come, a long answer is fetched in parts,
no finished statement is held, and a loop that ends while a statement runs leaves no thread and no open file.
"""

import sqlite3
from asyncio import Future
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import aiosqlite
from aiosqlite.core import _STOP_RUNNING_SENTINEL, set_exception, set_result

ROWS_AT_ONCE: Final = 2_000  # what a longer answer has is fetched when it is asked for
FETCH_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What a statement said; `left` is its cursor while there may be more rows."""

    rows: list[Any]
    description: Any
    rowcount: int
    lastrowid: int
    left: sqlite3.Cursor | None


NOTHING: Final = Told([], None, -1, 0, None)


def perform(
    cursor: Callable[[], sqlite3.Cursor], sql: str, parameters: Iterable[Any] | None, *, is_many: bool
) -> Told:
    """In the connection's thread, from the first to the last."""
    at = cursor()
    left = None
    try:
        if is_many:
            at.executemany(sql, parameters or ())
        else:
            at.execute(sql, parameters or ())  # type: ignore[arg-type]  # a sequence or a mapping
        rows = at.fetchmany(ROWS_AT_ONCE) if at.description else []
        if len(rows) == ROWS_AT_ONCE:
            left = at
        return Told(rows, at.description, at.rowcount, at.lastrowid or 0, left)
    finally:
        if left is None:
            at.close()


class OneHopCursor(aiosqlite.Cursor):
    def __init__(self, connection: aiosqlite.Connection, cursor: Callable[[], sqlite3.Cursor]) -> None:
        super().__init__(connection, None)  # type: ignore[arg-type]  # there is none between two statements
        self._new = cursor
        self._told = NOTHING

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "OneHopCursor":
        self._told = await self._hop(perform, self._new, sql, parameters, is_many=False)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "OneHopCursor":
        self._told = await self._hop(perform, self._new, sql, parameters, is_many=True)
        return self

    async def fetchall(self) -> list[Any]:
        rows = self._taken()
        return [*rows, *await self._hop(self._told.left.fetchall)] if self._told.left else rows

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        if not self._told.rows and self._told.left:
            return list(await self._hop(self._told.left.fetchmany, size or FETCH_AT_ONCE))
        return self._taken(size or FETCH_AT_ONCE)

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        """What it told of itself can be asked for still."""
        if self._told.left:
            await self._hop(self._told.left.close)
        self._told = replace(self._told, rows=[], left=None)

    async def _hop(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return await self._execute(work, *arguments, **named)  # type: ignore[no-untyped-call]  # untyped there

    @property
    def description(self) -> Any:
        return self._told.description

    @property
    def rowcount(self) -> int:
        return self._told.rowcount

    @property
    def lastrowid(self) -> int:
        return self._told.lastrowid

    def _taken(self, count: int | None = None) -> list[Any]:
        rows = self._told.rows[:count]
        del self._told.rows[:count]
        return rows


def work_off(tasks: "SimpleQueue[tuple[Future[Any] | None, Callable[[], Any]]]") -> None:
    """The connection's thread. Theirs dies when it has to answer a loop that is closed, and what came after it, the
    closing too, is never done."""
    settle: Callable[..., None]
    told: Any = None
    while told is not _STOP_RUNNING_SENTINEL:
        future, task = tasks.get()
        try:
            settle, told = set_result, task()
        except BaseException as fault:
            settle, told = set_exception, fault
        if future is not None:
            with suppress(RuntimeError):  # its loop is closed: nobody waits for it any more
                future.get_loop().call_soon_threadsafe(settle, future, told)


class OneHopConnection(aiosqlite.Connection):
    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, FETCH_AT_ONCE)
        # A daemon, as the engine would have it: a process that ends does not wait for it.
        self._thread = Thread(target=work_off, args=(self._tx,), daemon=True)

    def cursor(self) -> OneHopCursor:  # type: ignore[override]  # theirs costs a hand-over
        return OneHopCursor(self, self._conn.cursor)


def connect(database: str, **options: Any) -> OneHopConnection:
    """In place of `aiosqlite.connect`."""
    return OneHopConnection(partial(sqlite3.connect, database, **options))
