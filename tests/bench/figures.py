"""`python -m tests.bench.figures --count 10000000`: figures, lists and searches over that many calls of three years.

It makes the calls (without `--database` in a temporary folder, in SQLite), says how fast that was and what they weigh,
asks for pages and says how long each took, warm and from a fresh process whose database has to be read from the disk,
and shows by which plan SQL found what was slowest of each. Nothing is asserted: it is a measurement.
"""

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import text

from config.database import Database
from config.migrations import upgrade_url
from queues.domain.journal import Line
from queues.domain.periods import midnight
from queues.service import callers, figuring
from queues.service.history import scribe
from queues.store.journal import journal_key
from tests.bench import synthetic
from tests.bench.asking import Supervisor, supervisor
from tests.bench.house import ENVIRONMENT, ROOT, House, furnished
from tests.bench.loading import Load, load
from tests.bench.synthetic import FIRST_NUMBER
from tests.doubles import ManualClock

ZONE: Final = "Asia/Shanghai"
LAST_DAY: Final = dt.date(2026, 11, 22)
WARM_TIMES: Final = 3
INGESTED: Final = 20_000
LINES_AT_ONCE: Final = 2_000
DAY, MONTH, YEAR, ODD_YEAR, ALL = (
    "from=2026-11-17&until=2026-11-17",
    "from=2026-10-01&until=2026-10-31",
    "from=2025-11-01&until=2026-10-31",
    "from=2025-11-18&until=2026-11-17",
    "from=2023-11-25&until=2026-11-22",
)


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    path: str
    is_cold: bool = False  # asked as the first thing of a fresh process as well


def questions(some: "Some") -> Iterator[Question]:
    for name, days in (("day", DAY), ("month", MONTH), ("year", ODD_YEAR)):
        yield Question(f"figures of a {name}", f"/figures?{days}", is_cold=True)
    yield Question("figures of twelve months", f"/figures?{YEAR}")
    yield Question("figures of three years", f"/figures?{ALL}")
    yield Question("a year of one queue and tier", f"/figures?{ODD_YEAR}&queue=key&tier=high_risk")
    yield Question("figures.csv of a year", f"/figures.csv?{ODD_YEAR}")
    for symbol, days in (("N", DAY), ("A_T", MONTH), ("A", ODD_YEAR), ("B_s", ODD_YEAR), ("X", ODD_YEAR)):
        yield Question(f"calls behind {symbol}", f"/calls?{days}&of={symbol}", is_cold=symbol == "A")
    yield Question("calls behind A, deep", f"/calls?{ODD_YEAR}&of=A&before={some.deep}")
    yield Question("calls behind W of a year (none)", f"/calls?{ODD_YEAR}&of=W")
    narrow = "queue=key&tier=high_risk"
    yield Question("calls behind X of one queue and tier", f"/calls?{ODD_YEAR}&{narrow}&of=X")
    yield Question("newest calls", "/calls", is_cold=True)
    yield Question("calls, deep", f"/calls?before={some.deep}")
    yield Question("calls of an agent", "/calls?agent=agent005")
    yield Question("calls of an agent who has none", "/calls?agent=nobody")
    yield Question("calls of a queue and outcome", "/calls?queue=key&outcome=closed")
    yield Question("search by number", f"/calls?q={quote(f'+86{FIRST_NUMBER + 50}')}", is_cold=True)
    yield Question("search by a rare number", f"/calls?q={quote(f'+86{some.rare}')}")
    yield Question("search by a ticket", "/calls?q=20261117-0001")
    yield Question("search by a call", f"/calls?q={some.call_id}")
    yield Question("a call", f"/calls/{some.call_id}")
    yield Question("abandoned list", "/abandoned", is_cold=True)
    yield Question("abandoned.csv of a fortnight", "/abandoned.csv?from=2026-11-04&until=2026-11-17")


@dataclass(frozen=True, slots=True)
class Some:
    """Of what is there: a call of half a year ago, and where a page ends there."""

    call_id: str
    deep: str
    rare: int


