"""From a call log to a scenario: the site's own tiers, queues and matters for each call.

What the site does not know is told while the log is read, with its line (`check_of`).

What a log does not tell is assumed, and said: patience of those who were answered (none: they wait), how many
agents there were (as many as asked for, each with every skill), the matter (the usual one), the language.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ivr.calllogs import DAY_S, CallLogError, Check, LoggedCall, arrival_of, text_of
from ivr.simulation.scenario import EVERYBODY, SimulatedAgent, SimulatedCall
from queues.domain.plan import Plan
from queues.domain.skills import fault_of

FAULTS_MAX = 20
USUAL_SERVICE_S = 180  # of a call that was never answered and so never timed
AGENT_COLUMNS = ("agent", "skills", "from_s", "until_s")


def check_of(plan: Plan, tiers_of_priority: Mapping[int, str]) -> Check:
    """Whether the site knows the tier, the queue and the matter of a call that entered a queue."""

    def check(call: LoggedCall) -> list[str]:
        if call.outcome == "left_in_menu":
            return []
        asked = (
            ("tier", _tier_of(call, plan, tiers_of_priority), plan.tiers),
            ("queue", call.queue or usual_queue(plan), plan.queues),
            ("matter", call.matter or usual_matter(plan), plan.matters),
        )
        return [
            f"{plan.site} has no {kind} '{name}' ({', '.join(known)})"
            for kind, name, known in asked
            if name not in known
        ]

    return check


def _tier_of(call: LoggedCall, plan: Plan, tiers_of_priority: Mapping[int, str]) -> str:
    return call.tier or tiers_of_priority.get(call.priority, plan.default_tier)


def calls_of(
    logged: Sequence[LoggedCall], plan: Plan, tiers_of_priority: Mapping[int, str]
) -> tuple[SimulatedCall, ...]:
    """The calls that entered a queue. A bank's priority becomes a tier, everything else the default."""
    days = {day: number for number, day in enumerate(sorted({call.day for call in logged}))}
    faults: list[str] = []
    calls: list[SimulatedCall] = []
    known: set[str] = set()
    for number, call in enumerate(logged):
        if call.outcome == "left_in_menu":
            continue
        tier, queue = _tier_of(call, plan, tiers_of_priority), call.queue or usual_queue(plan)
        if call.call_id and call.call_id in known:
            faults.append(f"{arrival_of(call)}: the call '{call.call_id}' is there twice")
        known.add(call.call_id)
        if len(faults) >= FAULTS_MAX:
            break
        if not faults:
            calls.append(_simulated(call, number, days[call.day], tier, queue, plan))
    if faults:
        raise CallLogError(faults)
    return tuple(calls)


def _simulated(call: LoggedCall, number: int, day: int, tier: str, queue: str, plan: Plan) -> SimulatedCall:
    at_ms = day * DAY_S * 1000 + call.at_ms_of_day + call.menu_s * 1000
    service_s = call.service_s if call.service_s is not None else USUAL_SERVICE_S
    return SimulatedCall(
        call_id=call.call_id or f"L{number:07d}",
        at_ms=at_ms,
        tier=tier,
        queue=queue,
        matter=call.matter or usual_matter(plan),
        handling_ms=round(service_s * 1000),
        patience_ms=None if call.patience_s is None else round(call.patience_s * 1000),
        locale=call.locale,
    )


def usual_queue(plan: Plan) -> str:
    """Where calls go that say no more: the queue that takes over from the others, else the last."""
    steps = [step for queue in plan.queues.values() for step in queue.overflow if step.to_queue]
    reached = [step.to_queue for step in steps if step.to_queue]
    return max(set(reached), key=reached.count) if reached else list(plan.queues)[-1]


def usual_matter(plan: Plan) -> str:
    """The matter without a head start of its own, and no safety."""
    plain = [each.id for each in plan.matters.values() if not each.is_safety and not each.head_start_ms]
    return plain[-1] if plain else next(iter(plan.matters))


def agents_of(text: str, plan: Plan) -> tuple[SimulatedAgent, ...]:
    """`14`, or the path of a table `agent,skills,from_s,until_s`; CallLogError with the line of each fault."""
    if text.isdecimal() and int(text) > 0:
        return tuple(SimulatedAgent(agent_id=f"agent{number + 1:02d}") for number in range(int(text)))
    path = Path(text)
    if not path.is_file():
        raise CallLogError([f"--agents: '{text}' is neither a number of agents nor a file"])
    rows = csv.DictReader(io.StringIO(text_of(path), newline=""))
    if AGENT_COLUMNS[0] not in (rows.fieldnames or ()):
        raise CallLogError([f"{path}:1: the column {AGENT_COLUMNS[0]} is missing"])
    agents, faults = [], []
    for row in rows:
        agent = _agent(row, plan)
        if isinstance(agent, SimulatedAgent):
            agents.append(agent)
        else:
            faults.append(f"{path}:{rows.line_num}: {agent}")
    if faults:
        raise CallLogError(faults[:FAULTS_MAX])
    if not agents:
        raise CallLogError([f"{path}: there are no agents in it"])
    return tuple(agents)


def _agent(row: Mapping[str, str | None], plan: Plan) -> SimulatedAgent | str:
    """The agent of a row, or what is wrong with it."""
    name = (row.get("agent") or "").strip()
    skills = tuple((row.get("skills") or "").replace(";", " ").replace("+", " ").split())
    hours = [(row.get(column) or "").strip() for column in AGENT_COLUMNS[2:]]
    if not name:
        return "agent is empty"
    if unknown := [fault for skill in skills if (fault := fault_of(skill, plan.skills, plan.tiers))]:
        return f"skills: {unknown[0]} in {plan.site} ({', '.join(plan.skills)})"
    if not all(hour == "" or hour.isdecimal() for hour in hours):
        return "from_s and until_s are whole seconds from the first midnight"
    from_ms = int(hours[0] or 0) * 1000
    until_ms = int(hours[1]) * 1000 if hours[1] else None
    if until_ms is not None and until_ms <= from_ms:
        return "until_s does not come after from_s"
    return SimulatedAgent(agent_id=name, skills=skills or EVERYBODY, from_ms=from_ms, until_ms=until_ms)
