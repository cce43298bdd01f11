"""What every test may ask for: real stores, a clock that stands still, a telephone company that takes notes.

The live store is one embedded server per run, or REDIS_URL (its database is emptied before each test). SQL is
a fresh SQLite file per test, or DATABASE_URL: then a PostgreSQL where this run makes a database of its own.
Both are reached through ``settings`` as well, so a process that a test starts finds the same ones.

`make test` shares the tests out among workers, and each worker is such a run: it has both stores to itself, since
a server forgets its scripts and counts its commands for everybody. REDIS_URLS names a server for each.
"""

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
import redis as sync_redis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from config import redis as live
from config import site_files
from config.database import Database
from config.jobs import JobQueue
from config.links import Links
from config.log import configure_log
from config.migrations import upgrade_url
from config.runtime import Runtime
from config.settings import Settings, load_settings
from config.store_server import socket_path, start_store
from config.web import accounts
from tests.doubles import ManualClock, PlainRoutes, TelephonyDouble

# A developer's own environment decides nothing here but the two stores.
OURS = (
    *(
        "SHOUWEN_",
        "STATE_DIR",
        "SITE",
        "PUBLIC_BASE_URL",
        "HOST",
        "PORT",
        "SECRET_KEY",
        "LOG_",
        "DEFAULT_REGION",
    ),
    *("REDIS_URL", "QUEUE_REDIS_URL", "DATABASE_URL", "RQ_"),
    *("TWILIO_", "HOTLINE_NUMBERS", "FALLBACK_URL", "DUTY_NUMBER", "SOFTPHONE_URL"),
    *("METRICS_", "OTEL_"),
)
KEPT = (
    "SHOUWEN_BANK_CALLS",
    "SHOUWEN_BANK_DAYS",
    "SHOUWEN_EVERY_DEMO",
    "SHOUWEN_DEEP",
    "SHOUWEN_DAY_SEED",
    "SHOUWEN_DAY_MINUTES",
    "HOSTNAME",
)
REDIS_URLS = os.environ.get("REDIS_URLS", os.environ.get("REDIS_URL", "")).split()
WORKER_NO = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS_MAX = 4
DATABASE_URL = os.environ.get("DATABASE_URL")
for name in list(os.environ):
    if name.startswith(OURS) and name not in KEPT:
        del os.environ[name]

configure_log("debug", "json")

# How long an example takes is the machine's affair, which does other things meanwhile.
hypothesis_settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("here")

