"""The tables are built once, whoever starts first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import inspect, text

from config import migrations
from config.database import Database, database_url
from config.settings import Settings, load_settings


def settings_in(directory: Path) -> Settings:
    return load_settings({"SHOUWEN_ENV": "test", "STATE_DIR": str(directory), "SECRET_KEY": "x" * 32})


async def test_several_processes_upgrade_at_once_and_the_tables_are_there(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "state")
    with ThreadPoolExecutor(4) as starting:
        list(starting.map(migrations.upgrade, [settings] * 4))
    assert migrations.current_revision(settings) == migrations.newest_revision()

    database = Database(database_url(settings))
    async with database.read() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()
    assert {"accounts", "calls", "customers", "events", "tickets"} <= set(
        names
    )  # test_schema.py knows them all


def test_a_database_that_was_never_upgraded_stands_at_no_revision(tmp_path: Path) -> None:
    assert migrations.current_revision(settings_in(tmp_path)) is None


async def test_days_with_our_own_calls_among_the_callers_are_counted_anew(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'shouwen.sqlite'}"
    migrations.upgrade_url(url, "0024")
    database = Database(url)
    async with database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO caller_days VALUES ('power', 0, '', '', '', 0, 0, 0, 0, 0)"),
        )
    migrations.upgrade_url(url)
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM caller_days"))).scalar_one() == 0
    await database.close()