def main() -> int:
    chosen = _arguments()
    if chosen.cold:
        return asyncio.run(cold(chosen.database, chosen.cold))
    with tempfile.TemporaryDirectory(prefix="shouwen-figures-") as folder:
        url = chosen.database or f"sqlite+aiosqlite:///{folder}/figures.sqlite"
        asyncio.run(measure(url, chosen))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.figures", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="how many calls (20000)")
    parser.add_argument("--database", metavar="URL", help="made there, and left there")
    parser.add_argument("--steps", default="load,keep,ask,cold,verify,ingest", help="which of them (all)")
    parser.add_argument("--plans", action="store_true", help="the whole plan of each slowest statement")
    parser.add_argument("--only", default="", metavar="TEXT", help="only pages whose name has this in it")
    parser.add_argument("--cold", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


async def measure(url: str, chosen: argparse.Namespace) -> None:
    steps = chosen.steps.split(",")
    began = perf_counter()
    upgrade_url(url)
    tell(f"brought to the newest tables: {perf_counter() - began:.1f} s")
    if "load" in steps:
        await fill(url, chosen.count)
    if "keep" in steps:
        await keep(url)
    database = Database(url)
    some = await some_of(database)
    await database.close()
    wanted = [each for each in questions(some) if chosen.only in each.name]
    if "ask" in steps:
        async with supervisor(url) as asker:
            for each in wanted:
                tell(await warm(asker, each, is_whole=chosen.plans))
    if "cold" in steps:
        for each in wanted:
            if each.is_cold:
                tell(await in_a_fresh_process(url, each))
    if "verify" in steps:
        await check(url)
    if "ingest" in steps:
        await ingest(url, INGESTED)


def tell(line: str) -> None:
    print(line, file=sys.__stdout__, flush=True)


async def fill(url: str, count: int) -> None:
    database = Database(url, command_s=None)
    until_ms = midnight(LAST_DAY + dt.timedelta(days=1), ZONE)
    asked = Load("power", ZONE, ENVIRONMENT["SECRET_KEY"], until_ms, count)
    began, busy = perf_counter(), process_time()
    async for each in load(database, asked):
        rate = each.done / (perf_counter() - began)
        print(f"\r{each.done:,} calls, {rate:,.0f} a second", end="", file=sys.stderr, flush=True)
    took_s, busy_s = perf_counter() - began, process_time() - busy
    print("\r", end="", file=sys.stderr, flush=True)
    sizes = ", ".join(f"{number:,} {name}" for name, number in asked.sizes.items())
    tell(f"made: {sizes}; {count / took_s:,.0f} calls a second, {took_s:.0f} s, {busy_s:.0f} of them at work")
    tell(f"on disk: {await _size(database) / 1e9:.2f} GB")
    await database.close()


async def keep(url: str) -> None:
    """Who called again, of every day that is over for good; the product does so in the background."""
    async with furnished(clock=ManualClock(), database_url=url) as house:
        began, busy, days = perf_counter(), process_time(), 0
        while await callers.keep_day(house.runtime):
            days += 1
        took_s, busy_s = perf_counter() - began, process_time() - busy
    tell(f"who called again: {days:,} days counted in {took_s:.0f} s, {busy_s:.0f} of them at work")


async def _size(database: Database) -> int:
    async with database.read() as connection:
        if database.is_sqlite:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            return int(pages) * int((await connection.execute(text("PRAGMA page_size"))).scalar_one())
        return int(
            (await connection.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
        )


async def some_of(database: Database) -> Some:
    at_ms = midnight(LAST_DAY - dt.timedelta(days=180), ZONE)
    found = "SELECT call_id, arrived_ms FROM calls WHERE arrived_ms >= :at_ms ORDER BY arrived_ms LIMIT 1"
    async with database.read() as connection:
        call_id, arrived_ms = (await connection.execute(text(found), {"at_ms": at_ms})).one()
        count = (await connection.execute(text("SELECT count(*) FROM calls"))).scalar_one()
    return Some(call_id, f"{arrived_ms}:{call_id}", FIRST_NUMBER + max(100, count // 16) - 3)


async def warm(asker: Supervisor, question: Question, *, is_whole: bool) -> str:
    await asker.ask(question.path)
    found = [await asker.ask(question.path) for _ in range(WARM_TIMES)]
    best = min(found, key=lambda each: each.took_ms)
    slowest = best.slowest
    plan = await asker.plan_of(slowest)
    head = f"{question.name:40} {median(each.took_ms for each in found):8.0f} ms, best {best.took_ms:7.0f}"
    tail = f"{best.busy_ms:7.0f} at work, {len(best.said)} statements, slowest {slowest.took_ms:.0f}"
    return "\n".join([f"{head}, {tail}", *(f"    {each}" for each in shortened(plan, is_whole=is_whole))])


def shortened(plan: Sequence[str], *, is_whole: bool) -> list[str]:
    words = ("Scan", "Execution Time", "SEARCH", "SCAN", "TEMP B-TREE", "Buffers: shared")
    told = [each.strip() for each in plan if is_whole or any(word in each for word in words)]
    return [each[: 2000 if is_whole else 150] for each in told][: None if is_whole else 6]


async def in_a_fresh_process(url: str, question: Question) -> str:
    _put_out_of_the_cache(url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.figures", "--database", url, "--cold", question.path,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    told = json.loads(output.splitlines()[-1])
    return f"cold: {question.name:34} {told['took_ms']:8.0f} ms, {told['busy_ms']:7.0f} at work"


async def cold(url: str, path: str) -> int:
    async with supervisor(url) as asker:
        found = await asker.ask(path)
    tell(json.dumps({"took_ms": found.took_ms, "busy_ms": found.busy_ms}))
    return 0


def _put_out_of_the_cache(url: str) -> None:
    """What the system remembers of the file; of a database that is no file of ours nothing can be done."""
    if not url.startswith("sqlite"):
        return
    with Path(url.partition(":///")[2]).open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def check(url: str) -> None:
    """`shouwen figures verify` over all of it, and how much memory that took."""
    async with furnished(clock=ManualClock(), database_url=url) as house:
        before, began, busy = _rss_mb(), perf_counter(), process_time()
        gap = await figuring.verify(house.runtime)
        took_s, busy_s = perf_counter() - began, process_time() - busy
    found = f"{gap.quarters} intervals of calls and {gap.coarse} days and months differ"
    tell(f"verify: {found}; {took_s:.0f} s, {busy_s:.0f} at work; memory {before:.0f} to {_rss_mb():.0f} MB")


async def ingest(url: str, count: int) -> None:
    """The lines of some further calls through the real scribe and the loop that adds up, into what is there."""
    rng = random.Random(11)
    told, crowd = synthetic.scripts(rng), synthetic.Crowd(ENVIRONMENT["SECRET_KEY"], count * 16)
    from_ms = midnight(LAST_DAY + dt.timedelta(days=1), ZONE)
    lines = [
        line
        for start_ms, number in synthetic.quarters(from_ms, 1, count)
        for call in synthetic.arrivals(rng, told, crowd, start_ms, number)
        for line in synthetic.lines_of(call)
    ]
    lines.sort(key=lambda line: line.at_ms)
    async with furnished(clock=ManualClock(), database_url=url) as house:
        await _into_the_journal(house, lines)
        began, busy = perf_counter(), process_time()
        await scribe(house.runtime).drain()
        written_s, written_busy_s = perf_counter() - began, process_time() - busy
        await figuring.drain(house.runtime)
        added_s, added_busy_s = perf_counter() - began - written_s, process_time() - busy - written_busy_s
    tell(
        f"scribe: {count:,} calls of {len(lines):,} lines in {written_s:.1f} s, {written_busy_s:.1f} of them at work: "
        f"{count / written_s:,.0f} calls and {len(lines) / written_s:,.0f} lines a second; "
        f"adding them up took {added_s:.1f} s, {added_busy_s:.1f} at work"
    )


async def _into_the_journal(house: House, lines: Sequence[Line]) -> None:
    pipeline: Any = house.runtime.redis.pipeline(transaction=False)
    last_ms, seq = 0, 0
    for line in lines:
        last_ms, seq = (line.at_ms, 0) if line.at_ms > last_ms else (last_ms, seq + 1)
        names = ("type", "at_ms", "call_id", "agent_id", "offer_id")
        fields = {name: getattr(line, name) for name in names} | {"data": json.dumps(dict(line.data))}
        pipeline.xadd(journal_key(house.plan.site), fields, id=f"{last_ms}-{seq}")
        if len(pipeline) >= LINES_AT_ONCE:
            await pipeline.execute()
    await pipeline.execute()


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
