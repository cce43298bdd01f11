"""The figures in SQL: what the loop has added up is what the calls come to, whatever befell scribe, loop or rows."""

import asyncio
import datetime as dt
import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from queues import figures as figures_loop
from queues.domain.abandoned import back_id
from queues.domain.metrics import CALL_SETS, Totals, figures_of
from queues.domain.periods import QUARTER_MS, midnight
from queues.domain.targets import target_of
from queues.service import figures, figuring
from queues.service.figures import Asked
from queues.store import figured, intervals
from queues.store.calls import calls
from queues.store.figured import Chosen
from tests.doubles import MONDAY_0900_MS
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.test_intervals import day_of_lines

DAY_MS = 24 * 3_600_000
NOTHING = figuring.Gap()


def the_day(hotline: Hotline) -> Asked:
    from_ms = midnight(dt.date(2026, 11, 23), hotline.plan.timezone)
    assert from_ms < MONDAY_0900_MS < from_ms + DAY_MS
    return Asked(from_ms=from_ms, until_ms=from_ms + DAY_MS)


async def told(hotline: Hotline, asked: Asked | None = None) -> Totals:
    return (await figures.read(hotline.runtime, hotline.plan, asked or the_day(hotline))).totals


async def write_journal(hotline: Hotline, seed: int) -> None:
    """A day by chance in the journal, as the scripts would have written it. Some calls we placed ourselves."""
    pipeline = hotline.runtime.redis.pipeline(transaction=False)
    key, last = f"{{{hotline.plan.site}}}:journal", (0, 0)
    await hotline.runtime.redis.delete(key)
    for line in day_of_lines(seed, 1_500):
        ms, _, seq = line.id.partition("-")
        last = max((int(ms), int(seq)), (last[0], last[1] + 1))
        fields: dict[Any, Any] = {
            "type": line.type,
            "at_ms": line.at_ms,
            "call_id": back_id(line.call_id, 1) if line.call_id.endswith("7") else line.call_id,
            "agent_id": line.agent_id,
            "offer_id": line.offer_id,
            "data": json.dumps(dict(line.data)),
        }
        pipeline.xadd(key, fields, id=f"{last[0]}-{last[1]}")
    tag = f"{{{hotline.plan.site}}}"
    pipeline.mset({f"{tag}:last_ms": last[0], f"{tag}:last_seq": last[1]})
    await pipeline.execute()


async def read_from_the_start(hotline: Hotline) -> None:
    """What the scribe has taken in comes to it once more; the tick in which it notices is over when this is."""
    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(text("UPDATE readers SET last_id = '0-0'"))
    await hotline.scribe.tick()


