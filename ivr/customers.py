"""`shouwen customers`: import a table of them, find one, show his file, forget a number, make tiers anew."""

import argparse
import asyncio
import csv
import datetime as dt
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

from config import numbers
from config.log import configure_log
from config.runtime import Runtime
from config.settings import Settings
from ivr.commands import opened
from ivr.progress import Bar
from queues.domain.customer_changes import contact_text
from queues.domain.customer_rows import column_names
from queues.service import customers as files
from queues.service import imports, tiers
from queues.service.imports import Options, Outcome, RowFault, SheetError
from queues.service.plans import plan_of
from recordings.service import recordings

SHOWN: Final = 20
STEPS: Final = {"check": "checking", "merge": "writing", "index": "showing"}
REPORT_COLUMNS: Final = ("row", "account_no", "field", "what")


class CustomersError(Exception):
    """What was asked for cannot be done; the message says why."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """`import`, `find`, `show`, `forget`, `notices`, `rescore`."""
    kinds = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    take = kinds.add_parser("import", help="a table of customers, CSV or XLSX: all of it, or nothing")
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--dry-run", action="store_true", help="only say what it would do")
    take.add_argument(
        "--skip-faulty", action="store_true", help="import the sound rows though others are not"
    )
    take.add_argument("--report", type=Path, metavar="OUT.csv", help="write what is wrong with which row")
    take.add_argument("--origin", default="", metavar="TEXT", help="where the values come from (the file)")
    take.add_argument(
        "--area-code", default="", metavar="0571", help="of numbers without one (the hotline's)"
    )
    find = kinds.add_parser("find", help="by part of a name, by account number, by telephone number")
    find.add_argument("text")
    show = kinds.add_parser("show", help="one file with its calls, recordings, tickets and changes")
    show.add_argument("id", help="as `find` tells it, or an account number")
    forget = kinds.add_parser("forget", help="a telephone number: out of every file and every past call")
    forget.add_argument("number", help="in any writing; it is forgotten at once and for good")
    kinds.add_parser("rescore", help="scores, order and tiers of all files made anew, now")
    notices = kinds.add_parser("notices", help="whom notices go to, as CSV")
    notices.add_argument("--area", default="", help="of this area (all)")


def customers(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do it and say what was done."""
    actions: dict[str, Callable[[Runtime, argparse.Namespace], Awaitable[int]]] = {
        "import": take_table,
        "find": find,
        "show": show,
        "forget": forget,
        "notices": list_notices,
        "rescore": rescore,
    }
    configure_log(settings.log_level, settings.log_format)

    async def run() -> int:
        async with opened(settings) as runtime:
            return await actions[chosen.action](runtime, chosen)

    try:
        return asyncio.run(run())
    except (CustomersError, SheetError, OSError) as refused:
        print(refused, file=sys.stderr)
        return 2


async def take_table(runtime: Runtime, chosen: argparse.Namespace) -> int:
    options = Options(
        dry_run=chosen.dry_run,
        skip_faulty=chosen.skip_faulty,
        origin=chosen.origin,
        area_code=chosen.area_code,
    )
    with ExitStack() as closing:
        report = Report(closing, chosen.report)
        with Bar(sys.stderr) as bar:
            outcome = await imports.import_table(
                runtime,
                chosen.file,
                options,
                report.add,
                lambda step, percent: bar.show(STEPS[step], percent),
            )
        report.close()
    print("\n".join(told(outcome, options, chosen.report)))
    if not outcome.has_headings:
        print(f"The columns it may have: {', '.join(column_names(plan_of(runtime)))}.")
    return 0 if outcome.is_merged or (options.dry_run and not outcome.faulty) else 1


def told(outcome: Outcome, options: Options, report: Path | None) -> list[str]:
    """What the import found and did, in words."""
    counts, lines = outcome.counts, []
    if not outcome.has_headings:
        return ["Nothing was imported: its first row does not name the columns of this site's customers."]
    if outcome.faulty:
        where = f"; all of it is in {report}" if report else ""
        lines.append(f"{outcome.faulty:,} of {outcome.rows:,} rows are faulty{where}")
    words = f"{counts.opened:,} new, {counts.changed:,} changed, {counts.unchanged:,} as they were"
    if outcome.is_merged:
        took_s = sum(outcome.took_s.values()) or 1
        parts = ", ".join(f"{STEPS[step]} {took:.1f} s" for step, took in outcome.took_s.items())
        lines.append(f"Imported: {words}.")
        lines.append(
            f"{outcome.rows:,} rows in {took_s:.1f} s, {outcome.rows / took_s:,.0f} a second ({parts})."
        )
    elif options.dry_run:
        lines.append(f"Nothing was changed. It would be: {words}.")
    else:
        lines.append("Nothing was imported. --skip-faulty imports the sound rows.")
    return lines


