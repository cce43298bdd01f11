"""A scenario played under a plan and told: the one way there is, for the command line and for the page."""

from ivr.calllogs import CallLogError
from ivr.simulation.boards import Progress, on_rules
from ivr.simulation.figures import figures_of
from ivr.simulation.play import Day
from ivr.simulation.report import Told
from ivr.simulation.scenario import Scenario
from queues.domain.plan import Plan


def tell(plan: Plan, scenario: Scenario, progress: Progress | None = None) -> Told:
    """The day on the pure rules and its figures; CallLogError when the plan lacks a tier, queue or matter of a call."""
    for call in scenario.calls:
        if call.tier not in plan.tiers or call.queue not in plan.queues:
            raise CallLogError([f"{plan.site} has no tier '{call.tier}' or no queue '{call.queue}'"])
        if call.matter not in plan.matters:
            raise CallLogError([f"{plan.site} has no matter '{call.matter}'"])
    day = on_rules(Day(plan, scenario), progress=progress)
    return Told(name=plan.site, version=plan.version, day=day, figures=figures_of(plan, day))
