"""A real week under four policies: `python -m tests.bench.policies` prints the table of docs/simulation.md.

The bank's calls of 2-6 August 1999, as far as they entered a queue; the bank's high priority is `key`, everybody else
`ordinary`. What the log does not say is assumed: see `ASSUMED`. The same calls, the same agents and the same patience
under each policy, so only the order differs.
"""

import csv
import gzip
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from ivr.calllogs import DAY_S, read_calls
from ivr.simulation.boards import on_rules
from ivr.simulation.figures import Figures, figures_of
from ivr.simulation.logs import calls_of
from ivr.simulation.play import Day
from ivr.simulation.scenario import Scenario, SimulatedAgent, SimulatedCall
from tests.ivr.simulation.days import STRICT, plan_with

DAYS = tuple(f"1999-08-{day:02d}" for day in range(2, 7))
PATIENCE_S, SEED = 400.0, 1999
POLICIES = {
    "first come": {"head_start": "0s", "ceiling": STRICT},
    "the bank's: 90 s credit": {"head_start": "90s", "ceiling": STRICT},
    "ours: 5 min, ceilings 3 and 8 min": {"head_start": "5m", "ceiling": "3m", "ordinary_ceiling": "8m"},
    "strict": {"head_start": STRICT, "ceiling": STRICT},
}
CALLS_AN_HOUR_MIN = 9
ASSUMED = (
    f"an agent is there in each hour of a day in which he answered at least {CALLS_AN_HOUR_MIN} calls",
    "he answers at once; his wrap-up is in the service time",
    f"callers who were answered would have left after {PATIENCE_S:g} s on average (exponential, seed {SEED})",
    "those who hung up leave when they did",
)
HEADING = (
    "| policy | tier | calls | gave up | mean wait | p50 | p80 | p95 | longest wait |\n" + "|---" * 9 + "|"
)


def main() -> int:
    path = Path(os.environ.get("SHOUWEN_BANK_CALLS", ""))
    if not path.is_file():
        print("SHOUWEN_BANK_CALLS names no file: the bank's log is not part of the project.", file=sys.stderr)
        return 2
    print("\n".join(f"assumed: {text}" for text in ASSUMED))
    print(HEADING)
    for name, policy in POLICIES.items():
        with tempfile.TemporaryDirectory() as folder:
            plan = plan_with(Path(folder), **policy)
            calls = calls_of([call for day in DAYS for call in read_calls(path, day=day)], plan, {2: "key"})
            scenario = Scenario(calls=patient(calls), agents=agents(path), ring_ms=0, wrap_up_ms=0)
            figures = figures_of(plan, on_rules(Day(plan, scenario)))
        for tier, each in figures.by_tier.items():
            print(row(name, tier, each), flush=True)
    return 0


def patient(calls: Sequence[SimulatedCall]) -> tuple[SimulatedCall, ...]:
    chance = Random(SEED)
    drawn = [round(chance.expovariate(1 / PATIENCE_S) * 1000) for _ in calls]
    return tuple(
        call if call.patience_ms is not None else replace(call, patience_ms=own)
        for call, own in zip(calls, drawn, strict=True)
    )


def agents(path: Path) -> tuple[SimulatedAgent, ...]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        answered = Counter(
            (DAYS.index(row["date"]), int(row["ser_start"][:2]), row["server"])
            for row in csv.DictReader(file)
            if row["date"] in DAYS and row["outcome"] == "AGENT"
        )
    return tuple(
        SimulatedAgent(
            agent_id=f"{server}-{day}-{hour:02d}",
            from_ms=(day * DAY_S + hour * 3600) * 1000,
            until_ms=(day * DAY_S + (hour + 1) * 3600) * 1000,
        )
        for day, hour, server in sorted(answered)
        if answered[day, hour, server] >= CALLS_AN_HOUR_MIN
    )


def row(policy: str, tier: str, figures: Figures) -> str:
    waits = (
        figures.wait_mean_s,
        figures.wait_p50_s,
        figures.wait_p80_s,
        figures.wait_p95_s,
        figures.longest_s,
    )
    told = " | ".join(f"{wait:.0f} s" for wait in waits)
    return f"| {policy} | {tier} | {figures.offered} | {figures.abandoned_share:.1%} | {told} |"


if __name__ == "__main__":
    sys.exit(main())
