"""SQLite with one hand-over a statement: the same rows as ever, and nothing held back."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from config.database import Database
from config.one_hop import ROWS_AT_ONCE, OneHopConnection, connect

COUNTING = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
    SELECT n FROM numbers
"""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'one.sqlite'}")
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE things (name TEXT PRIMARY KEY)"))
    yield database
    await database.close()


async def test_a_statement_costs_one_hand_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    hops = []
    execute = OneHopConnection._execute

    async def counted(self: Any, work: Any, *rest: Any, **named: Any) -> Any:
        hops.append(work)
        return await execute(self, work, *rest, **named)  # type: ignore[no-untyped-call]

    async with database.transaction() as connection:
        monkeypatch.setattr(OneHopConnection, "_execute", counted)
        put = text("INSERT INTO things VALUES (:name) RETURNING name")
        assert (await connection.execute(put, {"name": "one"})).scalars().all() == ["one"]
        assert len(hops) == 1
        many = await connection.execute(
            text("INSERT INTO things VALUES (:name)"), [{"name": "two"}, {"name": "three"}]
        )
        assert (len(hops), many.rowcount) == (2, 2)
        taken = await connection.execute(text("DELETE FROM things WHERE name > 'one'"))
        assert (len(hops), taken.rowcount) == (3, 2)


@pytest.mark.parametrize("last", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
async def test_a_long_answer_is_whole_at_once_and_in_parts(database: Database, last: int) -> None:
    wanted = list(range(1, max(last, 1) + 1))
    async with database.read() as connection:
        assert list((await connection.execute(text(COUNTING), {"last": last})).scalars()) == wanted
        in_parts = await connection.stream(text(COUNTING), {"last": last})
        assert [row async for row in in_parts.scalars()] == wanted
        begun = await connection.stream(text(COUNTING), {"last": last})
        assert (await begun.scalars().first()) == 1
    async with database.transaction() as connection:
        await connection.execute(text("INSERT INTO things VALUES ('after a look that was left')"))


async def test_a_refused_statement_holds_nothing(database: Database, tmp_path: Path) -> None:
    put = text("INSERT INTO things VALUES ('one')")
    async with database.transaction() as connection:
        await connection.execute(put)
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await connection.execute(put)
    other = sqlite3.connect(tmp_path / "one.sqlite", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("COMMIT")
    other.close()


def test_a_loop_that_ends_while_a_statement_runs_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    is_running = threading.Event()
    goes_on = threading.Event()

    def look() -> int:
        is_running.set()
        return goes_on.wait(30)

    async def begin() -> OneHopConnection:
        connection = await connect(str(tmp_path / "a.sqlite"))
        await connection.create_function("look", 0, look)
        statement = asyncio.create_task(connection.execute("SELECT look()"))
        await asyncio.to_thread(is_running.wait, 30)
        statement.cancel()
        return connection

    connection = asyncio.run(begin())
    assert not goes_on.is_set()
    goes_on.set()
    connection.stop()
    connection._thread.join(30)
    assert not connection._thread.is_alive()
    assert connection._connection is None, "its file is closed"
    assert told == []
