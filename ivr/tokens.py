"""`shouwen token`: what lets a program read figures, calls and the live state; made, listed and revoked here alone."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from config.runtime import Runtime, open_runtime
from config.settings import Settings
from config.web.tokens import Token, TokenTaken
from ivr.commands import OPERATOR
from ivr.service.versions import first_words
from queues.domain.scopes import GIVEN, PERSONAL, Scope
from queues.service import tokens

HELP = "tokens for programs that read figures: add, list, revoke"
DAYS = 365


class TokenError(Exception):
    """What was asked for cannot be done; the message names the argument."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """`add`, `list`, `revoke`."""
    kinds = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = kinds.add_parser("add", help="a new token; its text is shown once")
    add.add_argument("name", help="which program it is for")
    add.add_argument(
        "--scopes",
        default=",".join(GIVEN),
        metavar="A,B",
        help=f"of {', '.join(Scope)} ({','.join(GIVEN)}); agents and customers open personal data",
    )
    add.add_argument("--days", type=int, default=DAYS, metavar="N", help=f"good for N days ({DAYS})")
    kinds.add_parser("list", help="every token: name, scopes, end, day of its last use")
    gone = kinds.add_parser("revoke", help="from now on it opens nothing")
    gone.add_argument("name")


def token(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do it and say what was done."""
    actions: dict[str, Callable[[Runtime, argparse.Namespace], Awaitable[str]]] = {
        "add": add,
        "list": show,
        "revoke": revoke,
    }

    async def run() -> str:
        async with open_runtime(settings, store_within_s=0, first_words=first_words) as runtime:
            return await actions[chosen.action](runtime, chosen)

    try:
        print(asyncio.run(run()))
    except (TokenError, TokenTaken, ValueError) as refused:
        print(refused, file=sys.stderr)
        return 2
    return 0


async def add(runtime: Runtime, chosen: argparse.Namespace) -> str:
    named = [each.strip() for each in chosen.scopes.split(",") if each.strip()]
    if not named or (wrong := [each for each in named if each not in set(Scope)]):
        what = f"there is no scope {wrong[0]!r}" if named else "name at least one"
        raise TokenError(f"--scopes: {what}; there are {', '.join(Scope)}")
    scopes = {Scope(each) for each in named}
    made, text = await tokens.add(runtime, name=chosen.name, scopes=scopes, days=chosen.days, by=OPERATOR)
    told = [f"{made.name} may read with this token until {day_of(made.expires_ms)}:", "", f"    {text}", ""]
    if personal := sorted(scopes & PERSONAL):
        told.append(f"It opens personal data ({', '.join(personal)}).")
    told.append("It is shown only now. Programs send it as: Authorization: Bearer TOKEN")
    return "\n".join(told)


async def show(runtime: Runtime, _: argparse.Namespace) -> str:
    """Name, state, scopes, last use."""
    found = await tokens.everyone(runtime)
    lines = [
        f"{each.name:24} {state_of(each):22} last used {each.used_on or 'never':10}  {','.join(sorted(each.scopes))}"
        for each in found
    ]
    return "\n".join(lines) or "none yet: shouwen token add NAME makes one"


async def revoke(runtime: Runtime, chosen: argparse.Namespace) -> str:
    if not await tokens.revoke(runtime, name=chosen.name, by=OPERATOR):
        raise TokenError(f"name: there is no token {chosen.name!r} in force")
    return f"{chosen.name} is revoked."


def state_of(each: Token) -> str:
    if each.revoked_ms is not None:
        return f"revoked {day_of(each.revoked_ms)}"
    return f"{'ended' if each.is_over else 'until'} {day_of(each.expires_ms)}"


def day_of(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
