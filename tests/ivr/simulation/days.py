"""Days for the simulation: the small site with head starts to order, and calls that arrive by chance from a seed."""

from pathlib import Path
from random import Random

from config import site_files
from ivr.simulation.boards import on_rules
from ivr.simulation.play import Day
from ivr.simulation.scenario import PlayedDay, Scenario, SimulatedAgent, SimulatedCall
from queues.domain.plan import Plan, load_plan
from tests.ivr.site import FILES

AGENTS = 6
HANDLING_S = 180.0
STRICT = "10000h"


def plan_with(
    folder: Path, *, head_start: str, ceiling: str, ordinary_ceiling: str = "", cap: str = STRICT
) -> Plan:
    """Two tiers, `key` ahead of `ordinary` by so much."""
    files = {
        **FILES,
        "site": FILES["site"] + f"timing: {{head_start_cap: {cap}}}\n",
        "customers": "default: ordinary\ntiers:\n"
        f"  key: {{name: {{zh: 大客户, en: Key}}, head_start: {head_start}, ceiling: {ceiling}}}\n"
        f"  ordinary: {{name: {{zh: 居民, en: Ordinary}}, ceiling: {ordinary_ceiling or ceiling}}}\n",
    }
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return load_plan(site_files.read(folder))


def poisson(
    count: int, load: float, seed: int, *, key_share: float = 0.3, patience_s: float | None = None
) -> Scenario:
    """Poisson arrivals, exponential handling and patience; ring and wrap-up take no time."""
    chance, at_s = Random(seed), 0.0
    calls = []
    for number in range(count):
        at_s += chance.expovariate(load * AGENTS / HANDLING_S)
        calls.append(
            SimulatedCall(
                call_id=f"c{number:06d}",
                at_ms=round(at_s * 1000),
                tier="key" if chance.random() < key_share else "ordinary",
                queue="general",
                matter="enquiry",
                handling_ms=round(chance.expovariate(1 / HANDLING_S) * 1000),
                patience_ms=None if patience_s is None else round(chance.expovariate(1 / patience_s) * 1000),
            )
        )
    agents = tuple(SimulatedAgent(agent_id=f"a{number}") for number in range(AGENTS))
    return Scenario(calls=tuple(calls), agents=agents, ring_ms=0, wrap_up_ms=0)


def play(plan: Plan, scenario: Scenario) -> PlayedDay:
    return on_rules(Day(plan, scenario))
