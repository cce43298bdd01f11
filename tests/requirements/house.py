"""A whole hotline to ask from outside: tables of customers in, webhooks and pages in, documents and records out."""

import csv
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from config.database import metadata
from config.jobs import work_off
from config.runtime import Runtime
from config.web.accounts import create_account
from ivr.app import build
from queues.dispatcher import Dispatcher
from queues.service.history import scribe
from queues.service.imports import Options, import_table
from queues.service.people import Agent, save_agents
from queues.service.plans import plan_of
from queues.service.switchboard import CallFacts, Switchboard
from tests.doubles import TelephonyDouble
from tests.queues.outlets import at_site
from tests.queues.web.reader import PASSWORD, Reader
from tests.traces.hotline import Caller, Heard, Hotline


@dataclass
class House:
    """The front door of one site, its dispatcher, and the people who use its pages."""

    runtime: Runtime
    hotline: Hotline
    readers: list[Reader] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = plan_of(self.runtime)
        self.dispatcher = Dispatcher.of(self.runtime)
        self.scribe = scribe(self.runtime)  # one reader: a second would wait for the first one's lease

    async def import_rows(self, path: Path, table: Sequence[Mapping[str, Any]]) -> None:
        """A table as a person would hand it in."""
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(dict.fromkeys(chain.from_iterable(table))))
            writer.writeheader()
            writer.writerows(table)
        faults: list[Any] = []
        outcome = await import_table(self.runtime, path, Options(), faults.extend)
        assert outcome.is_merged, faults

    async def call(self, leg_id: str, number: str, line: str = "main") -> tuple[Caller, Heard]:
        """A caller who hears the first document."""
        assert isinstance(self.runtime.telephony, TelephonyDouble)
        to = self.runtime.settings.hotline_numbers[line]
        self.runtime.telephony.arrive(leg_id, from_=number, to=to)
        caller = self.hotline.caller(leg_id, number, to)
        return caller, await caller.dial()

    async def facts_of(self, call_id: str) -> CallFacts:
        found = await self.hotline.switchboard.read_call(call_id=call_id)
        assert found is not None
        return found

    async def agent(self, agent_id: str, name: str) -> Reader:
        """An agent of every skill at his desk, ready."""
        skills = tuple(self.plan.skills)
        person = Agent(agent_id=agent_id, name=name, skills=skills, endpoint=f"client:{agent_id}")
        await save_agents(self.runtime, [person])
        board = self.hotline.switchboard
        await board.sign_in(agent_id=agent_id, name=name, skills=skills, endpoint=person.endpoint)
        await board.set_presence(agent_id=agent_id, presence="ready")
        return await self.enter(agent_id, "agent", agent_id)

    async def enter(self, name: str, role: str, agent_id: str | None = None, locale: str = "en") -> Reader:
        """Somebody with an account and a page open."""
        await create_account(
            self.runtime.database,
            name=name,
            password=PASSWORD,
            role=role,
            agent_id=agent_id,
            locale=locale,
            must_change_password=False,
        )
        reader = Reader(self.hotline.app, name)
        self.readers.append(reader)
        await reader.sign_in()
        await reader.open("/calls")
        return reader

    async def offered_to(self, agent_id: str) -> str:
        """One look of the dispatcher; the call that he has offered to this agent."""
        await self.dispatcher.tick()
        await self.dispatcher.settle()
        desk = await self.hotline.switchboard.desk_state(agent_id=agent_id)
        return str(desk.offer.call_id) if desk and desk.offer else ""

    async def write_down(self) -> None:
        await self.scribe.drain()

    async def settle(self) -> None:
        """Until the scribe and the workers have nothing left to do."""
        await self.write_down()
        await work_off(self.runtime, self.plan.work_queues())

    async def rows(self, table: str, *names: str, **wanted: Any) -> list[dict[str, Any]]:
        """The rows with these values, in the order of their key."""
        described = metadata.tables[table]
        columns = described.c
        query = select(*(columns[name] for name in names or columns.keys()))
        query = query.order_by(*described.primary_key.columns)
        for name, value in wanted.items():
            query = query.where(columns[name] == value)
        async with self.runtime.database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def files(self, *names: str) -> dict[str, tuple[Any, ...]]:
        """These columns of every customer's file, by account number."""
        rows = await self.rows("customers", "account_no", *names)
        return {row["account_no"]: tuple(row[name] for name in names) for row in rows}

    async def id_of(self, account_no: str) -> str:
        (row,) = await self.rows("customers", "customer_id", account_no=account_no)
        return str(row["customer_id"])


@asynccontextmanager
async def open_house(runtime: Runtime, site: str) -> AsyncIterator[House]:
    runtime = at_site(runtime, site)
    app = build(runtime)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        client = httpx2.AsyncClient(transport=transport, base_url=runtime.settings.public_base_url)
        house = House(runtime, Hotline(runtime, client, Switchboard(runtime), app))
        yield house
        await client.aclose()
        for reader in house.readers:
            await reader.client.aclose()
