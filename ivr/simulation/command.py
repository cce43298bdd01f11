"""`shouwen simulate`: a call log through the site's routing in virtual time, alone or against another site.

It needs no installation and asks nobody: only the site's files and the log. With `--scripts` the same day also runs
on the live scripts, in a store of its own that is gone afterwards, and both journals must be the same.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from config import redis as live
from config import site_folders
from config.settings import load_settings
from config.site_files import SiteFilesError
from config.site_files import read as read_site
from config.store_server import start_store
from ivr.calllogs import CallLogError, day_name, days_of, parse_hours, read_calls
from ivr.progress import Bar
from ivr.simulation import report
from ivr.simulation.boards import on_rules, on_scripts
from ivr.simulation.logs import agents_of, calls_of, check_of
from ivr.simulation.play import Day
from ivr.simulation.report import Told
from ivr.simulation.scenario import PlayedDay, Scenario
from ivr.simulation.telling import tell
from queues.domain.faults import SiteFaults
from queues.domain.journal import Line
from queues.domain.plan import Plan, load_plan
from queues.store.switchboard import SwitchboardStore, site_tag

DAYS_SHOWN = 4
HELP = "run a call log through a site's routing in virtual time: waits, passes, and what a change would have done"


def seconds(word: str) -> float:
    """A length of time in s. Raises argparse.ArgumentTypeError for what is none, or longer than a day."""
    try:
        told = float(word)
    except ValueError:
        told = -1.0
    if not 0 <= told <= 86_400:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds from 0 to 86400")
    return told


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", help="name of a folder of SITES_DIR, or a path")
    parser.add_argument(
        "--calls",
        type=Path,
        required=True,
        help="a call log: the bank's, or arrived_s,tier,queue,handling_s,patience_s",
    )
    parser.add_argument(
        "--day", help="only this day of the log (YYYY-MM-DD; of a table without dates 1, 2, ...)"
    )
    parser.add_argument("--hours", metavar="A-B", help="only these hours, such as 10-12")
    parser.add_argument(
        "--agents",
        default="10",
        metavar="FILE|N",
        help="so many agents with every skill, or agent,skills,from_s,until_s (10)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="for what the log does not tell: patience drawn with --patience (1)",
    )
    parser.add_argument(
        "--patience",
        type=seconds,
        metavar="MEAN_S",
        help="callers of whom it is not known leave after an exponential time with this mean; without it they stay",
    )
    parser.add_argument(
        "--ring", type=seconds, default=5.0, metavar="S", help="seconds until an agent answers (5)"
    )
    parser.add_argument(
        "--wrap-up", type=seconds, default=20.0, metavar="S", help="seconds of wrap-up after each call (20)"
    )
    parser.add_argument(
        "--priorities",
        default="",
        metavar="0=TIER,2=TIER",
        help="which tier a bank's priority is (2 = the second tier of the site, others the default)",
    )
    parser.add_argument(
        "--scripts", action="store_true", help="also on the live scripts; the journals must be the same"
    )
    parser.add_argument("--against", metavar="SITE", help="the same day under another site, call by call")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write a page with plots here")


def simulate(chosen: argparse.Namespace) -> int:
    """Print the table, write what was asked for; 2 when the input cannot be used, 1 when two journals differ."""
    try:
        plan = plan_at(chosen.site)
        other = plan_at(chosen.against) if chosen.against else None
        scenario, assumed = scenario_of(chosen, plan)
        told = _told(plan, scenario)
        against = _told(other, scenario) if other else None
    except (site_folders.NoSiteError, SiteFilesError, SiteFaults, CallLogError, ValueError) as fault:
        print(fault, file=sys.stderr)
        return 2
    print(report.table(told))
    if against is not None:
        print(report.table(against))
        print(report.summary_of_changes(told, against))
    for text in assumed:
        print(f"assumed: {text}")
    try:
        _write(chosen, told, against, assumed)
    except OSError as fault:
        print(f"{fault.filename}: cannot be written: {fault.strerror}", file=sys.stderr)
        return 2
    if chosen.scripts:
        return asyncio.run(compare_with_scripts(plan, scenario, told.day))
    return 0


def _write(chosen: argparse.Namespace, told: Told, against: Told | None, assumed: list[str]) -> None:
    if chosen.json:
        report.write_json(chosen.json, report.as_json(told, against, assumed))
    if chosen.html:
        report.write_html(chosen.html, [each for each in (told, against) if each], assumed)


def plan_at(name: str) -> Plan:
    return load_plan(read_site(site_folders.find(name)))


def scenario_of(chosen: argparse.Namespace, plan: Plan) -> tuple[Scenario, list[str]]:
    """The day that is played, and in words what of it the log did not say."""
    hours = parse_hours(chosen.hours) if chosen.hours else None
    priorities = priorities_of(chosen.priorities, plan)
    logged = read_calls(chosen.calls, day=chosen.day, hours=hours, check=check_of(plan, priorities))
    if not logged:
        raise CallLogError([f"{chosen.calls}: no calls there; {_days_there(chosen.calls)}"])
    calls = calls_of(logged, plan, priorities)
    assumed = [
        f"an agent answers {chosen.ring:g} s after the ring begins and wraps up for {chosen.wrap_up:g} s"
    ]
    unknown = sum(call.patience_ms is None for call in calls)
    if chosen.patience and unknown:
        chance = Random(chosen.seed)  # noqa: S311  a repeatable day, not a secret
        calls = tuple(
            call
            if call.patience_ms is not None
            else replace(call, patience_ms=round(chance.expovariate(1 / chosen.patience) * 1000))
            for call in calls
        )
        assumed.append(
            f"{unknown} callers of unknown patience leave after {chosen.patience:g} s on average (seed {chosen.seed})"
        )
    elif unknown:
        assumed.append(f"{unknown} callers of unknown patience wait until they are answered")
    scenario = Scenario(
        calls=calls,
        agents=agents_of(chosen.agents, plan),
        ring_ms=round(chosen.ring * 1000),
        wrap_up_ms=round(chosen.wrap_up * 1000),
    )
    return scenario, assumed


def _days_there(path: Path) -> str:
    every = [day_name(day) for day in days_of(read_calls(path))]
    if len(every) > DAYS_SHOWN:
        every = [*every[: DAYS_SHOWN - 1], f"... {every[-1]}"]
    return f"its days are {', '.join(every)}" if every else "it is empty"


def priorities_of(text: str, plan: Plan) -> dict[int, str]:
    """`2=key_customer` as a table; without one, the bank's high priority is the site's second tier."""
    if not text:
        return {2: list(plan.tiers)[min(1, len(plan.tiers) - 1)]}
    pairs = dict(each.partition("=")[::2] for each in text.split(","))
    if not all(priority.isdecimal() and tier for priority, tier in pairs.items()):
        raise CallLogError([f"--priorities '{text}': write them like 0=ordinary,2=key"])
    if unknown := [tier for tier in pairs.values() if tier not in plan.tiers]:
        raise CallLogError(
            [f"--priorities: {plan.site} has no tier '{unknown[0]}' ({', '.join(plan.tiers)})"]
        )
    return {int(priority): tier for priority, tier in pairs.items()}


def _told(plan: Plan, scenario: Scenario) -> Told:
    total = max(len(scenario.calls), 1)
    with Bar(sys.stderr) as bar:
        return tell(plan, scenario, lambda done: bar.show(f"playing {plan.site}", 100 * done / total))


async def compare_with_scripts(plan: Plan, scenario: Scenario, day: PlayedDay) -> int:
    """The same day on the scripts of a store of its own: same outcome, same journal, or a word about where not."""
    lines: list[Line] = []
    on_rules(Day(plan, scenario), keep=lines.append)
    with tempfile.TemporaryDirectory(prefix="shouwen-simulate-") as folder:
        environ = {"SHOUWEN_ENV": "test", "STATE_DIR": folder, "SECRET_KEY": "s" * 32}
        settings = load_settings(environ)
        handle = start_store(settings)
        try:
            await live.wait_for_store(settings)
            async with live.connect(settings) as redis:
                played = await on_scripts(Day(plan, scenario), SwitchboardStore(redis, plan.site))
                told = await journal_of(redis, plan.site)
        finally:
            handle.stop()
    return _verdict(played == day, lines, told)


async def journal_of(redis: live.LiveStore, site: str) -> list[Line]:
    entries: Any = await redis.xrange(f"{site_tag(site)}:journal")
    return [Line.from_stream(entry_id, fields) for entry_id, fields in entries]


def _verdict(is_same_day: bool, lines: Sequence[Line], told: Sequence[Line]) -> int:
    if is_same_day and list(lines) == list(told):
        print(f"scripts: the same {len(told)} journal lines, the same day")
        return 0
    first = next((n for n, pair in enumerate(zip(lines, told, strict=False)) if pair[0] != pair[1]), None)
    where = (
        f"line {first}: {lines[first]} is {told[first]}"
        if first is not None
        else f"{len(lines)} lines, {len(told)} there"
    )
    print(f"scripts: NOT the same: {where}", file=sys.stderr)
    return 1
