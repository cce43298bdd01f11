"""Fills the demo's house with its customers, agents and accounts, through the same services an import uses."""

from collections.abc import Sequence

from config.runtime import Runtime
from config.web.accounts import create_account
from ivr.demo_cast import STAFF, Customer, Seat
from queues.domain.customers import Customer as CustomerFile
from queues.domain.plan import Plan
from queues.service.customers import import_customers
from queues.service.people import Agent, save_agents


async def seed_house(
    runtime: Runtime, site: Plan, customers: Sequence[Customer], seats: Sequence[Seat], password: str
) -> None:
    """Customers into the register and the number index, agents with their skills, accounts that may sign in at once."""
    await import_customers(runtime, [file_of(one, site) for one in customers])
    await save_agents(
        runtime,
        [
            Agent(
                agent_id=seat.agent_id,
                name=seat.name,
                skills=skills_of(seat, site),
                endpoint=f"client:{seat.agent_id}",
            )
            for seat in seats
        ],
    )
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


def file_of(one: Customer, site: Plan) -> CustomerFile:
    """The customer as the register knows him; a tier the site does not have becomes its default."""
    return CustomerFile(
        customer_id=one.customer_id,
        account_no=one.account_no,
        name=one.name,
        tier=one.tier if one.tier in site.tiers else site.default_tier,
        locale=one.locale,
        managers=(one.manager,) if one.manager else (),
        area=one.area,
        attributes={},
        numbers=one.numbers,
    )


def skills_of(seat: Seat, site: Plan) -> tuple[str, ...]:
    """The seat's skills, as far as the site has them."""
    return tuple(skill for skill in seat.skills if skill in site.skills)
