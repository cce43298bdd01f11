"""The people who answer."""

from collections.abc import Sequence

from config.runtime import Runtime
from queues.store import people as store
from queues.store.people import Agent

__all__ = ["Agent", "agents_of_site", "find_agent", "save_agents"]


async def save_agents(runtime: Runtime, people: Sequence[Agent]) -> None:
    """Write these agents; who is there already is replaced."""
    async with runtime.database.transaction() as connection:
        await store.save(connection, runtime.settings.site, people)


async def agents_of_site(runtime: Runtime) -> list[Agent]:
    async with runtime.database.read() as connection:
        return await store.all_of_site(connection, runtime.settings.site)


async def find_agent(runtime: Runtime, agent_id: str) -> Agent | None:
    async with runtime.database.read() as connection:
        return await store.find(connection, agent_id)
