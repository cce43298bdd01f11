"""Days with everything going wrong: safety while it does, then liveness until the house is empty.

Webhooks come twice, late, after younger ones, or never; documents and their answers are lost; the provider refuses
(429, 503), fails or does not answer; dispatchers, the front door, the scribe and the workers are killed at any
request; the clock is set forward and back; two dispatchers lead at once. Meanwhile callers ask to be called back, and
come, or their mailbox does; agents hold, ask a colleague, hand over, put through; a supervisor moves, raises, lends,
closes; there are managers, last agents, dedicated and kept seats, and one who is never to meet another. Twenty seeds
are fixed, one is fresh: its number is in the test's name.

    SHOUWEN_DAY_SEED=123456     that day alone, in place of the fresh one
    SHOUWEN_DAY_MINUTES=1440    as long a day, with calls to match (a whole one takes minutes)

A seed that fails becomes a test of its own, named after what was wrong.
"""

import os
import secrets
from dataclasses import replace
from itertools import zip_longest
from typing import Any
from zlib import crc32

import pytest
from sqlalchemy import delete

from config.database import metadata
from config.runtime import Runtime
from queues.service import figuring
from queues.service.figures import Asked, glance
from tests.doubles import MONDAY_0900_MS
from tests.simulation.days.day import Course, Day, open_day

# The workers of one run must agree on it.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex()
Records = dict[str, list[dict[str, Any]]]
FRESH = int(os.environ.get("SHOUWEN_DAY_SEED", 0)) or 1_000 + crc32(RUN.encode()) % 10**6
QUARTER_MS = 900_000
MINUTES = int(os.environ.get("SHOUWEN_DAY_MINUTES", 0))


def course_of(seed: int) -> Course:
    course = Course(seed)
    return replace(course, minutes=MINUTES, calls=MINUTES * 3 // 2) if MINUTES else course


def something_happened(day: Day, seed: int) -> bool:
    """A day without trouble would prove little, nor would one without what people do with a call."""
    told = day.auditor.told
    happens = ("callback.dialled", "call.held", "call.transferred", "call.consulted", "reserve.released")
    is_led = any(told.get(name) for name in ("call.moved", "call.raised", "queue.closed"))
    is_full = seed == FRESH or (is_led and all(told.get(name) for name in happens))
    return is_full and min(day.company.lost, day.deaths, day.auditor.offers) >= 5


@pytest.mark.parametrize("seed", [*range(20), pytest.param(FRESH, id=f"fresh-{FRESH}")])
async def test_a_faulty_day_breaks_no_law_and_comes_to_its_end(runtime: Runtime, seed: int) -> None:
    async with open_day(runtime, course_of(seed)) as day:
        assert await day.play() == []
        assert something_happened(day, seed)
        await check_books(day)


async def check_books(day: Day) -> None:
    """Every call has one record, every ticket that was promised is there exactly once, every interval adds up."""
    found = await day.records()
    rows, auditor = found["calls"], day.auditor
    assert len(rows) == len(auditor.outcomes)
    assert {row["call_id"]: row["outcome"] for row in rows} == auditor.outcomes
    queued = {row["call_id"]: row["queued_ms"] for row in rows if row["queued_ms"] is not None}
    assert queued.keys() >= auditor.waiters.keys()
    assert [row["call_id"] for row in found["links"] if row["done_ms"] is None] == []
    await figuring.drain(day.runtime)
    for from_ms in range(MONDAY_0900_MS, day.timeline.now_ms, QUARTER_MS):
        asked = Asked(from_ms=from_ms, until_ms=from_ms + QUARTER_MS)
        told = (await glance(day.runtime, auditor.plan, asked)).totals.counts.sums
        expected = auditor.after_calls.figures(from_ms, from_ms + QUARTER_MS)
        assert {name: told[name] for name in expected} == expected
    tickets = [(row["call_id"], row["ticket_no"]) for row in found["tickets"]]
    assert sorted(tickets) == sorted(auditor.tickets.items())


async def two_runs(runtime: Runtime, one: Course, other: Course) -> list[Records]:
    """What each leaves in SQL, on the same stores one after the other."""
    records = []
    for course in (one, other):
        async with open_day(runtime, course) as day:
            assert await day.play() == []
            records.append(await day.records())
        async with runtime.database.transaction() as connection:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(delete(table))
    assert len(records[0]["calls"]) >= one.calls
    return records


@pytest.mark.parametrize("seed", range(2))
async def test_a_day_on_which_every_webhook_comes_twice_leaves_the_same_in_sql(
    runtime: Runtime, seed: int
) -> None:
    calm = Course(
        seed, minutes=8, calls=14, dispatchers=1, has_faults=False, kills_every_ms=0, is_in_turn=True
    )
    once, twice = await two_runs(runtime, calm, replace(calm, is_doubled=True))
    assert first_difference(once, twice) is None


async def test_the_same_seed_is_the_same_day(runtime: Runtime) -> None:
    """So a seed that failed fails again, faults and deaths included."""
    course = Course(5, minutes=4, calls=12)
    one, again = await two_runs(runtime, course, course)
    assert first_difference(one, again) is None


def first_difference(one: Records, other: Records) -> tuple[str, object, object] | None:
    """In the order of the tables, the events first: what comes after follows from it."""
    for name in ("events", *one):
        for row, twin in zip_longest(one[name], other[name]):
            if row != twin:
                told = {column: (value, (twin or {}).get(column)) for column, value in (row or {}).items()}
                return name, {column: both for column, both in told.items() if both[0] != both[1]}, twin
    return None
