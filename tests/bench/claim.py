"""A call enqueued, matched and claimed ÷ three empty scripts: what the rules cost beyond three round trips.

Ours: `enqueue_call`, the snapshot and the decision, `claim_offer`, through the service. The floor: a script
that does nothing, three times, through the bare client. Everything that makes the next call possible (its
arrival, the agent's release) is outside the time.
"""

import statistics
from time import perf_counter
from typing import Any

from queues.domain.routing import decide
from queues.store.switchboard import site_tag
from tests.bench import crowd
from tests.bench.deciding import MS
from tests.bench.house import House, furnished
from tests.bench.rounds import Bench, Findings, Pace, Turn, at_most, take_turns

AGENTS = 10
EMPTY = "return 'ok'"


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        for number in range(AGENTS):
            everything = tuple(house.plan.skills)
            await crowd.sit_down(house.board, f"agent{number}", everything)
        desk = Desk(house)
        floor = await empty_scripts(house)
        rounds = await take_turns(desk.claim_one, floor, rounds=pace.rounds, pairs=pace.of(500, 100))
        return Findings(rounds, desk.told())


class Desk:
    """Where one call after the other is put through, and what the parts of that took."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.number = 0
        self.parts_ms: dict[str, list[float]] = {"enqueue": [], "snapshot": [], "decide": [], "claim": []}
        self.places = crowd.places(house.plan, len(house.plan.queues))

    async def claim_one(self) -> list[float]:
        self.number += 1
        house, number = self.house, self.number
        call_id, place = f"CA{number:06d}", self.places[number % len(self.places)]
        await crowd.arrive(house.runtime, house.board, call_id, number)
        instants = [perf_counter()]
        await crowd.enqueue(house.board, house.plan, call_id, place)
        instants.append(perf_counter())
        snapshot = await house.board.snapshot()
        instants.append(perf_counter())
        [match] = decide(house.plan, snapshot, house.runtime.clock.now_ms())
        instants.append(perf_counter())
        claim = await house.board.claim_offer(
            call_id=match.call_id, agent_id=match.agent_id, turn=snapshot.turn, why=match.why
        )
        instants.append(perf_counter())
        assert claim.is_ok, claim
        await house.board.end_call(call_id=call_id, by="caller")
        for part, before, after in zip(self.parts_ms.values(), instants, instants[1:], strict=False):
            part.append((after - before) * MS)
        return [(instants[-1] - instants[0]) * MS]

    def told(self) -> str:
        return (
            ", ".join(f"{name} {statistics.median(part):.2f}" for name, part in self.parts_ms.items()) + " ms"
        )


async def empty_scripts(house: House) -> Turn:
    client: Any = house.runtime.redis
    tag = site_tag(house.plan.site)
    digest = await client.script_load(EMPTY)

    async def turn() -> list[float]:
        began = perf_counter()
        for _ in range(3):
            await client.evalsha(digest, 1, tag)
        return [(perf_counter() - began) * MS]

    return turn


BENCH = Bench(
    name="claim",
    what="enqueue, decide, claim ÷ three empty scripts",
    unit="ms",
    limit=at_most(2),
    run=run,
)
