"""Writers one after another, readers in one moment, on either database."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from config import database as database_room
from config.database import Database, PlainInsert, ReadOnlyError, upsert

tallies = Table(
    "tallies", MetaData(), Column("name", Text, primary_key=True), Column("count", BigInteger, nullable=False)
)

# A process of its own: adds one to a tally, reading before it writes, as many times as it is told.
ADD_BY_HAND = """
import asyncio, sys
from sqlalchemy import select, update
from config.database import Database
from tests.config.test_database import tallies

async def main(url, times):
    database = Database(url)
    for _ in range(times):
        async with database.transaction() as connection:
            count = (await connection.execute(select(tallies.c.count))).scalar_one()
            await connection.execute(update(tallies).values(count=count + 1))
    await database.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.fixture
async def with_tally(database: Database) -> AsyncIterator[Database]:
    async with database.transaction() as connection:
        await connection.run_sync(tallies.create)
        await connection.execute(insert(tallies), {"name": "calls", "count": 0})
    yield database
    async with database.transaction() as connection:
        await connection.run_sync(tallies.drop)


async def count(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(tallies.c.count))).scalar_one())


async def add_by_hand(database: Database, times: int) -> None:
    for _ in range(times):
        async with database.transaction() as connection:
            seen = (await connection.execute(select(tallies.c.count))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(update(tallies).values(count=seen + 1))


async def test_three_writers_who_read_before_they_write_lose_nothing(with_tally: Database) -> None:
    others = [Database(with_tally.url) for _ in range(2)]
    await asyncio.gather(*(add_by_hand(database, 40) for database in (with_tally, *others)))
    assert await count(with_tally) == 120
    for database in others:
        await database.close()


async def test_nor_do_writers_that_share_one_database_object(with_tally: Database) -> None:
    await asyncio.gather(*(add_by_hand(with_tally, 10) for _ in range(30)))
    assert await count(with_tally) == 300


@pytest.mark.slow
async def test_nor_do_writers_in_processes_of_their_own(with_tally: Database) -> None:
    command = [sys.executable, "-c", ADD_BY_HAND, with_tally.url, "40"]
    writers = [await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        _, faults = await writer.communicate()
        assert faults == b""
    assert await count(with_tally) == 120


async def test_the_library_alone_would_lose_updates(with_tally: Database) -> None:
    """Why transaction() exists: three such writers with the defaults. Fails once those got better."""
    if not with_tally.is_sqlite:
        pytest.skip("the defaults of SQLite are meant")
    engines = [create_async_engine(with_tally.url) for _ in range(3)]
    written = 0

    async def add(engine_no: int) -> None:
        nonlocal written
        for _ in range(40):
            try:
                async with engines[engine_no].begin() as connection:
                    seen = (await connection.execute(select(tallies.c.count))).scalar_one()
                    await asyncio.sleep(0)
                    await connection.execute(update(tallies).values(count=seen + 1))
                written += 1
            except OperationalError:
                pass

    await asyncio.gather(*(add(number) for number in range(3)))
    for engine in engines:
        await engine.dispose()
    assert await count(with_tally) < written


async def test_a_transaction_that_raises_leaves_nothing_and_blocks_nobody(with_tally: Database) -> None:
    async def give_up() -> None:
        async with with_tally.transaction() as connection:
            await connection.execute(update(tallies).values(count=99))
            raise LookupError

    with pytest.raises(LookupError):
        await give_up()
    await add_by_hand(with_tally, 1)
    assert await count(with_tally) == 1


async def test_a_cancelled_writer_blocks_nobody(with_tally: Database) -> None:
    holding = asyncio.Event()

    async def hold() -> None:
        async with with_tally.transaction() as connection:
            await connection.execute(update(tallies).values(count=99))
            holding.set()
            await asyncio.sleep(60)

    holder = asyncio.ensure_future(hold())
    await holding.wait()
    holder.cancel()
    await asyncio.gather(holder, return_exceptions=True)
    await add_by_hand(with_tally, 1)
    assert await count(with_tally) == 1


async def test_a_reader_sees_one_moment_and_does_not_hold_up_a_writer(with_tally: Database) -> None:
    async with with_tally.read() as connection:
        before = (await connection.execute(select(tallies.c.count))).scalar_one()
        await add_by_hand(with_tally, 1)
        assert (await connection.execute(select(tallies.c.count))).scalar_one() == before == 0
    assert await count(with_tally) == 1


async def test_a_reader_cannot_write(with_tally: Database) -> None:
    async with with_tally.read() as connection:
        with pytest.raises(ReadOnlyError):
            await connection.execute(update(tallies).values(count=1))
    assert await count(with_tally) == 0


async def test_upsert_writes_new_rows_and_changes_old_ones_on_either_database(with_tally: Database) -> None:
    async with with_tally.transaction() as connection:
        statement = upsert(tallies, connection)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[tallies.c.name], set_={"count": tallies.c.count + statement.excluded.count}
            ),
            [{"name": "calls", "count": 5}, {"name": "calls", "count": 2}, {"name": "tickets", "count": 1}],
        )
        await connection.execute(
            upsert(tallies, connection).on_conflict_do_nothing(), {"name": "calls", "count": 1000}
        )
    async with with_tally.read() as connection:
        rows = (await connection.execute(select(tallies).order_by(tallies.c.name))).all()
    assert [tuple(row) for row in rows] == [("calls", 7), ("tickets", 1)]


