"""The clockwork: whatever was lost on the way comes round again, and is done once."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import insert

from config.web.sessions import sessions, wall_ms
from queues.clockwork import Chore, end_sessions, own_chores, run
from queues.service import journal, links
from queues.service.links import OPEN_TICKET, sweep
from queues.store import readers
from tests.doubles import ManualClock
from tests.queues.hotline import Hotline
from tests.queues.killing import kill_when_stuck

OVERDUE_MS = 61_000


async def lose_the_work_queues(hotline: Hotline) -> None:
    for name in await hotline.runtime.redis.keys("rq:*"):
        await hotline.runtime.redis.delete(name)


async def test_a_lost_job_is_pushed_again_and_opens_one_ticket(hotline: Hotline, clock: ManualClock) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    assert await hotline.rq_counts() == {"desk": 1}
    await lose_the_work_queues(hotline)

    clock.advance(30_000)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 0, "it may still be on its way"
    clock.advance(OVERDUE_MS)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 1
    assert await sweep(hotline.runtime, OPEN_TICKET) == 0, "its second attempt has just begun"
    assert await hotline.rows("links", "job_id", "attempts") == [
        {"job_id": "CA1-open-ticket-2", "attempts": 2}
    ]
    await hotline.work_off()
    assert [row["ticket_no"] for row in await hotline.rows("tickets")] == [ticket_no]
    clock.advance(10 * OVERDUE_MS)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 0


async def test_an_early_second_push_opens_one_ticket(hotline: Hotline, clock: ManualClock) -> None:
    """The first job was not lost, only slow: both run."""
    await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    clock.advance(OVERDUE_MS)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 1
    assert await hotline.rq_counts() == {"desk": 2}
    await hotline.work_off()
    assert len(await hotline.rows("tickets")) == 1
    assert await hotline.runtime.jobs.failed("desk") == ()


async def test_each_attempt_is_given_more_time(hotline: Hotline, clock: ManualClock) -> None:
    await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    waits, waited_s = [], 0
    while len(waits) < 9:
        clock.advance(10_000)
        waited_s += 10
        if await sweep(hotline.runtime, OPEN_TICKET):
            waits.append(waited_s)
            waited_s = 0
    assert waits == [60, 120, 240, 480, 960, 1920, 3840, 3840, 3840]


async def test_two_clocks_sweep_at_once_and_push_once(hotline: Hotline, clock: ManualClock) -> None:
    for number in range(4):
        await hotline.answered_call(f"CA{number}")
    await hotline.scribe.drain()
    await lose_the_work_queues(hotline)
    clock.advance(OVERDUE_MS)
    pushed = await asyncio.gather(*(sweep(hotline.runtime, OPEN_TICKET) for _ in range(3)))
    assert sum(pushed) == 4
    assert await hotline.rq_counts() == {"desk": 4}


async def test_the_sixty_seconds_are_real_also_when_the_clock_runs_fast(
    hotline: Hotline, clock: ManualClock
) -> None:
    await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    clock.speed = 30
    clock.advance(OVERDUE_MS)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 0
    clock.advance(30 * OVERDUE_MS)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 1


async def test_a_worker_killed_in_the_middle_of_a_ticket_leaves_none_and_the_next_opens_one(
    hotline: Hotline, clock: ManualClock
) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    await kill_when_stuck("worker", hotline.runtime.settings)
    assert await hotline.rows("tickets") == []
    assert await hotline.rq_counts() == {}, "the job went down with its worker"

    clock.advance(OVERDUE_MS)
    assert await sweep(hotline.runtime, OPEN_TICKET) == 1
    await hotline.work_off()
    assert [row["ticket_no"] for row in await hotline.rows("tickets")] == [ticket_no]
    assert await hotline.rows("calls", "ticket_no") == [{"ticket_no": ticket_no}]


async def test_a_work_queue_that_is_away_costs_a_delay(
    hotline: Hotline, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> bool:
        raise ConnectionError("the queue's server is away")

    with monkeypatch.context() as patched:
        patched.setattr(hotline.runtime.jobs, "push", away)
        await hotline.answered_call("CA1")
        await hotline.scribe.drain()
    assert await hotline.rows("links", "done_ms") == [{"done_ms": None}]
    assert await hotline.rq_counts() == {}
    clock.advance(OVERDUE_MS)
    await sweep(hotline.runtime, OPEN_TICKET)
    await hotline.work_off()
    assert len(await hotline.rows("tickets")) == 1


async def test_the_journal_is_trimmed_behind_its_slowest_reader(hotline: Hotline, clock: ManualClock) -> None:
    for number in range(300):
        await hotline.journal("call.arrived", f"CA{number}")
    await hotline.scribe.drain()
    clock.advance(journal.KEPT_MS + 1_000)
    stream = "{power}:journal"
    length = await hotline.runtime.redis.xlen(stream)

    both = ("scribe", "recordings")
    assert await journal.trim(hotline.runtime, both) == 0, (
        "a reader that has not come yet reads from the start"
    )
    async with hotline.runtime.database.transaction() as connection:
        await readers.enrol(connection, "recordings")
    assert await journal.trim(hotline.runtime, both) == 0, "and has read nothing"
    assert await journal.trim(hotline.runtime, ("scribe",)) == 0

    async with hotline.runtime.database.transaction() as connection:
        await readers.claim(connection, "recordings", "me", 1, 2)
        await readers.advance(connection, "recordings", "me", "0-0", hotline.scribe.last_id, 3)
    trimmed = await journal.trim(hotline.runtime, both)
    assert 0 < trimmed <= length
    assert await hotline.runtime.redis.xlen(stream) == length - trimmed
    await hotline.arrive("CAlate")
    assert await hotline.scribe.tick() is True


async def test_what_sql_has_seen_is_what_the_live_store_must_be_above(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    seen = await journal.high_water(hotline.runtime)
    assert (seen.journal_id, seen.tickets) == (hotline.scribe.last_id, int(ticket_no.removeprefix("T")))
    await hotline.arrive("CA2")
    told = await hotline.enqueue("CA2")
    assert await hotline.scribe.tick() is True
    seen = await journal.high_water(hotline.runtime)
    assert (seen.tickets, seen.arrivals) == (2, 2)
    assert told == "T000002", "told to the caller, though there is no ticket yet"


async def test_sessions_that_have_run_out_are_forgotten(hotline: Hotline) -> None:
    row = {"account_id": "A1", "csrf": "c", "created_ms": 1}
    async with hotline.runtime.database.transaction() as connection:
        for name, expires_ms in (("old", wall_ms() - 1), ("new", wall_ms() + 60_000)):
            await connection.execute(insert(sessions).values(session_id=name, expires_ms=expires_ms, **row))
    assert await end_sessions(hotline.runtime) == 1
    assert [each["session_id"] for each in await hotline.rows("sessions")] == ["new"]


async def test_a_chore_that_fails_or_hangs_stops_no_other(hotline: Hotline) -> None:
    rounds = asyncio.Queue[str]()

    async def fail(_: object) -> int:
        rounds.put_nowait("bad")
        raise RuntimeError("the bad chore")

    async def hang(_: object) -> int:
        return await asyncio.Event().wait() or 0

    async def work(_: object) -> int:
        rounds.put_nowait("good")
        return 1

    chores = [Chore("bad", 0.01, fail), Chore("slow", 0.01, hang), Chore("good", 0.01, work)]
    clock = asyncio.create_task(run(hotline.runtime, chores))
    done: list[str] = []
    async with asyncio.timeout(30):
        while done.count("good") < 3 or done.count("bad") < 3:
            done.append(await rounds.get())
    clock.cancel()
    await asyncio.gather(clock, return_exceptions=True)
    assert clock.cancelled()


async def test_every_chore_of_the_house_runs(hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.write_down()
    await hotline.runtime.redis.delete("{power}:numbers")
    did = {chore.name: await chore.run(hotline.runtime) for chore in own_chores(["scribe"])}
    assert did == {
        "sweep_tickets": 0,
        "trim_journal": 0,
        "erase_traces": 0,
        "mend_notices": 0,
        "mend_cases": 0,
        "mend_index": 2,
        "mend_people": 0,
        "forget_met": 0,
        "end_changes": 0,
        "rescore_due": 1,
        "estimate_waits": 0,
        "watch_surges": 0,
        "watch_alarms": 0,
        "drop_alarms": 0,
        "work_off_uploads": 0,
        "tidy_uploads": 0,
        "close_lapsed": 0,
        "send_texts": 0,
        "make_reports": 0,
        "urgent_reports": 0,
        "correct_reports": 0,
        "keep_version": 1,
        "keep_scores": 0,
        "mend_wrap_ups": 0,
        "end_sessions": 0,
    }
    again = {chore.name: await chore.run(hotline.runtime) for chore in own_chores(["scribe"])}
    assert set(again.values()) == {0}
    (kept,) = await hotline.rows("site_versions", "version", "site")
    assert kept == {"version": hotline.plan.version, "site": "power"}


def test_a_jobs_id_is_letters_digits_and_dashes() -> None:
    link = links.Link(call_id="CA1", kind="fetch_audio:RE_1", work_queue="audio", due_ms=1)
    kind = links.LinkKind("fetch_audio", "recordings.jobs.fetch_audio", "recording_id")
    assert kind.job_id(link, 3) == "CA1-fetch-audio-RE-1-3"
    assert kind.ids_of(link) == {"recording_id": "RE_1"}
    assert OPEN_TICKET.ids_of(replace(link, kind="open_ticket")) == {"call_id": "CA1"}
