"""Pages over many calls: by which plan SQL finds what is on them, and that the short ways lead to the same calls."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from config.database import Database
from config.runtime import Runtime
from queues.domain.intervals import Cell, Counts
from queues.domain.metrics import Callers
from queues.domain.periods import midnight
from queues.service import callers, figures, figuring
from queues.service import calls as call_lists
from queues.service.figures import Asked
from queues.service.plans import plan_of
from tests.bench import figures as bench
from tests.bench.asking import Supervisor, supervisor
from tests.bench.house import ENVIRONMENT, empty_database
from tests.bench.loading import Load, load
from tests.bench.synthetic import AGENTS, DAY_MS

COUNT, DAYS = 4_000, 20  # SQLite plans without looking at how many there are
UNTIL_MS = midnight(bench.LAST_DAY + dt.timedelta(days=1), bench.ZONE)
# What grows with the calls. Only the newest of all may be read in the order of an index.
LARGE = "calls|intervals|agent_intervals|abandoned|abandoned_calls|caller_days|events|talks"
BARE = re.compile(rf"SCAN ({LARGE})\b(?! USING INDEX ix_calls_arrived_ms)")
BY_SITE_ALONE = re.compile(r"SEARCH (calls|\w*intervals) USING .*\(site=\?\)$")


async def test_pages_over_many_calls_search_by_an_index_and_find_what_a_full_count_finds(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/many.sqlite"
    (tmp_path / "many.sqlite").write_bytes(empty_database())
    database = Database(url)
    asked = Load(
        "power",
        bench.ZONE,
        ENVIRONMENT["SECRET_KEY"],
        UNTIL_MS,
        COUNT,
        DAYS,
        scripts=1_500,
        agents=AGENTS[:3],
    )
    async for _ in load(database, asked):
        pass
    await database.close()
    async with supervisor(url) as asker:
        gap = await figuring.verify(asker.runtime)
        assert (gap.calls, gap.coarse) == ({}, 0), (
            "the calls and their figures are as the product would have them"
        )
        await expect_plans_by_index(asker, await bench.some_of(asker.database))
        await expect_lists_to_be_whole(asker.runtime)
        await expect_kept_days_to_be_what_the_calls_are(asker.runtime)
        await expect_plans_by_index(asker, await bench.some_of(asker.database), only="figures")


async def expect_plans_by_index(asker: Supervisor, some: bench.Some, only: str = "") -> None:
    seen = set[str]()
    for question in bench.questions(some):
        if only not in question.name:
            continue
        for said in (await asker.ask(question.path)).said:
            if said.sql in seen or not said.sql.startswith(("SELECT", "WITH")):
                continue
            seen.add(said.sql)
            for step in await asker.plan_of(said):
                assert not BARE.search(step), (question.name, step, said.sql)
                assert not BY_SITE_ALONE.search(step), (question.name, step, said.sql)
    assert len(seen) > 10


def the_weeks(queues: Collection[str] = (), tier: str = "") -> Asked:
    """Neither end lies at the end of a month, or of a quarter of an hour."""
    return Asked(
        from_ms=UNTIL_MS - 18 * DAY_MS + 400_000, until_ms=UNTIL_MS - 5 * DAY_MS, queues=queues, tier=tier
    )


async def expect_lists_to_be_whole(runtime: Runtime) -> None:
    """Page by page, each of the few calls of a set among the many, whichever way they are looked for."""
    plan, few = plan_of(runtime), 0
    for asked, symbols in ((the_weeks(), figures.CALL_SETS), (the_weeks(("key",)), ("A", "B_T", "F"))):
        for symbol in symbols:
            chosen = await figures.behind(runtime, plan, asked, symbol)
            async with runtime.database.read() as connection:
                whole = await call_lists.calls.newest_first(connection, chosen, None, COUNT)
            if len(whole) > 400:
                continue
            few += bool(whole)
            listed, before = list[str](), None
            while True:
                page = await call_lists.list_calls(runtime, chosen, before=before, limit=30)
                listed += [call.call_id for call in page.calls]
                before = page.older
                if before is None:
                    break
            assert listed == [row["call_id"] for row in whole], symbol
    assert few > 10


async def expect_kept_days_to_be_what_the_calls_are(runtime: Runtime) -> None:
    asked = (the_weeks(), the_weeks(("outage", "key")), the_weeks(tier="business"))
    before = [await who_called_again(runtime, each) for each in asked]
    assert all(each is not None and each.again_48 > 0 and each.solved > 0 for each in before)
    days = 0
    while await callers.keep_day(runtime):
        days += 1
    assert days == DAYS - 7, "the rest is not over for good"
    assert [await who_called_again(runtime, each) for each in asked] == before
    late = {Cell(UNTIL_MS - 11 * DAY_MS, "key", "", ""): Counts(Counter(offered=1))}
    async with runtime.database.transaction() as connection:
        await callers.changed(connection, "power", bench.ZONE, late)
    again = 0
    while await callers.keep_day(runtime):
        again += 1
    assert again == 9 + 1, "the days that it may be compared with, seven before and two after, and its own"
    assert [await who_called_again(runtime, each) for each in asked] == before


async def who_called_again(runtime: Runtime, asked: Asked) -> Callers | None:
    return (await figures.read(runtime, plan_of(runtime), asked)).totals.callers