async def test_plain_rows_are_refused_kept_or_written_over_on_either_database(with_tally: Database) -> None:
    async def write(replaces: list[str] | None, *rows: tuple[int, str]) -> list[tuple[str, int]]:
        async with with_tally.transaction() as connection:
            await PlainInsert(tallies, ("count", "name"), replaces).write(connection, rows)
            found = await connection.execute(select(tallies).order_by(tallies.c.name))
            return [(name, count) for name, count in found]

    assert await write([], (5, "calls"), (6, "tickets")) == [("calls", 0), ("tickets", 6)]
    assert await write(["count"], (7, "calls")) == [("calls", 7), ("tickets", 6)]
    with pytest.raises(IntegrityError):
        await write(None, (8, "calls"))
    async with with_tally.read() as connection:
        with pytest.raises(ReadOnlyError):
            await PlainInsert(tallies, ("count", "name")).write(connection, [(9, "offers")])


async def test_sqlite_is_opened_as_the_truth_deserves(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("these are SQLite's switches")
    async with database.read() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    """As SQLite makes one: not yet as we keep ours."""
    path = tmp_path / "new.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE of_another (id INTEGER)")
    connection.close()
    return path


async def journal_mode(path: Path) -> str:
    database = Database(f"sqlite+aiosqlite:///{path}")
    try:
        async with database.read() as connection:
            return str((await connection.execute(text("PRAGMA journal_mode"))).scalar_one())
    finally:
        await database.close()


async def test_whoever_opens_a_new_file_while_another_writes_it_waits_for_him(new_file: Path) -> None:
    other = sqlite3.connect(new_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    opened = asyncio.create_task(journal_mode(new_file))
    await asyncio.sleep(0.3)
    assert not opened.done()
    other.execute("COMMIT")
    other.close()
    assert await opened == "wal"


async def test_but_not_for_ever(new_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_room, "BUSY_TIMEOUT_S", 0.2)
    other = sqlite3.connect(new_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(5):
        with pytest.raises(OperationalError, match="database is locked"):
            await journal_mode(new_file)
    other.close()


@pytest.mark.slow
def test_many_open_a_new_file_at_the_same_moment_and_nobody_is_refused(tmp_path: Path) -> None:
    """The same by chance: of about seventy such crowds one had a member refused."""
    crowd = 8
    ready = threading.Barrier(crowd)

    def open_it(path: Path) -> str:
        ready.wait()
        return asyncio.run(journal_mode(path))

    with ThreadPoolExecutor(crowd) as opening:
        for number in range(40):
            path = tmp_path / f"{number}.sqlite"
            assert list(opening.map(open_it, [path] * crowd)) == ["wal"] * crowd


async def test_an_error_keeps_what_was_written_to_itself(with_tally: Database) -> None:
    with pytest.raises(IntegrityError) as refused:
        async with with_tally.transaction() as connection:
            await connection.execute(
                insert(tallies), [{"name": "陈静女士", "count": 1}, {"name": "陈静女士", "count": 2}]
            )
    assert "INSERT INTO tallies" in str(refused.value)
    assert "parameters hidden" in str(refused.value)


async def test_whoever_is_cancelled_in_the_middle_leaves_the_way_free_at_once(with_tally: Database) -> None:
    """Wherever it was; the cancelled one is still held here, with all it had in its hands."""
    for turns in range(40):
        cancelled = asyncio.create_task(add_by_hand(with_tally, 1))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        async with asyncio.timeout(5):
            await add_by_hand(with_tally, 1)
    assert 40 <= await count(with_tally) <= 80
