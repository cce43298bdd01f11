"""A decision over 2,000 lanes ÷ over 12: the same 20,000 waiting calls, the same 50 agents, half of them idle."""

import statistics

from tests.bench.crowd import Crowd
from tests.bench.deciding import Anatomy, Decider, dissect
from tests.bench.house import furnished
from tests.bench.rounds import Bench, Findings, Pace, at_most, take_turns

WAITING, AGENTS = 20_000, 50


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        many, few = (Crowd.of(house.runtime, house.plan, site) for site in ("many", "few"))
        await many.gather(waiting=WAITING, lanes=2_000, agents=AGENTS)
        await few.gather(waiting=WAITING, lanes=12, agents=AGENTS)
        for crowd in (many, few):
            await crowd.prove()
        ours, floor = Decider(many), Decider(few)
        rounds = await take_turns(ours.match_ms, floor.match_ms, rounds=pace.rounds, pairs=pace.of(7, 2))
        return Findings(rounds, told(ours, await dissect(house, many)))


def told(decider: Decider, anatomy: Anatomy) -> str:
    """Where the time of the many lanes goes."""
    reading_ms = statistics.median(decider.reading_ms)
    deciding_ms = statistics.median(decider.deciding_ms)
    values_ms = reading_ms - anatomy.store_ms - anatomy.parse_ms
    return (
        f"every lane is read for each round: {anatomy.heads:,} heads for {decider.matches} matches; the store is "
        f"busy {anatomy.store_ms:.0f} ms, {anatomy.kilobytes:,.0f} KB of JSON {anatomy.parse_ms:.0f}, transfer and "
        f"values {values_ms:.0f}, deciding {deciding_ms:.0f}"
    )


BENCH = Bench(
    name="decision_lanes",
    what="a decision over 2,000 lanes ÷ over 12",
    unit="ms",
    limit=at_most(1.5),
    run=run,
)
