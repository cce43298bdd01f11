"""`shouwen people`: accounts and agents from the terminal, until they are managed on a page."""

import argparse
import asyncio
import re
import secrets
import sys
from collections.abc import Awaitable, Callable

from sqlalchemy import select

from config.runtime import Runtime, open_runtime
from config.settings import Settings
from config.web.accounts import NameTaken, accounts, create_account, set_password
from ivr.service.versions import first_words
from queues.domain.skills import SEAT, fault_of
from queues.service.people import Agent, agents_of_site, save_agents
from queues.service.plans import plan_of

ROLES = ("agent", "supervisor", "qa", "admin")
ENDPOINT = re.compile(r"\+[1-9]\d{3,14}|sip:\S+@\S+|client:[A-Za-z0-9_]{1,121}")


class StaffingError(Exception):
    """What was asked for cannot be done; the message names the argument."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """`add`, `list`, `password`."""
    kinds = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = kinds.add_parser(
        "add", help="an account, and for the role agent a seat with skills and a telephone"
    )
    add.add_argument("login", help="sign-in name")
    add.add_argument("--role", choices=ROLES, default="agent")
    add.add_argument("--name", help="the name callers and colleagues know (the sign-in name)")
    add.add_argument(
        "--skills",
        default="",
        metavar="A,B:2,@TIER",
        help="skills of the site with their level (all); @TIER dedicates the seat to a tier",
    )
    add.add_argument(
        "--phone",
        default="",
        metavar="ADDRESS",
        help="for an agent: where to ring: +86..., sip:name@host, or client:name",
    )
    kinds.add_parser("list", help="every account with its role")
    password = kinds.add_parser("password", help="a new one-time password for an account")
    password.add_argument("login")


def people(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do it and say what was done."""
    actions: dict[str, Callable[[Runtime, argparse.Namespace], Awaitable[str]]] = {
        "add": add,
        "list": show,
        "password": renew,
    }

    async def run() -> str:
        async with open_runtime(settings, store_within_s=0, first_words=first_words) as runtime:
            return await actions[chosen.action](runtime, chosen)

    try:
        print(asyncio.run(run()))
    except (StaffingError, NameTaken, ValueError) as refused:
        print(refused, file=sys.stderr)
        return 2
    return 0


async def add(runtime: Runtime, chosen: argparse.Namespace) -> str:
    """One account; an agent's seat is written first, so that an account never points at nothing."""
    if await is_taken(runtime, chosen.login):
        raise StaffingError(f"login: there is an account {chosen.login!r} already; nothing was changed")
    agent_id, rings = None, ""
    if chosen.role == "agent":
        agent = seat_of(runtime, chosen)
        await save_agents(runtime, [agent])
        agent_id, rings = agent.agent_id, f"\nCalls for {', '.join(agent.skills)} ring {agent.endpoint}."
    elif chosen.phone or chosen.skills:
        raise StaffingError("--phone, --skills: only agents have them; add --role agent or leave them out")
    password = secrets.token_urlsafe(9)
    await create_account(
        runtime.database,
        name=chosen.login,
        password=password,
        role=chosen.role,
        agent_id=agent_id,
        must_change_password=True,
    )
    told = f"{chosen.login} ({chosen.role}) may sign in with the password {password}"
    return f"{told} and is asked for a new one there.{rings}"


async def is_taken(runtime: Runtime, login: str) -> bool:
    """Whether somebody signs in by this name, however it is written."""
    async with runtime.database.read() as connection:
        names = (await connection.execute(select(accounts.c.name))).scalars()
    return login.casefold() in {name.casefold() for name in names}


def seat_of(runtime: Runtime, chosen: argparse.Namespace) -> Agent:
    """The agent in these arguments; every fault names its argument."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", chosen.login):
        raise StaffingError("login: an agent's sign-in name has letters, digits and _ only")
    if not ENDPOINT.fullmatch(chosen.phone):
        raise StaffingError(
            "--phone: where should this agent's calls ring? +8613800001111, sip:name@host or client:name"
        )
    if chosen.phone in runtime.settings.hotline_numbers.values():
        raise StaffingError(
            f"--phone: {chosen.phone} is a number of this hotline; it would ring in our own menu"
        )
    plan = plan_of(runtime)
    skills = tuple(filter(None, (skill.strip() for skill in chosen.skills.split(","))))
    if all(skill.startswith(SEAT) for skill in skills):
        skills = (*plan.every_skill, *skills)
    if wrong := [fault for skill in skills if (fault := fault_of(skill, plan.skills, plan.tiers))]:
        raise StaffingError(f"--skills: {wrong[0]} in this site; there are {', '.join(plan.skills)}")
    return Agent(
        agent_id=chosen.login, name=chosen.name or chosen.login, skills=skills, endpoint=chosen.phone
    )


async def show(runtime: Runtime, _: argparse.Namespace) -> str:
    """Sign-in name, role, seat."""
    query = select(accounts.c.name, accounts.c.role, accounts.c.agent_id).order_by(
        accounts.c.role, accounts.c.name
    )
    seats = {agent.agent_id: agent for agent in await agents_of_site(runtime)}
    async with runtime.database.read() as connection:
        rows = (await connection.execute(query)).all()
    lines = []
    for row in rows:
        seat = seats.get(row.agent_id)
        rings = f"{seat.endpoint}  {', '.join(seat.skills)}" if seat else ""
        lines.append(f"{row.name:24} {row.role:12} {rings}".rstrip())
    return "\n".join(lines) or "nobody yet: shouwen init makes the first account"


async def renew(runtime: Runtime, chosen: argparse.Namespace) -> str:
    """A forgotten password: a new one, to be changed at sign-in; open sessions end."""
    password = secrets.token_urlsafe(9)
    if not await set_password(runtime.database, chosen.login, password):
        raise StaffingError(f"login: there is no account {chosen.login!r}")
    return f"{chosen.login} may sign in with the password {password} and is asked for a new one there."
