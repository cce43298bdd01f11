"""The agents of a site: who they are, what they can do, and where their phone is."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from config.database import metadata, upsert

agents = Table(
    "agents",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("skills", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    agent_id: str
    name: str
    skills: tuple[str, ...]
    endpoint: str


async def save(connection: AsyncConnection, site: str, people: Sequence[Agent]) -> None:
    insert = upsert(agents, connection)
    changes = {name: insert.excluded[name] for name in ("site", "name", "skills", "endpoint")}
    rows = [
        {
            "agent_id": agent.agent_id,
            "site": site,
            "name": agent.name,
            "skills": json.dumps(agent.skills),
            "endpoint": agent.endpoint,
        }
        for agent in people
    ]
    if rows:
        await connection.execute(
            insert.on_conflict_do_update(index_elements=["agent_id"], set_=changes), rows
        )


async def all_of_site(connection: AsyncConnection, site: str) -> list[Agent]:
    query = select(agents).where(agents.c.site == site).order_by(agents.c.agent_id)
    return [
        Agent(
            agent_id=row.agent_id, name=row.name, skills=tuple(json.loads(row.skills)), endpoint=row.endpoint
        )
        for row in await connection.execute(query)
    ]


async def find(connection: AsyncConnection, agent_id: str) -> Agent | None:
    row = (await connection.execute(select(agents).where(agents.c.agent_id == agent_id))).first()
    if row is None:
        return None
    return Agent(
        agent_id=row.agent_id, name=row.name, skills=tuple(json.loads(row.skills)), endpoint=row.endpoint
    )


async def names(connection: AsyncConnection, agent_ids: Collection[str]) -> dict[str, str]:
    query = select(agents.c.agent_id, agents.c.name).where(agents.c.agent_id.in_(agent_ids))
    return {row.agent_id: row.name for row in await connection.execute(query)}


async def names_in(connection: AsyncConnection, site: str, agent_ids: Collection[str]) -> dict[str, str]:
    """The names of those of these who are agents of the site."""
    query = select(agents.c.agent_id, agents.c.name)
    found = await connection.execute(query.where(agents.c.site == site, agents.c.agent_id.in_(agent_ids)))
    return {row.agent_id: row.name for row in found}