class Report:
    """The faults: the first of them on the terminal, all of them in the file if there is one."""

    def __init__(self, closing: ExitStack, path: Path | None) -> None:
        self._shown: list[RowFault] = []
        self._count = 0
        self._file: TextIO | None = None
        if path is not None:  # with a mark in front, or a spreadsheet takes the Chinese for something else
            self._file = closing.enter_context(path.open("w", encoding="utf-8-sig", newline=""))
            csv.writer(self._file).writerow(REPORT_COLUMNS)

    def add(self, faults: Sequence[RowFault]) -> None:
        self._count += len(faults)
        self._shown += faults[: SHOWN - len(self._shown)]
        if self._file is not None:
            rows = ((one.row_no, one.account_no, one.field, one.what) for one in faults)
            csv.writer(self._file).writerows(rows)

    def close(self) -> None:
        for one in self._shown:
            place = " ".join(filter(None, (f"row {one.row_no}", one.account_no, one.field)))
            print(f"{place}: {one.what}", file=sys.stderr)
        if self._count > len(self._shown):
            print(f"... and {self._count - len(self._shown):,} more", file=sys.stderr)


async def find(runtime: Runtime, chosen: argparse.Namespace) -> int:
    """One line for each file."""
    found = await files.search(runtime, chosen.text)
    for one in found:
        held = ", ".join(numbers.mask(number) for number in one.everybodys_numbers)
        print("  ".join(filter(None, (one.customer_id, one.account_no, one.name, one.tier, one.area, held))))
    if not found:
        print("nobody", file=sys.stderr)
    return 0 if found else 1


async def show(runtime: Runtime, chosen: argparse.Namespace) -> int:
    """The file, and what happened, the oldest first. Numbers are masked here as everywhere."""
    held = [one for one in await files.search(runtime, chosen.id) if one.account_no == chosen.id]
    one = await files.find_customer(runtime, chosen.id) or next(iter(held), None)
    if one is None:
        raise CustomersError(f"there is no customer or account {chosen.id!r}")
    values = {name: getattr(one, name) for name in ("account_no", "name", "tier", "class_code", "area")}
    values |= {"language": one.locale, "managers": ", ".join(one.managers), **one.attributes}
    values["consent"] = "yes" if one.has_consent else ""
    values["special care"] = "yes" if one.is_care else ""
    values["phones"] = ", ".join(numbers.mask(number) for number in one.numbers)
    for name, value in values.items():
        if value:
            print(f"{name}: {value}")
    for contact in one.contacts:
        print(f"contact: {masked(contact_text(contact), contact.numbers)}")
    print()
    for line in await story_of(runtime, one):
        print(line)
    return 0


async def story_of(runtime: Runtime, one: files.Customer) -> list[str]:
    """Calls with their recordings, tickets and changes, in order of time."""
    entries = await files.entries_of(runtime, one.customer_id)
    heard = await recordings.of_calls(runtime, [entry.ref for entry in entries if entry.kind == "call"])
    zone = ZoneInfo(plan_of(runtime).timezone)
    lines = []
    for entry in reversed(entries):
        at = dt.datetime.fromtimestamp(entry.at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
        turn = f"{entry.before} -> {entry.after}" if entry.kind in ("change", "tier") else entry.after
        words = (entry.kind, entry.ref, entry.detail, turn, entry.origin, entry.account_id)
        lines.append(f"{at}  {'  '.join(filter(None, map(masked, words)))}")
        lines += [
            f"{at}  recording  {recording.recording_id}  {recording.state}"
            for recording in heard.get(entry.ref, [])
        ]
    return lines


def masked(text: str, known: Sequence[str] = ()) -> str:
    """No number in full, also where it is a value among others."""
    for word in {*known, *(word.strip(";") for word in text.split() if word.startswith("+"))}:
        text = text.replace(word, numbers.mask(word))
    return text


async def forget(runtime: Runtime, chosen: argparse.Namespace) -> int:
    count = await files.forget(runtime, chosen.number)
    if count is None:
        raise CustomersError("this is not a telephone number; nothing was changed")
    print(f"Forgotten. Customers' files it was in: {count}.")
    return 0


async def rescore(runtime: Runtime, _: argparse.Namespace) -> int:
    """The ranking and every tier anew; what it came to, format by format."""
    run = await tiers.rescore(runtime)
    print(f"{run.scored:,} ranked, {run.left_out:,} left out, {run.changed:,} files changed ({run.run_id}).")
    report = await tiers.ranking_report(runtime)
    for peers, bands in report.bands.items():
        print(f"{peers}: " + ", ".join(f"band {band} {count:,}" for band, count in bands.items()))
    for tier, count in (await tiers.tier_counts(runtime)).items():
        print(f"{tier}: {count:,}")
    return 0


async def list_notices(runtime: Runtime, chosen: argparse.Namespace) -> int:
    """Whoever sends the notices needs the numbers; this prints them in full."""
    if chosen.area and chosen.area not in plan_of(runtime).areas:
        known = ", ".join(plan_of(runtime).areas)
        raise CustomersError(f"--area: there is no area {chosen.area!r}; there are: {known}")
    out: Any = csv.writer(sys.stdout)
    out.writerow(("account_no", "customer", "contact", "role", "numbers"))
    for one, contact in await files.to_be_told(runtime, chosen.area):
        out.writerow((one.account_no, one.name, contact.name, contact.role, " ".join(contact.numbers)))
    return 0
