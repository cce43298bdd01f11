"""The scribe: what the journal tells is in SQL once, whoever dies in between."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from config import numbers
from config.database import metadata
from queues.domain.call_records import CallRecord, fold, fold_onto
from queues.domain.journal import Line
from queues.scribe import run
from queues.service import readers
from queues.service.history import History, scribe
from queues.store import journal
from tests.doubles import MONDAY_0900_MS, ManualClock
from tests.queues.hotline import CHEN_NUMBER, LIN, LIN_NUMBER, Hotline
from tests.queues.killing import kill_when_stuck

HISTORY = ("events", "calls", "caller_numbers", "links", "tickets")


async def history_of(hotline: Hotline) -> dict[str, list[dict[str, Any]]]:
    return {table: await hotline.rows(table) for table in HISTORY}


async def test_an_answered_call_from_arrival_to_wrap_up_is_one_row(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()

    (row,) = await hotline.rows("calls")
    assert row.pop("updated_id")
    assert row.pop("site_version") == hotline.plan.version
    assert row == {
        "call_id": "CA1",
        "site": "power",
        "line": "main",
        "caller_ref": row["caller_ref"],
        "customer_id": "C1",
        "tier": "key_customer",
        "queue": "general",
        "matter": "enquiry",
        "locale": "zh-CN",
        "state": "ended",
        "outcome": "answered",
        "ended_by": "caller",
        "agent_id": "wang",
        "ticket_no": ticket_no,
        "record": "wanted",
        "given": None,
        "is_anonymous": False,
        "callback": "",
        "tries": 0,
        "missed": "",
        "arrived_ms": MONDAY_0900_MS,
        "queued_ms": MONDAY_0900_MS + 5_000,
        "offered_ms": MONDAY_0900_MS + 17_000,
        "answered_ms": MONDAY_0900_MS + 17_000,
        "connected_ms": None,
        "ended_ms": MONDAY_0900_MS + 77_000,
        "wrapped_up_ms": MONDAY_0900_MS + 87_000,
        "wait_ms": 12_000,
        "talk_ms": 60_000,
        "offers": 1,
        "disposition": "solved",
        "note": "",
        "menu_left_ms": MONDAY_0900_MS + 5_000,
        "came_closed": 0,
        "rang_ms": MONDAY_0900_MS + 17_000,
        "holds": None,
        "held_ms": None,
        "longest_hold_ms": None,
        "transfers": None,
        "wrap_ms": 10_000,
        "running": "",
        "ended_in": "connected",
    }


async def test_the_number_is_one_row_of_its_own_and_nowhere_else(hotline: Hotline) -> None:
    await hotline.arrive("CA1", LIN_NUMBER)
    await hotline.arrive("CA2", "")
    await hotline.scribe.drain()

    callers = {row["call_id"]: row["caller_ref"] for row in await hotline.rows("calls")}
    assert await hotline.rows("caller_numbers") == [
        {"caller_ref": callers["CA1"], "number": LIN_NUMBER, "seen_ms": MONDAY_0900_MS}
    ]
    assert callers["CA2"] == "withheld"
    assert LIN_NUMBER.removeprefix("+86") not in str(await hotline.rows("events"))


async def test_a_batch_that_did_not_commit_is_read_again_and_nothing_is_doubled(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hotline.answered_call("CA1")
    written = History.write

    async def write_and_die(self: History, connection: AsyncConnection, *rest: Any) -> Any:
        await written(self, connection, *rest)
        raise ConnectionAbortedError("killed before the commit")

    with monkeypatch.context() as patched:
        patched.setattr(History, "write", write_and_die)
        with pytest.raises(ConnectionAbortedError):
            await hotline.scribe.tick()
    assert await hotline.rows("events") == []
    assert await hotline.rows("calls") == []
    assert await hotline.rows("links") == []

    await hotline.scribe.step_down()
    after = scribe(hotline.runtime)
    assert await after.tick() is True
    await hotline.work_off()
    assert await hotline.rows("calls", "call_id", "outcome", "offers") == [
        {"call_id": "CA1", "outcome": "answered", "offers": 1}
    ]
    assert len(await hotline.rows("tickets")) == 1


async def test_a_scribe_that_dies_after_its_commit_leaves_its_jobs_to_the_next(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_no = await hotline.answered_call("CA1")

    async def die(_self: History, _done: Any) -> None:
        raise ConnectionAbortedError("killed before the push")

    with monkeypatch.context() as patched:
        patched.setattr(History, "after_commit", die)
        with pytest.raises(ConnectionAbortedError):
            await hotline.scribe.tick()
    assert await hotline.rq_counts() == {}
    assert await hotline.rows("links", "ticket_no", "done_ms") == [{"ticket_no": ticket_no, "done_ms": None}]

    await hotline.scribe.step_down()
    assert await scribe(hotline.runtime).tick() is False, "every line was taken in already"
    assert await hotline.rq_counts() == {"desk": 1}
    await hotline.scribe.book.take_over()
    assert await hotline.rq_counts() == {"desk": 1}, "what waits already is not pushed once more"
    await hotline.work_off()
    assert await hotline.rows("tickets", "ticket_no") == [{"ticket_no": ticket_no}]


async def test_a_scribe_killed_in_the_middle_of_a_batch_wrote_nothing_and_the_next_writes_all(
    hotline: Hotline,
) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await kill_when_stuck("scribe", hotline.runtime.settings)
    positions = {row["name"]: row["last_id"] for row in await hotline.rows("readers")}
    assert "scribe" in positions
    assert set(positions.values()) == {"0-0"}, "nor does the list run ahead of it"
    assert [await hotline.rows(table) for table in HISTORY] == [[]] * len(HISTORY)
    assert await hotline.scribe.tick() is False, "the dead one's lease has not run out"

    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(text("UPDATE readers SET lease_until_ms = 1"))
    await hotline.write_down()
    assert await hotline.rows("calls", "call_id", "outcome") == [{"call_id": "CA1", "outcome": "answered"}]
    assert await hotline.rows("tickets", "ticket_no") == [{"ticket_no": ticket_no}]


async def test_two_scribes_at_once_write_every_line_once(hotline: Hotline) -> None:
    other = scribe(hotline.runtime)
    for number in range(6):
        await hotline.answered_call(f"CA{number}", CHEN_NUMBER)
        worked = await asyncio.gather(hotline.scribe.tick(), other.tick())
        assert sorted(worked) == [False, True]
    await hotline.work_off()
    assert len(await hotline.rows("calls")) == 6
    assert len(await hotline.rows("tickets")) == 6


async def test_a_scribe_that_was_overtaken_writes_nothing(hotline: Hotline) -> None:
    """Its lease ran out while it slept; another has read on."""
    await hotline.arrive("CA1")
    await hotline.scribe.drain()
    slept = scribe(hotline.runtime)
    slept.last_id, slept.lease_until_ms = "0-0", hotline.scribe.lease_until_ms
    before = await history_of(hotline)

    assert await slept.tick() is False
    assert await history_of(hotline) == before
    assert slept.is_leading is False


async def test_the_lease_passes_on_when_its_holder_is_gone(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    await hotline.scribe.drain()
    await hotline.arrive("CA2")
    heir = scribe(hotline.runtime)
    assert await heir.tick() is False, "the lease is held"

    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(text("UPDATE readers SET lease_until_ms = 1"))
    assert await heir.tick() is True
    assert [row["call_id"] for row in await hotline.rows("calls")] == ["CA1", "CA2"]


async def test_the_journal_replayed_from_the_beginning_leaves_identical_rows(hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.arrive("CA2", CHEN_NUMBER)
    await hotline.enqueue("CA2", "power_cut", "outage")
    await hotline.end("CA2")
    await hotline.write_down()
    before = await history_of(hotline)

    await hotline.scribe.step_down()
    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(text("UPDATE readers SET last_id = '0-0'"))
    await Hotline.write_down(again := replace_scribe(hotline))
    assert await history_of(again) == before
    assert await again.rq_counts() == {}


async def test_an_empty_database_is_filled_again_from_the_journal(hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.write_down()
    before = await history_of(hotline)

    await hotline.scribe.step_down()
    async with hotline.runtime.database.transaction() as connection:
        for table in (*HISTORY, "readers"):
            await connection.execute(delete(metadata.tables[table]))
    for name in await hotline.runtime.redis.keys("rq:*"):
        await hotline.runtime.redis.delete(name)
    await Hotline.write_down(again := replace_scribe(hotline))
    after = await history_of(again)
    for links in (before["links"], after["links"]):
        assert all(link.pop("pushed_ms") and link.pop("done_ms") for link in links)
    assert after == before


def replace_scribe(hotline: Hotline) -> Hotline:
    return replace(hotline)


async def test_bad_lines_are_kept_and_stop_nobody(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    await hotline.write_raw({"type": "call.queued", "at_ms": "noon", "data": "{"})
    await hotline.write_raw({"nonsense": "1"})
    await hotline.journal("call.connected", "CA1", answered_ms={"what": "is this"}, wait_ms="soon")
    await hotline.journal("call.invented", "CA1")
    await hotline.journal("call.queued", "CA1", queued_ms=10**30, queue=["a", "list"])
    await hotline.arrive("CA2")
    await hotline.scribe.drain()

    kinds = [row["type"] for row in await hotline.rows("events") if not row["type"].startswith("agent.")]
    assert sorted(kinds) == sorted(
        [
            "call.arrived",
            "call.queued",
            "unreadable",
            "call.connected",
            "call.invented",
            "call.queued",
            "call.arrived",
        ]
    )
    assert [row["call_id"] for row in await hotline.rows("calls")] == ["CA1", "CA2"]


async def test_a_state_or_a_number_that_is_none_costs_its_own_line_alone(hotline: Hotline) -> None:
    await hotline.journal("agent.presence_changed", "", presence="asleep")
    await hotline.arrive("CA1")
    far_ms = 2**63 - 1  # each can be held by SQL, the time between them cannot
    await hotline.journal("call.queued", "CA1", queue="general", entered_ms=-far_ms)
    await hotline.journal("call.reconciled", "CA1", ended_ms=far_ms, is_ended=True)
    await hotline.arrive("CA2")
    await hotline.scribe.drain()

    assert [row["call_id"] for row in await hotline.rows("calls")] == ["CA1", "CA2"]
    kinds = [row["type"] for row in await hotline.rows("events")]
    assert "agent.presence_changed" in kinds, "kept as it came"
    assert "call.reconciled" not in kinds
    assert kinds.count("unreadable") == 1


async def test_a_line_that_sql_refuses_costs_itself_alone(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hotline.arrive("CA1")
    await hotline.arrive("CA2")
    await hotline.arrive("CA3")
    written = History.write

    async def refuse_the_second(self: History, connection: AsyncConnection, entries: Any, known: Any) -> Any:
        if any(entry.fields.get("call_id") == "CA2" for entry in entries):
            await connection.execute(text("INSERT INTO readers (name) VALUES (NULL)"))
        return await written(self, connection, entries, known)

    monkeypatch.setattr(History, "write", refuse_the_second)
    await hotline.scribe.drain()
    assert [row["call_id"] for row in await hotline.rows("calls")] == ["CA1", "CA3"]
    kinds = [row["type"] for row in await hotline.rows("events")]
    assert kinds.count("call.arrived") == 2
    assert kinds.count("unreadable") == 1


async def test_a_waiting_scribe_wakes_for_a_new_line(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "WAIT_MS", 4_000)
    await hotline.scribe.drain()
    waiting = asyncio.create_task(hotline.scribe.wait())
    await asyncio.sleep(0.05)
    await hotline.arrive("CA1")
    await asyncio.wait_for(waiting, 3)
    assert await hotline.scribe.tick() is True


async def test_the_loop_writes_until_it_is_stopped_and_hands_the_lease_on(hotline: Hotline) -> None:
    loop = asyncio.create_task(run(hotline.runtime))
    ticket_no = await hotline.answered_call("CA1")
    await hotline.until(hotline.rq_counts)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await hotline.arrive("CA2")
    assert await hotline.scribe.tick() is True, "the lease was given back"
    await hotline.work_off()
    assert await hotline.rows("tickets", "ticket_no") == [{"ticket_no": ticket_no}]


async def test_the_loop_outlives_a_store_that_is_away(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter([ConnectionError("the store is away"), TimeoutError("and slow")])
    read_after = journal.read_after

    async def falter(*anything: Any) -> Any:
        for fault in faults:
            raise fault
        return await read_after(*anything)

    monkeypatch.setattr(journal, "read_after", falter)
    await hotline.arrive("CA1")
    loop = asyncio.create_task(run(hotline.runtime))
    await hotline.until(lambda: hotline.rows("calls"))
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert await hotline.rows("calls", "call_id") == [{"call_id": "CA1"}]


async def test_a_cancelled_scribe_stops_wherever_it_was(hotline: Hotline) -> None:
    """A cancellation that meets a reply of the store can be swallowed in the library."""
    for turns in range(120):
        loop = asyncio.create_task(run(hotline.runtime))
        for _ in range(turns):
            await asyncio.sleep(0)
        loop.cancel()
        done, _ = await asyncio.wait({loop}, timeout=3)
        assert done, f"it ran on after a cancellation {turns} turns in"


async def test_what_others_wrote_on_a_call_stays(hotline: Hotline, clock: ManualClock) -> None:
    """The note and the ticket are not the journal's."""
    await hotline.arrive("CA1")
    await hotline.scribe.drain()
    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(text("UPDATE calls SET note = 'asked for a crew', ticket_no = 'T1'"))
    clock.advance(1000)
    await hotline.end("CA1")
    await hotline.scribe.drain()
    assert await hotline.rows("calls", "state", "outcome", "note", "ticket_no") == [
        {"state": "ended", "outcome": "left_in_menu", "note": "asked for a crew", "ticket_no": "T1"}
    ]


