"""The plan in force and the live state for programs: names, targets, who waits, how many answer."""

from collections import Counter

from queues.domain.agents import AgentState
from queues.service import people
from queues.web.api import models
from queues.web.api.figures import target_model
from queues.web.api.operations import Asking

LIVE_S = 0.5


async def tell_queues(asking: Asking) -> models.Queues:
    plan = asking.floor.plan
    return models.Queues(
        queues=[
            models.Queue(
                id=each.id,
                name=each.name,
                needs=list(each.needs),
                answer_within_s=each.answer_within_ms // 1000,
                departments=[name for name, owner in plan.departments.items() if each.id in owner.queues],
                target=target_model(plan, each.id, ""),
            )
            for each in plan.queues.values()
        ]
    )


async def tell_tiers(asking: Asking) -> models.Tiers:
    return models.Tiers(
        tiers=[
            models.Tier(
                id=each.id,
                name=each.name,
                rank=each.rank,
                head_start_s=each.head_start_ms // 1000,
                ceiling_s=each.ceiling_ms // 1000,
            )
            for each in asking.floor.plan.tiers.values()
        ]
    )


async def tell_departments(asking: Asking) -> models.Departments:
    found = asking.floor.plan.departments.items()
    return models.Departments(
        departments=[
            models.Department(id=name, name=each.name, queues=list(each.queues)) for name, each in found
        ]
    )


async def tell_lines(asking: Asking) -> models.Lines:
    found = asking.floor.plan.lines.items()
    return models.Lines(lines=[models.Line(id=name, name=each.name) for name, each in found])


async def tell_agents(asking: Asking) -> models.Agents:
    found = await people.agents_of_site(asking.floor.runtime)
    return models.Agents(
        agents=[models.Agent(id=each.agent_id, name=each.name, skills=list(each.skills)) for each in found]
    )


async def tell_live(asking: Asking) -> models.Live:
    """This moment, or the one half a second ago that wallboards have asked for."""
    floor = asking.floor
    state = await floor.remembered.get("wall", LIVE_S, floor.switchboard.wall_state)
    by_place = [
        models.Waiting(
            queue=each.queue,
            tier=each.tier,
            waiting=each.waiting,
            to_be_called_back=each.callbacks,
            longest_queued_at=each.longest_queued_ms,
            longest_wait_ms=None
            if each.longest_queued_ms is None
            else max(0, state.now_ms - each.longest_queued_ms),
        )
        for each in state.waiting
    ]
    states = Counter(agent.state for agent in state.agents)
    return models.Live(
        at=state.now_ms,
        waiting=sum(each.waiting for each in by_place),
        to_be_called_back=sum(each.to_be_called_back for each in by_place),
        longest_wait_ms=max(
            (each.longest_wait_ms for each in by_place if each.longest_wait_ms is not None), default=None
        ),
        by_queue_and_tier=by_place,
        agents_signed_in=len(state.agents),
        agents_by_state={each: states[each] for each in AgentState if each is not AgentState.SIGNED_OUT},
    )
