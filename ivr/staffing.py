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
from queues.service.people import Agent, save_agents
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
    add.add_argument("--skills", default="", metavar="A,B", help="skills of the site (all)")
    add.add_argument(
        "--phone", default="", metavar="ADDRESS", help="where to ring: +86..., sip:name@host, or client:name"
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
        async with open_runtime(settings, store_within_s=0) as runtime:
            return await actions[chosen.action](runtime, chosen)

    try:
        print(asyncio.run(run()))
    except (StaffingError, NameTaken, ValueError) as refused:
        print(refused, file=sys.stderr)
        return 2
    return 0


async def add(runtime: Runtime, chosen: argparse.Namespace) -> str:
    """One account; an agent's seat is written first, so that an account never points at nothing."""
    agent_id = None
    if chosen.role == "agent":
        agent = seat_of(runtime, chosen)
        await save_agents(runtime, [agent])
        agent_id = agent.agent_id
    password = secrets.token_urlsafe(9)
    await create_account(
        runtime.database,
        name=chosen.login,
        password=password,
        role=chosen.role,
        agent_id=agent_id,
        must_change_password=True,
    )
    return f"{chosen.login} ({chosen.role}) may sign in with the password {password} and is asked for a new one there."


def seat_of(runtime: Runtime, chosen: argparse.Namespace) -> Agent:
    """The agent in these arguments; every fault names its argument."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", chosen.login):
        raise StaffingError("login: an agent's sign-in name has letters, digits and _ only")
    if not ENDPOINT.fullmatch(chosen.phone):
        raise StaffingError(
            "--phone: where should his calls ring? +8613800001111, sip:name@host or client:name"
        )
    known = plan_of(runtime).skills
    skills = tuple(filter(None, (skill.strip() for skill in chosen.skills.split(",")))) or tuple(known)
    if wrong := [skill for skill in skills if skill not in known]:
        raise StaffingError(
            f"--skills: there is no skill {wrong[0]!r} in this site; there are {', '.join(known)}"
        )
    return Agent(
        agent_id=chosen.login, name=chosen.name or chosen.login, skills=skills, endpoint=chosen.phone
    )


async def show(runtime: Runtime, _: argparse.Namespace) -> str:
    """Sign-in name, role, seat."""
    query = select(accounts.c.name, accounts.c.role, accounts.c.agent_id).order_by(
        accounts.c.role, accounts.c.name
    )
    async with runtime.database.read() as connection:
        rows = (await connection.execute(query)).all()
    lines = [
        f"{row.name:24} {row.role:12} {f'seat {row.agent_id}' if row.agent_id else ''}".rstrip()
        for row in rows
    ]
    return "\n".join(lines) or "nobody yet: shouwen init makes the first account"


async def renew(runtime: Runtime, chosen: argparse.Namespace) -> str:
    """A forgotten password: a new one, to be changed at sign-in; open sessions end."""
    password = secrets.token_urlsafe(9)
    if not await set_password(runtime.database, chosen.login, password):
        raise StaffingError(f"login: there is no account {chosen.login!r}")
    return f"{chosen.login} may sign in with the password {password} and is asked for a new one there."
