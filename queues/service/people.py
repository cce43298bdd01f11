"""The people who answer: in SQL, and what arrivals must know of them in the live store."""

from collections.abc import Sequence

from config.log import get_log
from config.redis import STORE_ERRORS
from config.runtime import Runtime
from queues.domain.managers import Leave, live_person
from queues.service.plans import plan_of
from queues.service.switchboard import Switchboard
from queues.store import managers
from queues.store import people as store
from queues.store.people import Agent

log = get_log(__name__)

__all__ = ["Agent", "agents_of_site", "find_agent", "forget_met", "mend_people", "save_agents", "show_people"]


async def save_agents(runtime: Runtime, people: Sequence[Agent]) -> None:
    """Write these agents; who is there already is replaced."""
    async with runtime.database.transaction() as connection:
        await store.save(connection, runtime.settings.site, people)
    await show_people(runtime)


async def agents_of_site(runtime: Runtime) -> list[Agent]:
    async with runtime.database.read() as connection:
        return await store.all_of_site(connection, runtime.settings.site)


async def find_agent(runtime: Runtime, agent_id: str) -> Agent | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, agent_id)


async def show_people(runtime: Runtime) -> None:
    """What was just committed, in the live store; without it the chore does it later."""
    try:
        await mend_people(runtime)
    except STORE_ERRORS as fault:
        log.warning("people.late", fault=type(fault).__name__)


async def forget_met(runtime: Runtime) -> int:
    """The chore: who talked with whom longer ago than the site's words ask for; all of it, when they ask for none."""
    within_ms = plan_of(runtime).affinity.last_agent_within_ms
    switchboard, forgotten = Switchboard(runtime), 0
    while count := await switchboard.forget_met(older_than_ms=within_ms):
        forgotten += count
    return forgotten


async def mend_people(runtime: Runtime) -> int:
    """Make the live people what SQL says: names, and leaves that are not over; returns how many were not."""
    site, redis, now_ms = runtime.settings.site, runtime.redis, runtime.clock.now_ms()
    live = await managers.live_people(redis, site)
    async with runtime.database.read() as connection:
        agents = await store.all_of_site(connection, site)
        leaves = await managers.leaves_after(connection, site, now_ms)
    away: dict[str, list[Leave]] = {}
    for leave in leaves:
        away.setdefault(leave.agent_id, []).append(leave)
    people = {
        agent.agent_id: live_person(agent.name, away.get(agent.agent_id, ()), now_ms) for agent in agents
    }
    other = {
        agent_id: person
        for agent_id, person in people.items()
        if live.get(agent_id) != managers.person_text(person)
    }
    gone = live.keys() - people.keys()
    await managers.put_people(redis, site, other, gone)
    return len(other) + len(gone)
