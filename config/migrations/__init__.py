"""The database's history: every table, one revision after another.

It is told here once more, on its own, and imports no storey: an old revision must not change because the code
did. A test holds the newest state against the tables that the storeys describe.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from config.database import Database, database_url
from config.settings import Settings

NEWEST = "head"


def upgrade(settings: Settings) -> None:
    """Bring the database to the newest revision; several at once take turns, the later find nothing to do."""
    if settings.database_url is None:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade_url(database_url(settings))


def upgrade_url(url: str, revision: str = NEWEST) -> None:
    """The same for a database by its URL; may be called inside or outside an event loop, and blocks."""
    _in_transaction(url, partial(_upgrade, revision=revision))


def current_revision(settings: Settings) -> str | None:
    """Where the database stands; none before the first upgrade."""
    found: list[str | None] = []
    _in_transaction(database_url(settings), lambda connection: found.append(revision_of(connection)))
    return found[0]


def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _in_transaction(url: str, work: Callable[[Connection], None]) -> None:
    # A thread of its own, because the caller may be inside a loop already and Alembic is not async.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _run(url, work)).result()


async def _run(url: str, work: Callable[[Connection], None]) -> None:
    database = Database(url, command_s=None)
    try:
        async with database.transaction() as connection:
            await connection.run_sync(work)
    finally:
        await database.close()


def _upgrade(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
