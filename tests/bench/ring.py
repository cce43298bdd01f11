"""An agent gets ready while a caller waits, until his phone is asked to ring: p99 ÷ one server round trip's p99.

The dispatcher's own loop runs, with its journal, its lease and its log; the telephone company is the tests'
double, which notes the instant it is asked. So the time holds the agent's command, the dispatcher's waking,
its snapshot, decision and claim, and nothing of the provider's network. The floor is a PING through the same
client.
"""

import asyncio
import statistics
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from queues.dispatcher import Dispatcher
from tests.bench import crowd
from tests.bench.house import House, furnished, running
from tests.bench.rounds import Bench, Findings, Pace, at_most, p99, take_turns
from tests.doubles import TelephonyDouble

MS = 1000
AGENT = "mei"
CALM_S = 0.004  # until the dispatcher sleeps on the journal again
RUNG_WITHIN_S = 10.0
PINGS = 3


@dataclass
class Stopwatch(TelephonyDouble):
    """Notes when it was asked to ring a phone."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    asked_at: float = 0.0

    async def place(self, **about: Any) -> str:
        self.asked_at = perf_counter()
        self.asked.set()
        return await super().place(**about)


@dataclass
class Desk:
    house: House
    phones: Stopwatch
    place: crowd.Place
    number: int = 0
    took_ms: list[float] = field(default_factory=list)

    async def ring(self) -> list[float]:
        """One caller, one agent who gets ready; then both go, and nobody waits."""
        board, call_id = self.house.board, f"CA{self.number:06d}"
        self.number += 1
        await crowd.arrive(self.house.runtime, board, call_id, self.number)
        await crowd.enqueue(board, self.house.plan, call_id, self.place)
        self.phones.asked.clear()
        await asyncio.sleep(CALM_S)
        began = perf_counter()
        assert await board.set_presence(agent_id=AGENT, presence="ready") == "ok"
        async with asyncio.timeout(RUNG_WITHIN_S):
            await self.phones.asked.wait()
        took_ms = (self.phones.asked_at - began) * MS
        self.took_ms.append(took_ms)
        await board.end_call(call_id=call_id, by="caller")
        assert await board.set_presence(agent_id=AGENT, presence="away", reason="break") == "ok"
        return [took_ms]

    async def ping(self) -> list[float]:
        client: Any = self.house.runtime.redis
        found = []
        for _ in range(PINGS):
            began = perf_counter()
            await client.ping()
            found.append((perf_counter() - began) * MS)
        return found


async def run(pace: Pace) -> Findings:
    phones = Stopwatch()
    async with furnished(telephony=phones) as house:
        await crowd.sit_down(house.board, AGENT, tuple(house.plan.skills))
        await house.board.set_presence(agent_id=AGENT, presence="away", reason="break")
        desk = Desk(house, phones, crowd.places(house.plan, 1)[0])
        async with running(Dispatcher.of(house.runtime).run()):
            rounds = await take_turns(
                desk.ring, desk.ping, rounds=pace.rounds, pairs=pace.of(250, 60), read=p99
            )
        return Findings(rounds, f"half of the phones ring within {statistics.median(desk.took_ms):.2f} ms")


BENCH = Bench(
    name="ring",
    what="agent ready, to the request to ring his phone, p99 ÷ a round trip's p99",
    unit="ms",
    limit=at_most(6),
    run=run,
)
