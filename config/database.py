"""History and truth in SQL: SQLite in the state directory, or PostgreSQL by URL.

``transaction()`` is the only way to write, and writers go one after another on both: what was read inside
stays true until the commit, so "read, decide, update" loses nothing. SQLite does it with BEGIN IMMEDIATE (a
plain BEGIN takes the lock at the first write, too late for what was read before), PostgreSQL with one
advisory lock. Inside, await nothing but SQL: everybody else waits.

``read()`` shows one moment of the database and refuses to write. What is deleted is written over with zeros: SQLite
is told so, whatever it was built to do.
"""

import asyncio
import operator
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import aiosqlite
from sqlalchemy import Connection, MetaData, Table, event, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from config import one_hop
from config.settings import Settings
from config.tally import Tally

BUSY_TIMEOUT_S = 10
_ASK_AGAIN_AFTER_S = 0.02
COMMAND_TIMEOUT_S = 30
CONNECTIONS_MAX = 16
# Any number will do, so long as all processes of an installation use the same one.
_WRITERS_LOCK = 7_301_540_219

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class ReadOnlyError(Exception):
    """This connection came from read(); writing needs transaction()."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Database:
    """One engine; connections are opened when first needed and belong to one event loop."""

    def __init__(self, url: str, *, command_s: float | None = COMMAND_TIMEOUT_S) -> None:
        """No statement may take longer than `command_s`; None: as long as it takes, as an index of millions does."""
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url, command_s)
        self._reading = self.engine.execution_options(is_reading=True, **_snapshot(self.is_sqlite))
        event.listen(self.engine.sync_engine, "before_execute", _refuse_writing)
        # SQLite's own queue for writers is unfair and sleeps; those of this process wait here, in order.
        self.turn: asyncio.Lock | nullcontext[None] = asyncio.Lock() if self.is_sqlite else nullcontext()
        self.tally = Tally()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection that commits at the end of the block and rolls back on any exception."""
        began_ms = self.tally.now_ms()
        async with self.turn, self.engine.begin() as connection:
            await self.wait_for_writers(connection)
            self.tally.note("sql_writer_wait", began_ms)
            yield connection

    async def wait_for_writers(self, connection: AsyncConnection) -> None:
        """Inside a transaction that is to write: whoever of any process was first is done. SQLite's BEGIN did it."""
        if not self.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one moment and changes nothing."""
        async with self._reading.connect() as connection:
            yield connection

    @asynccontextmanager
    async def workbench(self) -> AsyncIterator["Workbench"]:
        """A connection of one's own, for work too large to be done while everybody waits; see Workbench."""
        async with self.engine.connect() as connection:
            try:
                yield Workbench(self, connection)
            finally:
                await connection.invalidate()  # its temporary tables go with it

    async def close(self) -> None:
        await self.engine.dispose()


class Workbench:
    """A connection with temporary tables that it alone sees, and that are gone when it is, however it ends."""

    def __init__(self, database: Database, connection: AsyncConnection) -> None:
        self._database = database
        self._connection = connection

    @asynccontextmanager
    async def preparing(self) -> AsyncIterator[AsyncConnection]:
        """Reads what is, writes to its own temporary tables alone, and keeps nobody waiting."""
        await self._connection.execution_options(is_preparing=True)
        async with self._connection.begin():
            yield self._connection

    @asynccontextmanager
    async def merging(self) -> AsyncIterator[AsyncConnection]:
        """As `transaction()`, with the temporary tables at hand."""
        await self._connection.execution_options(is_preparing=False)
        async with self._database.turn, self._connection.begin():
            await self._database.wait_for_writers(self._connection)
            yield self._connection


def database_url(settings: Settings) -> str:
    """The URL that was set, or a file in the state directory."""
    return settings.database_url or f"sqlite+aiosqlite:///{settings.state_dir / 'shouwen.sqlite'}"


