"""Everyone who lives on the stand-in: agents at desks, callers as the day brings them, the count of both.

The count is kept from the callers' own accounts, without asking the hotline, so that the hotline's records
can be held against it. What must hold: once the day is over (all planned calls dialled, or the period at
its end) the house empties by itself; `finished` is said only when nobody is on the line.
"""

import asyncio
import random
import statistics
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from config.clock import Clock
from config.log import get_log
from ivr.standin.agents import DEEDS, RINGS, SimulatedAgent
from ivr.standin.arrivals import seeded_calls
from ivr.standin.called_back import CalledBack
from ivr.standin.callers import CallAccount, Caller
from ivr.standin.exchange import Exchange
from ivr.standin.outsiders import be_reachable
from ivr.standin.phone.page import phone_routes
from ivr.standin.scenario import Outsider, PlannedCall, Scenario, read_scenario

SIGN_IN_WAIT_S = 30
"""The day begins without agents who have not managed to sign in by then."""
RETURN_S = 5
"""An agent whose shift broke off comes back after this long."""


@dataclass
class People:
    """The living scenario: the day is played once, then the agents stay at work until cancelled."""

    exchange: Exchange
    clock: Clock
    scenario: Scenario
    calls: tuple[PlannedCall, ...] = ()
    accounts: list[CallAccount] = field(default_factory=list)
    agents: list[SimulatedAgent] = field(default_factory=list)
    called_back: list[CalledBack] = field(default_factory=list)
    is_over: bool = False
    _at_home: set[asyncio.Task[None]] = field(default_factory=set)
    _on_line: set[asyncio.Task[None]] = field(default_factory=set)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        rng = random.Random(self.scenario.seed)
        calls = list(self.scenario.calls)
        if self.scenario.profile is not None:
            calls += seeded_calls(self.scenario.profile, self.scenario.customers, rng)
        self.calls = tuple(sorted(calls, key=lambda call: call.at_ms))

    async def run(self) -> None:
        """Agents to their desks, the day of arrivals, the drain; then until cancelled."""
        workers = [asyncio.create_task(self._staff(number)) for number in range(len(self.scenario.agents))]
        workers += [asyncio.create_task(self._wait_outside(one)) for one in self.scenario.outsiders]
        try:
            await self._wait_for_agents()
            await self._dial_all()
            await self._drain()
            self.is_over = True
            get_log(__name__).info("people.finished", dialled=len(self.accounts))
            await asyncio.gather(*workers)
            await asyncio.Event().wait()
        finally:
            await _cancel([*workers, *self._on_line, *self._at_home])

    def stop_dialling(self) -> None:
        """Nobody else dials; who is on the line finishes his call."""
        self._stopped.set()

    async def _staff(self, number: int) -> None:
        agent = self.scenario.agents[number]
        rng = random.Random(f"{self.scenario.seed}:{agent.identity}")
        simulated = SimulatedAgent(agent, self.exchange.register, self.clock, rng, self.scenario.desk_url)
        self.agents.append(simulated)
        while True:
            try:
                await simulated.work()
            except Exception as fault:  # a broken shift must not empty the house
                get_log(__name__).error("agent.failed", agent_id=agent.identity, exc_info=fault)
            await asyncio.sleep(RETURN_S)

    async def _wait_outside(self, outsider: Outsider) -> None:
        rng = random.Random(f"{self.scenario.seed}:{outsider.number}")
        await be_reachable(outsider, self.exchange.register, self.clock, rng)

    async def _wait_for_agents(self) -> None:
        await asyncio.sleep(0)
        arrivals = [simulated.is_signed_in.wait() for simulated in self.agents]
        try:
            await asyncio.wait_for(asyncio.gather(*arrivals), SIGN_IN_WAIT_S)
        except TimeoutError:
            get_log(__name__).warning(
                "people.short_of_agents", wanted=len(self.agents), present=self._present()
            )

    def _present(self) -> int:
        return sum(simulated.is_signed_in.is_set() for simulated in self.agents)

    async def _dial_all(self) -> None:
        start_ms = self.scenario.starts_at_ms
        start_ms = self.clock.now_ms() if start_ms is None else start_ms
        until_ms = self.scenario.until_ms
        for call in self.calls:
            if until_ms is not None and call.at_ms >= until_ms:
                return
            if not await self._until(start_ms + call.at_ms) or not await self._room():
                return
            self._dial(call)

    async def _until(self, at_ms: int) -> bool:
        """Wait for an instant; False when dialling was stopped meanwhile."""
        left_s = self.clock.real_s(at_ms - self.clock.now_ms())
        if left_s > 0:
            await _either(self._stopped.wait(), left_s)
        return not self._stopped.is_set()

    async def _room(self) -> bool:
        while len(self._on_line) >= self.scenario.callers_max and not self._stopped.is_set():
            await asyncio.wait(self._on_line, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        return not self._stopped.is_set()

    def _dial(self, call: PlannedCall) -> None:
        caller = Caller(call, self.exchange.dial(call.from_, call.to), self.clock)
        self.accounts.append(caller.account)
        task = asyncio.create_task(self._live(caller))
        self._on_line.add(task)
        task.add_done_callback(self._on_line.discard)

    async def _live(self, caller: Caller) -> None:
        try:
            await caller.live()
        except Exception as fault:  # one caller's trouble must not end the day of the others
            get_log(__name__).error("caller.failed", leg_id=caller.account.sid, exc_info=fault)
        else:
            if caller.account.outcome == "callback":
                self._go_home(caller.plan)

    def _go_home(self, plan: PlannedCall) -> None:
        """His phone can be rung from now on."""
        waits = CalledBack(plan, self.clock)
        self.called_back.append(waits)
        task = asyncio.create_task(waits.wait_for_it(self.exchange.register))
        self._at_home.add(task)
        task.add_done_callback(self._leave_home)

    def _leave_home(self, task: asyncio.Task[None]) -> None:
        self._at_home.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            get_log(__name__).error("called_back.failed", exc_info=fault)

    async def _drain(self) -> None:
        """Let everybody finish; who is still there after the longest drain hangs up."""
        if self._on_line:
            await asyncio.wait(self._on_line, timeout=self.clock.real_s(self.scenario.drain_ms))
        await _cancel(list(self._on_line))

    def tally(self) -> dict[str, Any]:
        """The callers' own count so far; lengths in product milliseconds."""
        outcomes = [account.outcome for account in self.accounts]
        return {
            "planned": len(self.calls),
            "dialled": len(self.accounts),
            "arrived": sum(account.arrived_ms is not None for account in self.accounts),
            "in_menu_hangups": outcomes.count("left_in_menu"),
            "queued": sum(account.queued_ms is not None for account in self.accounts),
            "answered": outcomes.count("answered"),
            "abandoned": outcomes.count("abandoned"),
            "voicemail": outcomes.count("voicemail"),
            "callback": outcomes.count("callback"),
            "called_back": sum(one.was_reached for one in self.called_back),
            "callbacks_missed": sum(one.missed for one in self.called_back),
            "sent_away": outcomes.count("sent_away"),
            "goodbyes": outcomes.count("goodbye"),
            "not_arrived": outcomes.count("not_arrived"),
            "application_errors": sum(account.application_errors for account in self.accounts),
            "still_on_line": len(self._on_line),
            "finished": self.is_over,
            "by_tier": self._tally_by_tier(),
            "agents": self._tally_agents(),
        }

    def _tally_by_tier(self) -> dict[str, dict[str, float | int]]:
        tiers: dict[str, list[CallAccount]] = {}
        for account in self.accounts:
            if account.queued_ms is not None and account.ended_ms is not None:
                tiers.setdefault(account.plan.tier, []).append(account)
        return {tier: _waits(accounts) for tier, accounts in sorted(tiers.items())}

    def _tally_agents(self) -> dict[str, Any]:
        accounts = [simulated.account for simulated in self.agents]
        return {
            "signed_in": self._present(),
            **{count: sum(getattr(account, count) for account in accounts) for count in (*RINGS, *DEEDS)},
            "troubles": sorted({account.trouble for account in accounts if account.trouble}),
        }


def _waits(accounts: Sequence[CallAccount]) -> dict[str, float | int]:
    waits = [account.waited_ms or 0 for account in accounts]
    return {
        "queued": len(accounts),
        "answered": sum(account.outcome == "answered" for account in accounts),
        "wait_mean_ms": round(statistics.fmean(waits)),
        "wait_max_ms": max(waits),
    }


async def _either(work: Coroutine[Any, Any, object], timeout_s: float) -> None:
    try:
        await asyncio.wait_for(work, timeout_s)
    except TimeoutError:
        return


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_LIVING: WeakKeyDictionary[Exchange, People] = WeakKeyDictionary()


async def run(exchange: Exchange, clock: Clock, scenario: Mapping[str, object]) -> None:
    """Play the scenario until cancelled; ScenarioError before anything if it cannot be played."""
    people = _LIVING[exchange] = People(exchange, clock, read_scenario(scenario))
    await people.run()


def people_of(exchange: Exchange) -> People | None:
    """Who lives on this exchange, once `run` has begun."""
    return _LIVING.get(exchange)


def people_routes() -> list[BaseRoute]:
    """What people show of themselves: the count, a way to stop the dialling, and the phone page.

    The application they are mounted in keeps its exchange in `app.state.exchange`.
    """
    return [
        Route("/standin/tally", show_tally, methods=["GET"]),
        Route("/standin/arrivals/stop", stop_arrivals, methods=["POST"]),
        *phone_routes(_scenario_of),
    ]


def _scenario_of(exchange: Exchange) -> Scenario:
    people = people_of(exchange)
    return Scenario() if people is None else people.scenario


async def show_tally(request: Request) -> Response:
    exchange: Exchange = request.app.state.exchange
    people = people_of(exchange) or People(exchange, exchange.clock, Scenario())
    return JSONResponse(people.tally())


async def stop_arrivals(request: Request) -> Response:
    people = people_of(request.app.state.exchange)
    if people is not None:
        people.stop_dialling()
    return Response(status_code=204)