ENVIRONMENT = {
    "SHOUWEN_ENV": "test",
    "PUBLIC_BASE_URL": "https://hotline.example",
    "SECRET_KEY": "a secret for tests, of no worth at all",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
    "TWILIO_AUTH_TOKEN": "token-for-tests",
    "TWILIO_BASE_URL": "http://127.0.0.1:9",
    "HOTLINE_NUMBERS": "main=+8657195598000,key_line=+8657195598001",
    "DUTY_NUMBER": "+8657195598009",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker for each core; none for a single file, or where somebody wants to see what is printed."""
    first = config.args[0].partition("::")[0]
    if config.option.capture == "no" or (len(config.args) == 1 and Path(first).is_file()):
        return 0
    workers = min(os.cpu_count() or 1, WORKERS_MAX, len(REDIS_URLS) or WORKERS_MAX)
    return workers if workers > 1 else 0


# Whoever asks for one of these meets a store, or knows where it is.
OF_STORES = frozenset({"database", "migrated", "redis", "redis_url", "runtime", "settings"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On stores of another make a test that asks none tells nothing new."""
    if not (REDIS_URLS and DATABASE_URL):
        return
    asking = [each for each in items if not OF_STORES.isdisjoint(getattr(each, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[each for each in items if each not in asking])
    items[:] = asking


@pytest.fixture(scope="session", autouse=True)
def light_passwords() -> Iterator[None]:
    """A password is hashed as in the product, only not for so long; test_accounts.py holds what it costs there."""
    light = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: light)
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_clients() -> Iterator[None]:
    """The store of a busy test machine may take its time; tests of the limit set one of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "LIMIT_S", 60.0)
        yield


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The live store of this run."""
    if REDIS_URLS:
        yield REDIS_URLS[WORKER_NO]
        return
    state_dir = tmp_path_factory.mktemp("store")
    handle = start_store(load_settings({"SHOUWEN_ENV": "test", "STATE_DIR": str(state_dir)}))
    path = str(socket_path(state_dir))
    _wait_for(path)
    yield f"unix://{path}"
    handle.stop()


def _wait_for(path: str) -> None:
    with sync_redis.Redis(unix_socket_path=path) as client:
        for _ in range(1_500):
            try:
                client.ping()
            except live.STORE_ERRORS:
                time.sleep(0.02)
            else:
                return
    raise AssertionError("the embedded store did not start")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database: the path of a SQLite file to copy, or the URL of a PostgreSQL to empty."""
    if not DATABASE_URL:
        path = tmp_path_factory.mktemp("database") / "migrated.sqlite"
        upgrade_url(f"sqlite+aiosqlite:///{path}")
        yield str(path)
        return
    given = load_settings({"SHOUWEN_ENV": "test", "DATABASE_URL": DATABASE_URL, "SECRET_KEY": "x" * 32})
    assert given.database_url is not None
    name = f"shouwen_test_{secrets.token_hex(4)}"
    asyncio.run(_administer(given.database_url, f'CREATE DATABASE "{name}"'))
    url = make_url(given.database_url).set(database=name).render_as_string(hide_password=False)
    upgrade_url(url)
    yield url
    asyncio.run(_administer(given.database_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _administer(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture
def database_url(migrated: str, tmp_path: Path) -> str:
    """An empty database with all tables."""
    if migrated.startswith("postgresql"):
        return migrated
    path = tmp_path / "shouwen.sqlite"
    shutil.copyfile(migrated, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, database_url: str) -> Settings:
    return load_settings(
        {
            **ENVIRONMENT,
            "STATE_DIR": str(tmp_path / "state"),
            "REDIS_URL": redis_url,
            "DATABASE_URL": database_url,
        }
    )


@pytest.fixture
def clock() -> ManualClock:
    """Monday 2026-11-23, nine in the morning in Shanghai."""
    return ManualClock()


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with live.connect(settings) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database_url is not None
    database = Database(settings.database_url)
    if not database.is_sqlite:
        await _empty(database)
    yield database
    await database.close()


async def _empty(database: Database) -> None:
    async with database.transaction() as connection:
        found = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        names = ", ".join(f'"{name}"' for name in found.scalars() if name != "alembic_version")
        await connection.execute(text(f"TRUNCATE {names}"))


@pytest.fixture
def telephony(clock: ManualClock) -> TelephonyDouble:
    return TelephonyDouble(clock=clock)


@pytest.fixture
def jobs(settings: Settings, redis: Redis) -> Iterator[JobQueue]:
    queue = JobQueue(settings.site, live.connect_queue(settings))
    yield queue
    queue.close()


@pytest.fixture
def links(settings: Settings) -> Links:
    links = Links(settings.public_base_url)
    links.register(PlainRoutes())
    return links


@cache
def _words(directory: Path) -> site_files.SiteFiles:
    return site_files.read(directory)


@pytest.fixture
def runtime(
    settings: Settings,
    clock: ManualClock,
    redis: Redis,
    database: Database,
    telephony: TelephonyDouble,
    jobs: JobQueue,
    links: Links,
) -> Runtime:
    return Runtime(
        settings=settings,
        clock=clock,
        redis=redis,
        database=database,
        telephony=telephony,
        jobs=jobs,
        links=links,
        site_files=_words(settings.sites_dir / settings.site),
    )