def told(number: int, kind: str, **data: Any) -> Line:
    return Line(id=f"{1000 + number}-0", type=kind, at_ms=1000 + number, call_id="CA1", data=data)


def folded(*lines: Line) -> CallRecord:
    record: CallRecord | None = None
    for line in lines:
        record = fold(record, line)
    assert record is not None
    return record


def test_a_line_seen_twice_changes_nothing() -> None:
    lines = [told(0, "call.arrived"), told(1, "call.queued", queue="general"), told(2, "call.offered")]
    once = folded(*lines)
    assert folded(*lines, *lines) == once
    assert folded(*[line for line in lines for _ in range(2)]) == once
    assert once.offers == 1


def test_nothing_leads_out_of_the_end() -> None:
    end = folded(told(0, "call.arrived"), told(1, "call.ended", outcome="left_in_menu", by="caller"))
    after = folded(
        told(0, "call.arrived"),
        told(1, "call.ended", outcome="left_in_menu", by="caller"),
        told(2, "call.queued", queue="general"),
        told(3, "call.connected"),
        told(4, "call.ended", outcome="answered", by="agent"),
    )
    assert (after.state, after.outcome, after.ended_by) == (end.state, end.outcome, end.ended_by)


async def test_a_message_heard_of_after_the_hang_up_makes_it_a_voicemail(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    ticket_no = await hotline.enqueue("CA1", is_open=False)
    await hotline.end("CA1")
    await hotline.write_down()
    assert await hotline.rows("calls", "outcome") == [{"outcome": "closed"}]
    await hotline.switchboard.leave_message(call_id="CA1")
    await hotline.write_down()
    assert await hotline.rows("calls", "state", "outcome") == [{"state": "ended", "outcome": "voicemail"}]
    assert await hotline.rows("tickets", "ticket_no") == [{"ticket_no": ticket_no}]


def test_a_line_that_cannot_be_taken_in_has_changed_nothing() -> None:
    before = folded(told(0, "call.arrived"), told(1, "call.queued", queue="general"))
    kept = replace(before)
    for kind in ("call.connected", "call.ended", "call.queued", "call.reconciled"):
        line = Line(id="2000-0", type=kind, at_ms=2000, call_id="CA1", data=None)  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            fold_onto(before, line)
        assert before == kept
    assert fold(before, told(2, "call.offered")) != before == kept, "`fold` leaves what it is given"


def test_a_lost_first_line_costs_its_facts_alone() -> None:
    record = folded(told(3, "call.queued", queue="outage"), told(9, "call.ended", outcome="abandoned"))
    assert (record.arrived_ms, record.queue, record.outcome, record.wait_ms) == (
        1003,
        "outage",
        "abandoned",
        6,
    )


def test_an_agents_line_makes_no_call() -> None:
    assert fold(None, told(0, "agent.wrap_up_closed", disposition="solved")) is None


def test_a_call_the_live_store_lost_is_ended_by_what_the_provider_says() -> None:
    record = folded(
        told(0, "call.arrived"),
        told(1, "call.queued", queue="general"),
        told(50, "call.reconciled", ended_ms=1030, is_ended=True),
    )
    assert (record.state, record.outcome, record.ended_ms, record.wait_ms) == ("ended", "abandoned", 1030, 29)


async def test_a_late_word_of_a_forgotten_call_does_not_move_its_arrival(
    hotline: Hotline, clock: ManualClock
) -> None:
    await hotline.answered_call("CA1")
    await hotline.write_down()
    (before,) = await hotline.rows("calls", "arrived_ms", "ended_ms", "outcome")
    clock.advance(7 * 3600 * 1000)
    assert await hotline.switchboard.forget_call(call_id="CA1") == "ok"
    await hotline.arrive("CA1")
    await hotline.write_down()
    (after,) = await hotline.rows("calls", "arrived_ms", "ended_ms", "outcome")
    assert after == before


async def test_who_keys_his_account_number_is_that_customer(hotline: Hotline) -> None:
    await hotline.arrive("CA1", "")
    key = numbers.account_key(hotline.runtime.settings.secret_key, "power", LIN.account_no)
    assert (await hotline.switchboard.identify_call(call_id="CA1", account_key=key)).is_ok
    await hotline.write_down()
    (row,) = await hotline.rows("calls", "customer_id", "tier", "caller_ref")
    assert row == {"customer_id": LIN.customer_id, "tier": "key_customer", "caller_ref": "withheld"}


async def test_a_call_that_joined_a_ticket_is_its_and_opens_none(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    await hotline.switchboard.join_ticket(call_id="CA1", ticket_no="T000042")
    await hotline.write_down()
    assert await hotline.rows("calls", "ticket_no") == [{"ticket_no": "T000042"}]
    await hotline.enqueue("CA1")
    await hotline.end("CA1")
    await hotline.write_down()
    assert await hotline.rows("calls", "ticket_no") == [{"ticket_no": "T000042"}]
    assert await hotline.rows("tickets") == []


async def test_what_was_keyed_under_the_sites_own_names_is_kept_and_nothing_else(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    for name, value in (("meter", "0042"), ("case_no", "12"), ("access_code", "9876")):
        assert (await hotline.switchboard.keep_given(call_id="CA1", name=name, value=value)).is_ok
    await hotline.enqueue("CA1")
    await hotline.end("CA1")
    await hotline.write_down()
    assert await hotline.rows("calls", "given") == [{"given": '{"meter": "0042"}'}]
    assert "0042" not in str(await hotline.rows("events"))
    live = await hotline.runtime.redis.hget("{power}:call:CA1", "given")
    assert live == '{"meter":"0042"}'


async def test_a_call_that_another_company_took_is_transferred(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    for _ in range(2):
        await hotline.switchboard.divert_call(call_id="CA1", to="transfer")
        await hotline.scribe.drain()
        assert await hotline.rows("calls", "state") == [{"state": "messaging"}]
        await hotline.switchboard.return_call(call_id="CA1")
        await hotline.scribe.drain()
        assert await hotline.rows("calls", "state") == [{"state": "menu"}]
    await hotline.switchboard.divert_call(call_id="CA1", to="transfer")
    await hotline.end("CA1")
    await hotline.scribe.drain()
    assert await hotline.rows("calls", "outcome") == [{"outcome": "transferred"}]


async def test_a_call_keeps_the_version_that_was_in_force_when_it_began(hotline: Hotline) -> None:
    await hotline.switchboard.activate_version(version="v-old", by="chief")
    await hotline.arrive("CA1")
    await hotline.switchboard.activate_version(version="v-new", by="chief")
    await hotline.arrive("CA2")
    await hotline.scribe.drain()
    assert await hotline.rows("calls", "site_version") == [
        {"site_version": "v-old"},
        {"site_version": "v-new"},
    ]


async def test_a_late_webhook_of_a_forgotten_anonymous_call_does_not_tell_who_it_was(
    hotline: Hotline, clock: ManualClock
) -> None:
    await hotline.arrive("CA1")
    await hotline.scribe.drain()
    await hotline.switchboard.anonymise_call(call_id="CA1")
    await hotline.end("CA1")
    await hotline.scribe.drain()
    clock.advance(7 * 3600 * 1000)
    await hotline.switchboard.forget_call(call_id="CA1")
    await hotline.arrive("CA1")
    await hotline.scribe.drain()
    (row,) = await hotline.rows("calls", "caller_ref", "customer_id", "is_anonymous", "arrived_ms")
    assert row == {
        "caller_ref": "", "customer_id": "", "is_anonymous": True, "arrived_ms": MONDAY_0900_MS,
    }  # fmt: skip
    assert await hotline.rows("caller_numbers") == []
    known = {LIN_NUMBER, LIN.customer_id}
    assert not known & set(str(await hotline.rows("events")).replace('"', " ").split())
    live = await hotline.runtime.redis.hgetall("{power}:call:CA1")
    assert live["is_anonymous"] == "1"
    assert not known & set(live.values())


async def test_nor_does_the_late_news_of_its_end(hotline: Hotline, clock: ManualClock) -> None:
    """It is over before the scribe can ask for it to be forgotten."""
    await hotline.arrive("CA1")
    await hotline.switchboard.anonymise_call(call_id="CA1")
    await hotline.end("CA1")
    await hotline.scribe.drain()
    await hotline.switchboard.forget_call(call_id="CA1")
    await hotline.arrive("CA1")
    await hotline.end("CA1")
    await hotline.scribe.drain()
    live = await hotline.runtime.redis.hgetall("{power}:call:CA1")
    assert (live["is_anonymous"], live["number"], live["caller_ref"]) == ("1", "", "")
    named = [
        line for _, line in await hotline.runtime.redis.xrange("{power}:journal") if "arrived" in line["type"]
    ]
    assert named == []
    assert await hotline.rows("caller_numbers") == []


async def test_a_lease_from_a_clock_that_was_set_back_holds_nobody(hotline: Hotline) -> None:
    dead = scribe(hotline.runtime)
    await dead.tick()
    an_hour_ahead = dead.lease_until_ms + 3_600_000
    async with hotline.runtime.database.transaction() as connection:
        await connection.execute(text("UPDATE readers SET lease_until_ms = :until"), {"until": an_hour_ahead})
    await hotline.arrive("CA1")
    await scribe(hotline.runtime).tick()
    assert [row["call_id"] for row in await hotline.rows("calls", "call_id")] == ["CA1"]