def upsert(table: Table, connection: AsyncConnection) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows on_conflict_do_update, on_conflict_do_nothing and excluded on both databases."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


class PlainInsert:
    """An INSERT for many rows of texts, numbers, flags and nothing else: past the library's care for each value, which
    is half of what a row costs.

    With `replaces` a row whose key is there has these columns written over; with none of them it stays as it is.
    Without, it is refused.
    """

    def __init__(self, table: Table, names: Sequence[str], replaces: Sequence[str] | None = None) -> None:
        self._table = table
        self._names = tuple(names)
        self._replaces = replaces
        self._compiled: dict[str, tuple[str, Sequence[str]]] = {}

    async def write(self, connection: AsyncConnection, rows: Iterable[Sequence[Any]]) -> None:
        """Rows have their values in the order of the names."""
        if connection.sync_connection and connection.sync_connection.get_execution_options().get(
            "is_reading"
        ):
            raise ReadOnlyError
        sql, order = self._compiled.get(connection.dialect.name) or self._compile(connection)
        if order != self._names:
            take = operator.itemgetter(*(self._names.index(name) for name in order))
            rows = (take(row) for row in rows)
        await connection.exec_driver_sql(sql, [tuple(row) for row in rows])

    def _compile(self, connection: AsyncConnection) -> tuple[str, Sequence[str]]:
        statement: Any = insert(self._table)
        if self._replaces is not None:
            statement = upsert(self._table, connection)
            changes = {name: statement.excluded[name] for name in self._replaces}
            keys = [column.name for column in self._table.primary_key]
            statement = (
                statement.on_conflict_do_update(index_elements=keys, set_=changes)
                if changes
                else statement.on_conflict_do_nothing()
            )
        compiled = statement.compile(dialect=connection.dialect, column_keys=self._names)
        found = str(compiled), tuple(compiled.positiontup or self._names)
        return self._compiled.setdefault(connection.dialect.name, found)


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        hide_parameters=True,  # they are names, numbers and notes, and errors get logged
        connect_args={
            "timeout": BUSY_TIMEOUT_S,
            "isolation_level": None,
            "async_creator_fn": one_hop.connect,
        },
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "invalidate", _roll_back_sqlite)
    return engine


def _postgresql_engine(url: str, command_s: float | None) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        hide_parameters=True,  # they are names, numbers and notes, and errors get logged
        pool_pre_ping=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "command_timeout": command_s},
    )


def _snapshot(is_sqlite: bool) -> dict[str, Any]:
    return {} if is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    connection.run_async(_switch_to_wal)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def _switch_to_wal(connection: aiosqlite.Connection) -> None:
    """A new file is switched by whoever opens it first, and everybody else waits as for any lock.

    SQLite itself does not: while another switches or writes, this one statement is refused at once, whatever the
    busy timeout, and of several processes that start on a new machine one would end.
    """
    now = asyncio.get_running_loop().time
    refused_for_good_at = now() + BUSY_TIMEOUT_S
    while True:
        try:
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            is_busy = fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or now() >= refused_for_good_at:
                raise
        else:
            return
        await asyncio.sleep(_ASK_AGAIN_AFTER_S)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    takes_no_lock = options.get("is_reading", False) or options.get("is_preparing", False)
    connection.exec_driver_sql("BEGIN" if takes_no_lock else "BEGIN IMMEDIATE")


def _roll_back_sqlite(connection: Any, _record: object, _fault: BaseException | None) -> None:
    """Who is cancelled in the middle gives up his lock.

    His connection is only closed; a statement that is still held, by a traceback for example, keeps a closed
    connection of SQLite and its lock alive, and every other writer would wait for that in vain.
    """
    with suppress(Exception):
        connection.rollback()


def _refuse_writing(connection: Connection, statement: Any, *_rest: object) -> None:
    if getattr(statement, "is_dml", False) and connection.get_execution_options().get("is_reading", False):
        raise ReadOnlyError
