"""A decision among 2,000 calls that each may not go to somebody of their own ÷ among as many without: 12 lanes both.

Once each set of people apart, and each list of people of one's own, was a lane; now it rides on the call
(config/decisions/0014). The 2,000 stand at the front of the same 20,000 waiting calls, each with an agent it is never
brought together with and a manager who is away; the same 50 agents, half of them idle.
"""

import statistics

from tests.bench.crowd import Crowd
from tests.bench.deciding import Anatomy, Decider, dissect
from tests.bench.house import furnished
from tests.bench.rounds import Bench, Findings, Pace, at_most, take_turns

WAITING, AGENTS, LANES, RESTRICTED = 20_000, 50, 12, 2_000


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        many, few = (Crowd.of(house.runtime, house.plan, site) for site in ("many", "few"))
        for crowd in (many, few):
            await crowd.gather(waiting=pace.of(WAITING, WAITING, 200), lanes=LANES, agents=AGENTS)
        await many.restrict(pace.of(RESTRICTED, RESTRICTED, 24))
        for crowd in (many, few):
            await crowd.prove()
        ours, floor = Decider(many), Decider(few)
        rounds = await take_turns(ours.match_ms, floor.match_ms, rounds=pace.rounds, pairs=pace.of(60, 25))
        return Findings(rounds, told(ours, floor, await dissect(house, many)))


def told(decider: Decider, floor: Decider, anatomy: Anatomy) -> str:
    """Where the time goes."""
    reading_ms = statistics.median(decider.reading_ms)
    values_ms = reading_ms - anatomy.store_ms - anatomy.parse_ms
    return (
        f"reading + deciding: {decider}; {floor}; {anatomy.heads:,} heads, the store is busy "
        f"{anatomy.store_ms:.1f} ms, {anatomy.kilobytes:,.0f} KB of JSON {anatomy.parse_ms:.1f}, "
        f"transfer and values {values_ms:.1f}"
    )


BENCH = Bench(
    name="decision_lanes",
    what="a decision among 2,000 calls with people apart and of their own ÷ without",
    unit="ms",
    limit=at_most(1.5),
    run=run,
)
