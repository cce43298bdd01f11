"""What a demo is asked to be: its command line as a value, every fault told before anything starts."""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config import site_folders
from ivr.calllogs import Hours, parse_hours

KILLABLE = ("dispatcher", "scribe", "worker", "web")
SPEED_MAX = 200.0
LEAD_MS = 30_000  # agents sign in before the first caller


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """One run. `for_s` is real seconds of traffic, None = until stopped."""

    folder: Path  # of the hotline
    calls: Path | None
    day: date | None
    hours: Hours | None
    speed: float
    agents: int
    seed: int
    for_s: float | None
    is_headless: bool
    has_faults: bool
    kill: tuple[str, ...]
    port: int | None
    calls_per_hour: float
    keep: Path | None

    def origin_ms(self, timezone: str, now: datetime) -> int:
        """A replayed day begins at its own hours in the site's time zone; a seeded one now."""
        if self.day is None:
            return int(now.timestamp() * 1000)
        start = datetime.combine(self.day, datetime.min.time(), ZoneInfo(timezone))
        start += timedelta(seconds=self.hours.from_s if self.hours else 0)
        return int(start.astimezone(UTC).timestamp() * 1000) - LEAD_MS


def parser() -> argparse.ArgumentParser:
    """`shouwen demo --help`."""
    words = argparse.ArgumentParser(
        prog="shouwen demo",
        description="The whole hotline on this machine: our processes, a stand-in for the provider, people.",
    )
    add_traffic(words)
    add_trouble(words)
    return words


def add_traffic(words: argparse.ArgumentParser) -> None:
    """Who calls, when, and how fast the clock runs."""
    add = words.add_argument
    add(
        "--site",
        default="power",
        metavar="NAME|FOLDER",
        help=f"which hotline: {', '.join(sorted(each.name for each in site_folders.SHIPPED.glob('*/')))}, "
        "or your own folder (power)",
    )
    add(
        "--calls",
        type=Path,
        metavar="FILE",
        help="replay a call log: the bank's columns, or arrived_s,tier,queue,handling_s,patience_s",
    )
    add("--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="this day of the log (its first)")
    add("--hours", type=hours_of, metavar="A-B", help="from A:00 to B:00 of that day, such as 10-12")
    add(
        "--speed",
        type=float,
        default=None,
        metavar="N",
        help="the product's clock runs N times as fast (1; 30 with --calls)",
    )
    add("--agents", type=int, default=None, metavar="N", help="agents at work (6; 14 with --calls)")
    add(
        "--seed",
        type=int,
        default=None,
        help="everything drawn by chance follows from it (drawn and printed)",
    )
    add(
        "--for",
        dest="for_s",
        type=float,
        metavar="SECONDS",
        help="real seconds of traffic (until Ctrl-C; 60 with --headless)",
    )
    add(
        "--calls-per-hour",
        type=float,
        default=240.0,
        metavar="N",
        help="arrivals in product time when no log is replayed (240)",
    )


def add_trouble(words: argparse.ArgumentParser) -> None:
    """How it is watched, and what is done to it."""
    add = words.add_argument
    add(
        "--headless",
        action="store_true",
        help="no reading along: run, drain, print one JSON object, exit 0 only if the laws held",
    )
    add(
        "--faults",
        action="store_true",
        help="callbacks doubled, delayed, swapped, lost; the provider's API failing now and then",
    )
    add(
        "--kill",
        type=kill_of,
        default=(),
        metavar="A,B",
        help=f"SIGKILL each once, mid-run: {','.join(KILLABLE)}",
    )
    add("--port", type=int, default=None, help="where the pages are served (8300, or the next free one)")
    add("--keep", type=Path, metavar="DIR", help="leave the database, audio and logs in this folder")


def read_plan(words: Sequence[str]) -> DemoPlan:
    """The plan in these words; exits with a message on a fault, as argparse does."""
    reader = parser()
    given = reader.parse_args(words)
    replayed = given.calls is not None
    if replayed and not given.calls.is_file():
        reader.error(f"argument --calls: there is no file {given.calls}")
    if not replayed and (given.day or given.hours):
        reader.error("argument --day, --hours: they choose from a call log; name it with --calls")
    if given.speed is not None and not 0 < given.speed <= SPEED_MAX:
        reader.error(f"argument --speed: between 0 and {SPEED_MAX:g}")
    for name, value in (
        ("--agents", given.agents),
        ("--for", given.for_s),
        ("--calls-per-hour", given.calls_per_hour),
    ):
        if value is not None and (value < 0 or (value == 0 and name == "--for")):
            reader.error(f"argument {name}: must be above 0")
    if given.port is not None and not 0 <= given.port < 65_536:
        reader.error("argument --port: from 1 to 65535")
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1, 1_000_000)
    return DemoPlan(
        folder=site_of(given.site, reader),
        calls=given.calls,
        day=given.day,
        hours=given.hours,
        speed=given.speed or (30.0 if replayed else 1.0),
        agents=given.agents if given.agents is not None else (14 if replayed else 6),
        seed=seed,
        for_s=given.for_s or (60.0 if given.headless and not replayed else None),
        is_headless=given.headless,
        has_faults=given.faults,
        kill=given.kill,
        port=given.port,
        calls_per_hour=given.calls_per_hour,
        keep=given.keep,
    )


def site_of(given: str, reader: argparse.ArgumentParser) -> Path:
    """The folder of the hotline that is played."""
    try:
        folder = site_folders.find(given)
    except site_folders.NoSiteError as fault:
        reader.error(f"argument --site: {fault}")
    if not site_folders.NAMED.fullmatch(folder.name):
        reader.error(f"argument --site: the folder '{folder.name}' needs {site_folders.HOW_NAMED}")
    return folder


def hours_of(text: str) -> Hours:
    """`10-12` is 10:00 to 12:00."""
    try:
        return parse_hours(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def kill_of(text: str) -> tuple[str, ...]:
    """Names of processes, each killed once."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if wrong := [name for name in names if name not in KILLABLE]:
        raise argparse.ArgumentTypeError(f"'{wrong[0]}' is not one of {', '.join(KILLABLE)}")
    return names
