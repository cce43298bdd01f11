"""Questions to the application over a large database: how long each page takes, and how SQL finds what is on it.

The application is the real one, asked by a signed-in supervisor; nothing is left out but the network.
"""

import contextlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlalchemy import event

from config.database import Database
from config.runtime import Runtime
from config.web.accounts import NameTaken, create_account
from ivr.app import build
from tests.bench.house import furnished
from tests.doubles import ManualClock

NAME, PASSWORD = "bench", "a password for benches"
BASE = "https://hotline.example"


@dataclass(frozen=True, slots=True)
class Said:
    """One statement as the driver was given it."""

    sql: str
    parameters: Any
    took_ms: float


@dataclass(slots=True)
class Asked:
    """One answer: on the clock, and by this process's own processor time."""

    path: str
    status: int
    bytes: int
    took_ms: float
    busy_ms: float
    said: list[Said] = field(default_factory=list)
    text: str = ""

    @property
    def slowest(self) -> Said:
        return max(self.said, key=lambda each: each.took_ms)


@dataclass
class Supervisor:
    client: httpx2.AsyncClient
    runtime: Runtime
    said: list[Said] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.runtime.database

    async def ask(self, path: str) -> Asked:
        self.said.clear()
        began, busy = time.perf_counter(), time.process_time()
        answer = await self.client.get(path, headers={"Accept": "text/html"})
        took_ms, busy_ms = (time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000
        assert answer.status_code == 200, (path, answer.status_code)
        return Asked(
            path, answer.status_code, len(answer.content), took_ms, busy_ms, list(self.said), answer.text
        )

    async def plan_of(self, said: Said) -> list[str]:
        """How the database finds it; PostgreSQL does so once more, and says how long that took."""
        how = "EXPLAIN QUERY PLAN" if self.database.is_sqlite else "EXPLAIN (ANALYZE, BUFFERS)"
        async with self.database.read() as connection:
            rows = (await connection.exec_driver_sql(f"{how} {said.sql}", said.parameters)).all()
        return [str(row[-1]) for row in rows]

    async def _sign_in(self) -> None:
        page = await self.client.get("/sign-in", headers={"Accept": "text/html"})
        token = re.search(r'name="csrf" content="([^"]*)"', page.text)
        assert token is not None
        form = {"name": NAME, "password": PASSWORD, "csrf": token[1]}
        answer = await self.client.post("/sign-in", data=form, headers={"Accept": "text/html"})
        assert answer.status_code == 303, answer.text


@contextlib.asynccontextmanager
async def supervisor(url: str | None = None) -> AsyncIterator[Supervisor]:
    """Somebody at the pages of an installation with this database, on the Monday after the last of the calls."""
    async with furnished(clock=ManualClock(), database_url=url) as house:
        database = house.runtime.database
        with contextlib.suppress(NameTaken):
            await create_account(
                database, name=NAME, password=PASSWORD, role="supervisor", agent_id=None, locale="zh",
                must_change_password=False,
            )  # fmt: skip
        app = build(house.runtime)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=BASE, timeout=900) as client,
        ):
            found = Supervisor(client, house.runtime)
            await found._sign_in()
            with _listening(found):
                yield found


@contextlib.contextmanager
def _listening(to: Supervisor) -> Any:
    engine, began = to.database.engine.sync_engine, list[float]()

    def before(*_: Any) -> None:
        began.append(time.perf_counter())

    def after(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        to.said.append(Said(sql, parameters, (time.perf_counter() - began.pop()) * 1000))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)