async def test_live_is_rebuilt_by_the_real_scribe_in_batches_with_two_loops_and_a_death(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queues.service.readers.BATCH_MAX", 83)
    await write_journal(hotline, seed=5)
    chance, runtime = Random(5), hotline.runtime
    batches = 0
    while await hotline.scribe.tick():
        batches += 1
        if batches in (3, 5):
            await read_from_the_start(hotline)
        if chance.random() < 0.4:
            assert (await figuring.verify(runtime)).count == 0, (
                "with what is noted and not added yet, it is all there"
            )
            await asyncio.gather(figuring.tick(runtime), figuring.tick(runtime))
    await hotline.answered_call("CA-last")
    await hotline.scribe.drain()
    dropped = intervals.drop

    async def die(*_: Any) -> None:
        raise ConnectionAbortedError("killed before the commit")

    with monkeypatch.context() as patched:
        patched.setattr(intervals, "drop", die)
        with pytest.raises(ConnectionAbortedError):
            await figuring.tick(runtime)
    assert intervals.drop is dropped
    await figuring.drain(runtime)
    assert await hotline.rows("figure_changes") == []
    assert await figuring.verify(runtime) == NOTHING
    live = await hotline.rows("intervals"), await hotline.rows("agent_intervals")
    assert (
        {row["grain"] for row in live[0]} == {row["grain"] for row in live[1]} == {"quarter", "day", "month"}
    )
    assert await figuring.restamp(runtime) == 0, "the records are what the journal's copy says"

    async with runtime.database.transaction() as connection:
        for table in ("intervals", "agent_intervals", "agent_stays"):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        await connection.execute(
            update(calls).values(came_closed=None, running=None, ended_in=None, wrap_ms=None)
        )
    assert (await figuring.verify(runtime)).count > 10
    assert await figuring.begin(runtime), "as after an upgrade: no stamps and no figures yet"
    assert not await figuring.begin(runtime)
    rebuilt = await hotline.rows("intervals"), await hotline.rows("agent_intervals")
    assert [without(rows) for rows in rebuilt] == [without(rows) for rows in live]
    assert await figuring.verify(runtime) == NOTHING
    await expect_the_lists_to_be_as_long_as_the_figures(hotline)


@pytest.mark.parametrize("step", ["_cells_of_calls", "_regroup"])
async def test_who_dies_while_the_first_figures_are_made_leaves_them_to_the_next(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    runtime = hotline.runtime
    await hotline.answered_call("CA1")
    await hotline.arrive("CA2", CHEN_NUMBER)
    await hotline.enqueue("CA2")
    await hotline.scribe.drain()
    async with runtime.database.transaction() as connection:
        for table in ("intervals", "agent_intervals", "agent_stays", "figure_changes"):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        await connection.execute(update(calls).values(came_closed=None, running=None, wrap_ms=None))

    async def die(*_: Any) -> None:
        raise ConnectionAbortedError("killed before the commit")

    with monkeypatch.context() as patched:
        patched.setattr(figuring, step, die)
        with pytest.raises(ConnectionAbortedError):
            await figuring.begin(runtime)
    await figuring.drain(runtime)
    assert await figuring.begin(runtime)
    assert await figuring.verify(runtime) == NOTHING
    assert (await told(hotline)).counts.sums["arrived"] == 2


async def test_a_call_of_no_calendar_keeps_no_other_from_being_counted(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    await hotline.journal("call.reconciled", "CA1", arrived_ms=10**18)
    await hotline.arrive("CA2")
    await hotline.scribe.drain()
    await figuring.drain(hotline.runtime)
    assert await figuring.verify(hotline.runtime) == NOTHING
    assert (await told(hotline)).counts.sums["arrived"] == 1


def without(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The marks of corrections tell of what happened to the rows, not of calls; and a row of nothing is no row."""
    kept = [{name: value for name, value in row.items() if name != "corrected_ms"} for row in rows]
    keys = ("site", "grain", "start_ms", "queue", "tier", "line", "agent_id")
    return [row for row in kept if any(value for name, value in row.items() if name not in keys)]


async def expect_the_lists_to_be_as_long_as_the_figures(hotline: Hotline) -> None:
    """Each set of calls is told twice, once by counting and once as a condition; by queue and tier and in all."""
    asked = replace(the_day(hotline), until_ms=the_day(hotline).until_ms + DAY_MS)
    report = await figures.read(hotline.runtime, hotline.plan, asked)
    targets = {group: target_of(hotline.plan, *group) for group in report.by_group}
    chosen = Chosen(hotline.plan.site, asked.from_ms, asked.until_ms)
    symbols = report.totals.symbols()
    assert all(symbols[name] for name in ("A", "B", "CB", "TC"))
    async with hotline.runtime.database.read() as connection:
        for symbol in CALL_SETS:
            listed = await ids_of(connection, chosen, symbol, targets)
            assert len(listed) == symbols[symbol], symbol


async def ids_of(connection: AsyncConnection, chosen: Chosen, symbol: str, targets: Any) -> list[str]:
    query = select(calls.c.call_id).where(*chosen.conditions(), figured.condition(symbol, targets))
    return [row.call_id for row in await connection.execute(query)]


async def test_late_news_changes_a_quarter_that_was_over_with_a_mark_and_the_same_news_twice_does_not(
    hotline: Hotline,
) -> None:
    await hotline.answered_call("CA1")
    await hotline.write_down()
    await figuring.drain(hotline.runtime)
    assert not (await told(hotline)).is_open
    clock: Any = hotline.runtime.clock
    clock.advance(2 * QUARTER_MS)
    for _ in range(2):
        await hotline.journal("call.reconciled", "CA1", arrived_ms=MONDAY_0900_MS - QUARTER_MS)
        await hotline.scribe.drain()
        await figuring.drain(hotline.runtime)
    quarters = {
        row["start_ms"]: (row["arrived"], row["answered"], row["corrected_ms"] is not None)
        for row in await hotline.rows("intervals")
        if row["grain"] == "quarter"
    }
    assert quarters == {MONDAY_0900_MS - QUARTER_MS: (1, 1, True), MONDAY_0900_MS: (0, 0, True)}
    day = [row for row in await hotline.rows("intervals") if row["grain"] == "day"]
    assert [(row["arrived"], row["answered"]) for row in day] == [(1, 1)]
    assert day[0]["corrected_ms"] is not None
    assert await figuring.verify(hotline.runtime) == NOTHING


async def test_who_waits_is_in_the_longest_wait_and_what_was_written_by_hand_is_found(
    hotline: Hotline,
) -> None:
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    await hotline.write_down()
    await figuring.drain(hotline.runtime)
    clock: Any = hotline.runtime.clock
    clock.advance(93_000)
    totals = await told(hotline)
    assert totals.is_open
    assert {name: figures_of(totals)[name].value for name in ("longest_wait", "waiting", "asa", "f5")} == {
        "longest_wait": 93, "waiting": 1, "asa": None, "f5": None,
    }  # fmt: skip
    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(update(calls).values(tier="vip"))
    gap = await figuring.rebuild(hotline.runtime)
    assert len(gap.calls) == 2, "one cell has a call too many, one has a call too few"
    assert await figuring.verify(hotline.runtime) == NOTHING
    assert await figuring.restamp(hotline.runtime) == 1, "the journal says otherwise"
    await figuring.drain(hotline.runtime)
    assert await figuring.verify(hotline.runtime) == NOTHING


async def test_counting_who_called_again_holds_up_no_call_of_this_moment(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of many calls is compared, which takes its time; meanwhile somebody rings."""
    counting = asyncio.Event()

    async def takes_long(*_: Any) -> dict[Any, Any]:
        counting.set()
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(figured, "callers_by_group", takes_long)
    clock: Any = hotline.runtime.clock
    await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    await figuring.drain(hotline.runtime)
    clock.advance(9 * DAY_MS)
    loop = asyncio.create_task(figures_loop.run(hotline.runtime))
    try:
        await asyncio.wait_for(counting.wait(), 5)
        await hotline.answered_call("CA2")
        await hotline.scribe.drain()
        async with asyncio.timeout(5):
            while await hotline.rows("figure_changes"):
                await asyncio.sleep(0.02)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    assert loop.cancelled()
