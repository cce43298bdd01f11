"""The tables that the storeys describe are the tables that the migrations build, no more and no less."""

import importlib
import pkgutil

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import config
import ivr
import queues
import recordings
from config import migrations
from config.database import Database, metadata

STOREYS = (config, queues, recordings, ivr)


def _describe_everything() -> None:
    """Import every module that may describe a table: the stores, and the ground floor's accounts."""
    for storey in STOREYS:
        for module in pkgutil.walk_packages(storey.__path__, f"{storey.__name__}."):
            if ".store." in f"{module.name}." or module.name.startswith("config.web."):
                importlib.import_module(module.name)


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


async def test_the_storeys_describe_exactly_what_the_migrations_build(database: Database) -> None:
    _describe_everything()
    async with database.transaction() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_new_database_stands_at_the_newest_revision(database: Database) -> None:
    async with database.transaction() as connection:
        assert await connection.run_sync(migrations.revision_of) == migrations.newest_revision()


def test_every_revision_has_the_next_number() -> None:
    script = ScriptDirectory(next(iter(migrations.__path__)))
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
