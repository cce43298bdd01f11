"""How the database finds what a function of the stores asks for: the plan of every question, as one text."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import Database


@asynccontextmanager
async def plans(database: Database) -> AsyncIterator[tuple[AsyncConnection, list[str]]]:
    """A connection to ask by, rolled back at the end, and afterwards the plan of each question that was asked.

    The tables of a test are small: PostgreSQL would read them whole, and is told not to where there is another way.
    """
    asked: list[tuple[str, Any]] = []
    found: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            asked.append((statement, parameters))

    engine = database.engine.sync_engine
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            await connection.execute(text("set local enable_seqscan = off"))
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield connection, found
        finally:
            event.remove(engine, "before_cursor_execute", note)
        how = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        for statement, parameters in asked:
            rows = (await connection.exec_driver_sql(f"{how} {statement}", parameters)).all()
            found.append("\n".join(str(row[-1]) for row in rows))
        await connection.rollback()
