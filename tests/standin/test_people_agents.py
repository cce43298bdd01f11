"""A simulated agent at the real desk, by HTTP as a browser: sign-in, presence, lost sessions, restarts."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
import uvicorn
from sqlalchemy import text

from config.clock import Clock
from config.runtime import Runtime
from config.web.accounts import create_account
from ivr.app import build
from ivr.standin.agents import SimulatedAgent
from ivr.standin.desks import Desk, DeskRefusedError
from ivr.standin.exchange import Exchange
from ivr.standin.options import Options
from ivr.standin.scenario import Agent
from queues.domain.agents import AgentState
from queues.service.people import Agent as Seat
from queues.service.people import save_agents
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard

PASSWORD = "a password for tests"


@dataclass
class House:
    """Our web process on a port that stays ours, which can be stopped and started again."""

    runtime: Runtime
    door: socket.socket
    server: uvicorn.Server | None = None
    serving: "asyncio.Task[None] | None" = None
    switchboard: Switchboard = field(init=False)

    def __post_init__(self) -> None:
        self.switchboard = Switchboard(self.runtime)

    async def start(self) -> None:
        config = uvicorn.Config(build(self.runtime), log_config=None, timeout_graceful_shutdown=1)
        self.server = _Quiet(config)
        self.serving = asyncio.create_task(self.server.serve(sockets=[self.door.dup()]))
        async with asyncio.timeout(30):
            while not self.server.started:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self.server is not None and self.serving is not None:
            self.server.should_exit = True
            await self.serving

    @property
    def url(self) -> str:
        return self.runtime.settings.public_base_url

    async def stage(self) -> AgentState | None:
        state = await self.switchboard.desk_state(agent_id="agent01")
        return state.state if state else None

    async def stands_at(self, stage: AgentState) -> bool:
        """Whether the switchboard sees the agent there, now or in a moment."""
        async with asyncio.timeout(30):
            while await self.stage() is not stage:
                await asyncio.sleep(0.02)
        return True


class _Quiet(uvicorn.Server):
    """Leaves the signals of the test run alone."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@pytest.fixture
async def house(runtime: Runtime) -> AsyncIterator[House]:
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    settings = replace(runtime.settings, public_base_url=address)
    house = House(replace(runtime, settings=settings), door)
    skills = ("general", "outage")
    seat = Seat(agent_id="agent01", name="王敏", skills=skills, endpoint="client:agent01")
    await save_agents(house.runtime, [seat])
    await create_account(
        runtime.database,
        name="agent01",
        password=PASSWORD,
        role="agent",
        agent_id="agent01",
        must_change_password=False,
    )
    await house.start()
    yield house
    await house.stop()
    door.close()


async def test_signs_in_and_says_ready_and_knows_the_dispositions(house: House) -> None:
    async with Desk(house.url, "agent01", PASSWORD) as desk:
        await desk.sign_in()
        await desk.set_presence("ready")
        assert await house.stage() is AgentState.READY
        assert (await desk.state())["stage"] == "idle"
        assert set(desk.dispositions) == set(plan_of(house.runtime).dispositions)
        await desk.set_presence("away", "break")
        assert await house.stage() is AgentState.AWAY


async def test_a_wrong_password_is_refused(house: House) -> None:
    async with Desk(house.url, "agent01", "not this one") as desk:
        with pytest.raises(DeskRefusedError, match="signing in was answered 422"):
            await desk.sign_in()


async def test_a_lost_session_is_signed_in_again_and_the_wish_still_fulfilled(house: House) -> None:
    async with Desk(house.url, "agent01", PASSWORD) as desk:
        await desk.sign_in()
        async with house.runtime.database.transaction() as connection:
            await connection.execute(text("DELETE FROM sessions"))
        await desk.set_presence("ready")
        assert await house.stage() is AgentState.READY


async def test_a_desk_that_restarts_is_waited_for(house: House) -> None:
    async with Desk(house.url, "agent01", PASSWORD) as desk:
        await desk.sign_in()
        await house.stop()
        wish = asyncio.create_task(desk.set_presence("ready"))
        await asyncio.sleep(0.1)
        assert not wish.done()
        await house.start()
        async with asyncio.timeout(30):
            await wish
        assert await house.stage() is AgentState.READY


async def test_an_agent_who_was_set_away_for_a_missed_call_comes_back(house: House) -> None:
    clock = Clock.starting_at(1_795_395_600_000, 100)
    exchange = Exchange(Options("AC" + "0" * 32, "token", clock=clock))
    habits = {"miss_share": 1, "returns_after_ms": 1_000, "spread": 0}
    one = Agent.model_validate(
        {"name": "agent01", "password": PASSWORD, "identity": "agent01", "habits": habits}
    )
    agent = SimulatedAgent(one, exchange.register, clock, random.Random(1), house.url)
    shift = asyncio.create_task(agent.work())
    try:
        assert await house.stands_at(AgentState.READY)
        await house.switchboard.set_presence(agent_id="agent01", presence="away", reason="missed")
        handset = exchange.give_handset(exchange.new_call(HOTLINE, "client:agent01", "outbound-api"))
        exchange.registrations.at("client:agent01")[0].ring(handset)
        handset.hear("ended", "no-answer")
        assert await house.stands_at(AgentState.READY)
        assert (agent.account.rang, agent.account.missed) == (1, 1)
    finally:
        shift.cancel()
        await asyncio.gather(shift, return_exceptions=True)


HOTLINE = "+8657195598000"
