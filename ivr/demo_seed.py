"""Fills the demo's house with its customers, agents and accounts, through the same services an import uses."""

from collections.abc import Sequence

from config.runtime import Runtime
from config.web.accounts import create_account
from ivr.demo_cast import STAFF, Seat
from queues.domain.customers import Customer
from queues.service.customers import import_customers
from queues.service.people import Agent, save_agents


async def seed_house(
    runtime: Runtime, customers: Sequence[Customer], seats: Sequence[Seat], password: str
) -> None:
    """Customers into the register and the number index, agents with their skills, accounts that may sign in at once."""
    await save_agents(
        runtime,
        [
            Agent(
                agent_id=seat.agent_id,
                name=seat.name,
                skills=seat.skills,
                endpoint=f"client:{seat.agent_id}",
            )
            for seat in seats
        ],
    )
    await import_customers(runtime, customers)
    for seat in seats:
        await create_account(
            runtime.database,
            name=seat.login,
            password=password,
            role="agent",
            agent_id=seat.agent_id,
            must_change_password=False,
        )
    for name, role in STAFF:
        await create_account(
            runtime.database, name=name, password=password, role=role, must_change_password=False
        )
