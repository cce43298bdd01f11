"""`shouwen`: what the operator types."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config import traces
from config.settings import Settings, SettingsError, load_settings
from ivr import check, commands, explaining, figuring, staffing, tokens
from ivr import customers as customers_room
from ivr.domain.outline import LANGUAGES
from ivr.simulation import command as simulation

TRACED = ("web", "dispatcher", "scribe", "worker", "clock")

Command = Callable[[Settings, argparse.Namespace], int]


@dataclass(frozen=True)
class Entry:
    """One subcommand: what it does, in the words of `--help`, and what runs."""

    help: str
    run: Command
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


@dataclass(frozen=True)
class BareEntry:
    """A subcommand that only reads folders and logs: it asks for no installation around it."""

    help: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None]


def web_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fd", type=int, help="accept from this inherited socket instead of HOST and PORT")


def up_arguments(parser: argparse.ArgumentParser) -> None:
    for name in ("web", "dispatcher", "scribe", "worker", "clock"):
        parser.add_argument(
            f"--{name}", type=int, default=1, metavar="N", help=f"how many {name} processes (1)"
        )


def init_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="sign-in name of the first account (asked for when not given)")


def language_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", choices=LANGUAGES, help="the language of the words")


def check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", help="name of a folder of SITES_DIR, or a path")
    parser.add_argument("--picture", metavar="FILE.svg", help="draw the menu into this file")
    parser.add_argument("--json", action="store_true", help="everything as JSON, for other programs")
    language_argument(parser)


def diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", help="name of a folder of SITES_DIR, or a path")
    parser.add_argument("other", help="the folder after the change")
    language_argument(parser)


ENTRIES: dict[str, Entry | BareEntry] = {
    "up": Entry("run every process here, until Ctrl-C", commands.up, up_arguments),
    "init": Entry("make the first account, on this terminal", commands.init, init_arguments),
    "people": Entry("accounts and agents: add, list, a new password", staffing.people, staffing.arguments),
    "token": Entry(tokens.HELP, tokens.token, tokens.arguments),
    "customers": Entry(
        "import, find, show or forget customers", customers_room.customers, customers_room.arguments
    ),
    "doctor": Entry(
        "tell what is set, what is missing, and which URLs the provider must be given", commands.doctor
    ),
    "check": BareEntry(
        "read a site's folder and say what is wrong, with file and line; else what it comes to",
        check.check,
        check_arguments,
    ),
    "diff": BareEntry(
        "say in words what a change of a site's folder does to callers",
        check.diff,
        diff_arguments,
    ),
    "reload": Entry(
        "put the folder's words in force in every running process; calls keep those they began with",
        commands.reload,
        language_argument,
    ),
    "simulate": BareEntry(simulation.HELP, simulation.simulate, simulation.arguments),
    "figures": Entry(figuring.HELP, figuring.figures, figuring.arguments),
    "explain": Entry(explaining.HELP, explaining.explain, explaining.arguments),
    "reconcile": Entry(
        "compare the provider's calls and recordings with ours and fill what was missed", commands.reconcile
    ),
    "release": Entry(
        "bring the database up to date, and put new words of the site in force", commands.release
    ),
    "store": Entry("run the embedded live store (only without REDIS_URL)", commands.store),
    "web": Entry("answer the provider's webhooks and serve the pages", commands.web, web_arguments),
    "dispatcher": Entry("match waiting calls with agents and ring them", commands.dispatcher),
    "scribe": Entry("write the journal to SQL and push jobs", commands.scribe),
    "worker": Entry("work the job queues: tickets, audio", commands.worker),
    "clock": Entry("sweeps and timed work", commands.clock),
}


def parser_of_all() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="shouwen",
        description="Shouwen 首问: a hotline and contact-centre service. Settings come from the environment.",
    )
    kinds = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, entry in ENTRIES.items():
        sub = kinds.add_parser(name, help=entry.help, description=entry.help)
        if entry.arguments is not None:
            entry.arguments(sub)
    kinds.add_parser(
        "demo", help="the whole hotline on this machine, with callers and agents", add_help=False
    )
    return parser


def as_far_as_read(run: Callable[[], int]) -> int:
    """Whoever reads only the head of what is said has all he wants."""
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is its answer."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["demo"]:
        from ivr import demo

        return asyncio.run(demo.main(words[1:]))
    chosen = parser_of_all().parse_args(words)
    entry = ENTRIES[chosen.command]
    if isinstance(entry, BareEntry):
        run = entry.run
        return as_far_as_read(lambda: run(chosen))
    try:
        settings = load_settings(os.environ, makes_secret=chosen.command == "init")
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.command in TRACED:
        traces.begin(os.environ, chosen.command)
    return entry.run(settings, chosen)
