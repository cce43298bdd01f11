"""`shouwen figures`: are the figures what the calls come to, and make them so."""

import argparse
import asyncio

from config.runtime import Runtime
from config.settings import Settings
from ivr.commands import configure, opened
from queues.service import figuring
from queues.service.figuring import Gap

HELP = "compare the figures with the calls they are made of (verify), or make them anew from these (rebuild)"
SHOWN = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("verify", "rebuild"))
    parser.add_argument(
        "--journal",
        action="store_true",
        help="first fold every call anew from the journal's copy, with all its stamps (rebuild)",
    )


def figures(settings: Settings, chosen: argparse.Namespace) -> int:
    """`verify` answers 1 when something differs. Both may run while calls come in."""
    configure(settings)

    async def run() -> int:
        async with opened(settings, store_within_s=0) as runtime:
            return await (
                _rebuild(runtime, chosen.journal) if chosen.action == "rebuild" else _verify(runtime)
            )

    return asyncio.run(run())


async def _verify(runtime: Runtime) -> int:
    gap = await figuring.verify(runtime)
    print("\n".join(told_of(gap)) if gap.count else "The figures are what the calls come to.")
    return 1 if gap.count else 0


async def _rebuild(runtime: Runtime, is_from_journal: bool) -> int:
    if is_from_journal:
        print(f"{await figuring.restamp(runtime)} call records were not what the journal says, and are now.")
    gap = await figuring.rebuild(runtime)
    print("\n".join([*told_of(gap), "Put right."]) if gap.count else "Nothing was wrong.")
    return 0


def told_of(gap: Gap) -> list[str]:
    """How much is wrong, and the first of it."""
    told = [
        f"{gap.quarters} intervals of calls, {len(gap.agents)} of agents, {gap.coarse} days and months differ."
    ]
    for cell, counts in sorted(gap.calls.items())[:SHOWN]:
        wrong = ", ".join(f"{name} {number:+d}" for name, number in sorted(counts.sums.items()) if number)
        told.append(
            f"  {cell.start_ms} {cell.queue or '-'} {cell.tier or '-'} {cell.line or '-'}: {wrong or 'waits'}"
        )
    return told
