"""A decision among 100,000 waiting calls and 10,000 agents ÷ one among 100 and 50; 12 lanes, half the agents idle.

A round decides as much as it can, and the large house can do more at once. What is compared is the time of
one decision: the round (read the snapshot, decide) over the matches it gave. The whole rounds are in the note.
"""

from tests.bench.crowd import Crowd
from tests.bench.deciding import Decider
from tests.bench.house import furnished
from tests.bench.rounds import Bench, Findings, Pace, at_most, take_turns

LANES = 12


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        large, small = (Crowd.of(house.runtime, house.plan, site) for site in ("large", "small"))
        await large.gather(
            waiting=pace.of(100_000, 100_000, 200), lanes=LANES, agents=pace.of(10_000, 10_000, 100)
        )
        await small.gather(waiting=100, lanes=LANES, agents=50)
        for crowd in (large, small):
            await crowd.prove()
        ours, floor = Decider(large), Decider(small)
        rounds = await take_turns(ours.match_ms, floor.match_ms, rounds=pace.rounds, pairs=pace.of(60, 25))
        return Findings(rounds, f"whole rounds, reading + deciding: {ours}; {floor}")


BENCH = Bench(
    name="decision_size",
    what="a decision of 100,000 waiting, 10,000 agents ÷ of 100 and 50",
    unit="ms",
    limit=at_most(1.2),
    run=run,
)
