"""Tickets: due when the site says so, at the end at the latest, one for each call; and what people do with them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text, update

from config import jobs, migrations, numbers
from config.database import Database
from queues.domain.clocks import DueState
from queues.domain.journal import Line
from queues.domain.tickets import (
    MOVES,
    REPLY_LENGTH_MAX,
    TicketEvent,
    TicketState,
    is_due,
    number_in,
    promise_of,
    tidy_reply,
)
from queues.service import cases, tickets
from queues.service.plans import keep_version
from queues.service.tickets import (
    Answer,
    TicketFilter,
    answer_caller,
    due_state_of,
    find_ticket,
    history_of,
    list_tickets,
    move_ticket,
    open_ticket,
    work_on,
)
from queues.store.calls import calls
from tests.doubles import MONDAY_0900_MS, ManualClock
from tests.queues.hotline import CHEN_NUMBER, Hotline

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.mark.parametrize(
    ("ticket_on", "due_at"),
    [
        ("entry", ["call.queued", "call.connected", "call.ended"]),
        ("answer", ["call.connected", "call.ended"]),
        ("end", ["call.ended"]),
        ("whenever", ["call.ended"]),
    ],
)
def test_when_a_ticket_is_due(ticket_on: str, due_at: list[str]) -> None:
    data = {"ticket_no": "T000001", "ticket_type": "enquiry", "ticket_on": ticket_on, "work_queue": "desk"}
    promise = promise_of(Line(id="1-0", type="call.queued", at_ms=1, call_id="CA1", data=data))
    assert promise is not None
    kinds = [
        "call.arrived",
        "call.queued",
        "call.offered",
        "call.connected",
        "call.message_left",
        "call.ended",
    ]
    assert [kind for kind in kinds if is_due(promise, Line(id="2-0", type=kind, at_ms=2))] == due_at


def test_a_matter_without_a_ticket_promises_none() -> None:
    data = {"ticket_no": "", "ticket_type": "", "ticket_on": "answer"}
    assert promise_of(Line(id="1-0", type="call.queued", at_ms=1, call_id="CA1", data=data)) is None


def test_a_number_is_found_however_it_is_written() -> None:
    written = ["T000042", "t42", " 42 ", "0000042", "T1234567"]
    assert [number_in(each) for each in written] == ["T000042"] * 4 + ["T1234567"]
    assert [number_in(each) for each in ("", "T", "42a", "-1", "４２", "1" * 13)] == [""] * 6


def test_a_reply_is_one_line_that_can_be_spoken() -> None:
    assert tidy_reply(" 已修复。\r\n\t请\x07开门。 ") == "已修复。 请 开门。"


def test_every_ticket_can_be_closed_and_closed_is_the_end() -> None:
    ends = {state: moves.get(TicketEvent.CLOSE) for state, moves in MOVES.items()}
    assert ends.pop(TicketState.CLOSED) is None
    assert set(ends.values()) == {TicketState.CLOSED}


async def test_a_power_cut_has_its_ticket_while_the_caller_still_waits(
    hotline: Hotline, clock: ManualClock
) -> None:
    await hotline.arrive("CA1")
    clock.advance(4_000)
    ticket_no = await hotline.enqueue("CA1", "key_power_cut", "key")
    clock.advance(30_000)
    await hotline.write_down()

    (call,) = await hotline.rows("calls")
    assert call["state"] == "queued"
    assert await hotline.rows("tickets") == [
        {
            "ticket_no": ticket_no,
            "site": "power",
            "type": "key_outage_repair",
            "work_queue": "dispatch_urgent",
            "priority": 1,
            "state": "open",
            "call_id": "CA1",
            "customer_id": "C1",
            "caller_ref": call["caller_ref"],
            "tier": "key_customer",
            "subject": "",
            "note": "",
            "opened_ms": MONDAY_0900_MS + 4_000,
            "closed_ms": None,
            "matter": "key_power_cut",
            "area": "city",
            "owner": "",
            "taken_by": "",
            "code_key": "",
            "reply": "",
            "due_ms": MONDAY_0900_MS + 4_000 + 12 * HOUR_MS,  # a core area
            "resolved_ms": None,
            "replied_ms": None,
            "amount_cents": None,
            "gravity": "",
            "post": "",
            "revision": 1,
        }
    ]
    assert call["ticket_no"] == ticket_no


async def test_an_enquiry_gets_its_ticket_when_it_is_answered(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    ticket_no = await hotline.enqueue("CA1", "enquiry")
    await hotline.write_down()
    assert await hotline.rows("links") == []
    await hotline.answer("CA1")
    await hotline.write_down()
    assert [row["ticket_no"] for row in await hotline.rows("tickets")] == [ticket_no]


async def test_whoever_was_not_answered_has_a_ticket_at_the_end(hotline: Hotline) -> None:
    """Abandoned, with a message left, and gone from a closed queue: a number once issued is a ticket."""
    numbers = []
    for call_id in ("CA1", "CA2", "CA3"):
        await hotline.arrive(call_id, CHEN_NUMBER)
        numbers.append(await hotline.enqueue(call_id, "enquiry", is_open=call_id == "CA1"))
    await hotline.switchboard.leave_message(call_id="CA2")
    await hotline.write_down()
    assert await hotline.rows("tickets") == []
    for call_id in ("CA1", "CA2", "CA3"):
        await hotline.end(call_id)
    await hotline.write_down()

    assert await hotline.rows("calls", "outcome", "ticket_no") == [
        {"outcome": "abandoned", "ticket_no": numbers[0]},
        {"outcome": "voicemail", "ticket_no": numbers[1]},
        {"outcome": "closed", "ticket_no": numbers[2]},
    ]
    assert [row["call_id"] for row in await hotline.rows("tickets")] == ["CA1", "CA2", "CA3"]


async def test_who_left_in_the_menu_gets_none(hotline: Hotline) -> None:
    await hotline.arrive("CA1")
    await hotline.end("CA1")
    await hotline.write_down()
    assert await hotline.rows("calls", "outcome", "ticket_no") == [
        {"outcome": "left_in_menu", "ticket_no": None}
    ]
    assert await hotline.rows("tickets") == []


async def test_opening_again_is_a_no_op(hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.write_down()
    before = await hotline.rows("tickets"), await hotline.rows("links"), await hotline.rows("calls")
    assert await open_ticket(hotline.runtime, "CA1") is None
    assert (await hotline.rows("tickets"), await hotline.rows("links"), await hotline.rows("calls")) == before


async def test_a_call_from_before_other_words_came_into_force_has_its_ticket_by_its_own(
    hotline: Hotline,
) -> None:
    runtime = hotline.runtime
    await keep_version(runtime)
    for call_id in ("CA1", "CA2"):
        await hotline.arrive(call_id)
        await hotline.enqueue(call_id, "power_cut", "outage")
        await hotline.end(call_id)
    await hotline.scribe.drain()
    now = replace(runtime.site_files, version="words of now")
    async with runtime.database.transaction() as connection:
        own = update(calls).where(calls.c.call_id == "CA1")
        await connection.execute(own.values(site_version=runtime.site_files.version))
        lost = update(calls).where(calls.c.call_id == "CA2")
        await connection.execute(lost.values(site_version="words that nobody kept"))
    runtime.activate(now)
    for call_id in ("CA1", "CA2"):
        ticket = await open_ticket(runtime, call_id)
        assert ticket is not None
        assert ticket.call_id == call_id
        assert await open_ticket(runtime, call_id) is None
    assert len(await hotline.rows("tickets")) == 2
    assert all(link["done_ms"] for link in await hotline.rows("links"))


async def test_a_call_that_was_promised_nothing_gets_nothing(hotline: Hotline) -> None:
    assert await open_ticket(hotline.runtime, "CA404") is None
    assert await hotline.rows("tickets") == []


async def test_a_job_that_fails_can_be_done_later(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    await hotline.answered_call("CA1")
    await hotline.scribe.drain()

    async def fail(*_: object) -> None:
        raise RuntimeError("no disk left")

    with monkeypatch.context() as patched:
        patched.setattr(tickets.tickets, "insert_new", fail)
        await hotline.work_off()
    (failed,) = await hotline.runtime.jobs.failed("desk")
    assert (failed.function, failed.ids) == ("queues.jobs.open_ticket", {"call_id": "CA1"})
    assert await hotline.rows("tickets") == []
    assert await hotline.rows("links", "done_ms") == [{"done_ms": None}]

    async with jobs.lent(hotline.runtime):
        assert await open_ticket(hotline.runtime, "CA1") is not None
    assert len(await hotline.rows("tickets")) == 1


async def test_lists_are_paged_by_key_newest_first(hotline: Hotline, clock: ManualClock) -> None:
    for number in range(5):
        await hotline.arrive(f"CA{number}", CHEN_NUMBER)
        await hotline.enqueue(f"CA{number}", "complaint" if number % 2 else "power_cut", "outage")
        clock.advance(1_000)
    await hotline.write_down()

    first = await list_tickets(hotline.runtime, TicketFilter(), limit=3)
    second = await list_tickets(hotline.runtime, TicketFilter(), before=first.older, limit=3)
    assert [each.call_id for each in first.tickets] == ["CA4", "CA3", "CA2"]
    assert [each.call_id for each in second.tickets] == ["CA1", "CA0"]
    assert second.older is None
    complaints = await list_tickets(hotline.runtime, TicketFilter(type="complaint"))
    assert [each.call_id for each in complaints.tickets] == ["CA3", "CA1"]


# Due ---------------------------------------------------------------------------


async def test_an_enquiry_is_due_at_the_close_of_the_next_working_day(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1", CHEN_NUMBER)
    await hotline.write_down()
    ticket = await find_ticket(hotline.runtime, ticket_no)
    assert ticket is not None
    assert ticket.due_ms == MONDAY_0900_MS + DAY_MS + int(8.5 * HOUR_MS)
    seen = [
        due_state_of(hotline.plan, ticket, ticket.due_ms + after_ms)
        for after_ms in (-DAY_MS, -2 * HOUR_MS, 0, 1)
    ]
    assert seen == [DueState.ON_TIME, DueState.NEAR, DueState.NEAR, DueState.PAST]


async def test_outside_core_areas_and_of_an_unknown_area_a_repair_has_a_day(hotline: Hotline) -> None:
    await hotline.arrive("CA1", CHEN_NUMBER)
    await hotline.enqueue("CA1", "power_cut", "outage")
    await hotline.write_down()
    assert await hotline.rows("tickets", "area", "due_ms") == [
        {"area": "", "due_ms": MONDAY_0900_MS + DAY_MS}
    ]


async def test_tickets_from_before_revisions_are_numbered_in_their_order(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'old.sqlite'}"
    config = Config()
    config.set_main_option("script_location", str(next(iter(migrations.__path__))))
    database = Database(url)

    def before(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    async with database.transaction() as connection:
        await connection.run_sync(before)
        for ticket_no, opened_ms in (("T000002", 5), ("T000001", 5), ("T000003", 1)):
            await connection.execute(
                text(
                    "INSERT INTO tickets (ticket_no, site, type, work_queue, priority, state, opened_ms)"
                    " VALUES (:ticket_no, 'power', 'enquiry', 'desk', 5, 'open', :opened_ms)"
                ),
                {"ticket_no": ticket_no, "opened_ms": opened_ms},
            )
    migrations.upgrade_url(url)
    async with database.read() as connection:
        kept = await connection.execute(text("SELECT ticket_no FROM tickets ORDER BY revision"))
        assert kept.scalars().all() == ["T000003", "T000001", "T000002"]
    await database.close()


# Work --------------------------------------------------------------------------


async def test_a_ticket_moves_as_its_table_says(hotline: Hotline, clock: ManualClock) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    clock.advance(5_000)
    moved = [
        await move_ticket(hotline.runtime, ticket_no, event)
        for event in (TicketEvent.TAKE, TicketEvent.TAKE, TicketEvent.CLOSE, TicketEvent.REOPEN)
    ]
    assert moved == [True, False, True, False]
    assert await hotline.rows("tickets", "state", "closed_ms") == [
        {"state": "closed", "closed_ms": clock.now_ms()}
    ]


async def test_every_change_says_who_when_before_and_after(hotline: Hotline, clock: ManualClock) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    for event in (TicketEvent.TAKE, TicketEvent.RESOLVE, TicketEvent.REOPEN):
        clock.advance(1_000)
        assert await work_on(hotline.runtime, ticket_no, event, "A1") is Answer.OK
    assert await answer_caller(hotline.runtime, ticket_no, "已修复", "A2") is Answer.OK
    rows = await history_of(hotline.runtime, ticket_no)
    at_ms = clock.now_ms()
    told = [(row["action"], row["account_id"], row["at_ms"], row["before"], row["after"]) for row in rows]
    back = {"state": "open", "taken_by": "", "resolved_ms": None, "closed_ms": None, "replied_ms": None}
    resolved = {
        "state": "resolved",
        "taken_by": "A1",
        "resolved_ms": at_ms - 1_000,
        "closed_ms": None,
        "replied_ms": None,
    }
    assert told == [
        (
            "ticket.take",
            "A1",
            at_ms - 2_000,
            {"state": "open", "taken_by": ""},
            {"state": "taken", "taken_by": "A1"},
        ),
        (
            "ticket.resolve",
            "A1",
            at_ms - 1_000,
            {"state": "taken", "resolved_ms": None},
            {"state": "resolved", "resolved_ms": at_ms - 1_000},
        ),
        ("ticket.answer", "A2", at_ms, {"reply": ""}, {"reply": "已修复"}),
        ("ticket.reopen", "A1", at_ms, resolved, back),
    ]


async def test_what_nobody_has_looked_at_is_not_written_over(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    runtime = hotline.runtime
    assert await work_on(runtime, ticket_no, TicketEvent.TAKE, "A1", revision=1) is Answer.OK
    assert await work_on(runtime, ticket_no, TicketEvent.TAKE, "A1", revision=1) is Answer.AGAIN
    assert await work_on(runtime, ticket_no, TicketEvent.CLOSE, "A2", revision=1) is Answer.STALE
    assert await answer_caller(runtime, ticket_no, "已修复", "A1", revision=2) is Answer.OK
    assert await answer_caller(runtime, ticket_no, "已修复", "A1", revision=2) is Answer.AGAIN
    assert await answer_caller(runtime, ticket_no, "没有修复", "A1", revision=2) is Answer.STALE
    assert await answer_caller(runtime, ticket_no, "字" * (REPLY_LENGTH_MAX + 1), "A1") is Answer.TOO_LONG
    assert await work_on(runtime, ticket_no, TicketEvent.GIVE_BACK, "A1", revision=3) is Answer.OK
    assert await work_on(runtime, ticket_no, TicketEvent.REOPEN, "A1") is Answer.REFUSED
    assert await work_on(runtime, "T999999", TicketEvent.TAKE, "A1") is Answer.GONE
    assert await hotline.rows("tickets", "state", "taken_by", "reply", "revision") == [
        {"state": "open", "taken_by": "", "reply": "已修复", "revision": 4}
    ]


# Owners -------------------------------------------------------------------------


async def test_a_ticket_that_is_written_first_waits_for_whoever_answers(hotline: Hotline) -> None:
    """林's power cut has its ticket on entry; 陈 joins it and is answered before him: the first answer counts."""
    await hotline.arrive("CA1")
    ticket_no = await hotline.enqueue("CA1", "power_cut", "outage")
    await hotline.write_down()
    assert await hotline.rows("tickets", "owner", "revision") == [{"owner": "", "revision": 1}]
    await hotline.arrive("CA2", CHEN_NUMBER)
    await hotline.switchboard.join_ticket(call_id="CA2", ticket_no=ticket_no)
    await hotline.enqueue("CA2")
    await hotline.answer("CA2")
    await hotline.journal("call.connected", call_id="CA1", agent_id="li")
    await hotline.write_down()
    await hotline.journal("call.connected", call_id="CA1", agent_id="zhao")
    await hotline.write_down()
    (ticket,) = [row for row in await hotline.rows("tickets") if row["ticket_no"] == ticket_no]
    assert (ticket["owner"], ticket["revision"]) == ("wang", 2)
    assert await hotline.runtime.redis.hgetall("{power}:owners") == {"C1": "wang"}


# What callers hear of their case -------------------------------------------------


async def live_cases(hotline: Hotline) -> dict[str, dict[str, str]]:
    held = await hotline.runtime.redis.hgetall("{power}:cases")
    return {ticket_no: json.loads(case) for ticket_no, case in held.items()}


async def test_a_case_can_be_asked_about_as_soon_as_it_is_written(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    assert await live_cases(hotline) == {
        ticket_no: {"state": "open", "code_key": "", "reply": "", "customer_id": "C1"}
    }
    await move_ticket(hotline.runtime, ticket_no, TicketEvent.RESOLVE)
    await answer_caller(hotline.runtime, ticket_no, "已修复", "A1")
    assert await live_cases(hotline) == {
        ticket_no: {"state": "resolved", "code_key": "", "reply": "已修复", "customer_id": "C1"}
    }
    assert await cases.mend_cases(hotline.runtime) == 0


async def test_the_case_of_a_caller_who_was_erased_names_nobody(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    assert (await live_cases(hotline))[ticket_no]["customer_id"] == "C1"
    await hotline.switchboard.anonymise_call(call_id="CA1")
    await hotline.write_down()
    await cases.mend_cases(hotline.runtime)
    assert (await live_cases(hotline))[ticket_no]["customer_id"] == ""


async def test_the_switchboard_tells_the_state_to_whoever_has_number_and_code(hotline: Hotline) -> None:
    secret, board = hotline.runtime.settings.secret_key, hotline.switchboard
    await hotline.arrive("CA1", CHEN_NUMBER)
    ticket_no = await hotline.enqueue("CA1", access_key=numbers.code_key(secret, "4711"))
    await hotline.end("CA1")
    await hotline.write_down()
    await hotline.arrive("CA2", "")
    await board.keep_given(call_id="CA2", name="case_no", value=ticket_no.removeprefix("T").lstrip("0"))
    words = []
    for step, code in enumerate(("4712", "4711"), 1):
        await board.keep_given(call_id="CA2", name="access_code", value=code)
        words.append((await board.check_case(call_id="CA2", step=step)).word)
    assert words == ["wrong", "ok"]
    assert await hotline.rows("tickets", "code_key") == [{"code_key": numbers.code_key(secret, "4711")}]


async def test_a_death_after_the_commit_is_found(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(tickets.cases, "tell", die)
        with pytest.raises(SystemExit):
            await move_ticket(hotline.runtime, ticket_no, TicketEvent.RESOLVE)
    assert (await live_cases(hotline))[ticket_no]["state"] == "open"
    assert await cases.mend_cases(hotline.runtime) == 1
    assert (await live_cases(hotline))[ticket_no]["state"] == "resolved"


@pytest.mark.parametrize("lost", [("cases", "case_index"), ("cases",)])
async def test_a_live_store_that_came_back_empty_is_refilled(hotline: Hotline, lost: tuple[str, ...]) -> None:
    for call_id in ("CA1", "CA2", "CA3"):
        await hotline.arrive(call_id, CHEN_NUMBER)
        await hotline.enqueue(call_id, "power_cut", "outage")
    await hotline.write_down()
    before = await live_cases(hotline)
    await hotline.runtime.redis.delete(*(f"{{power}}:{name}" for name in lost))
    assert await cases.mend_cases(hotline.runtime) == 3
    assert await live_cases(hotline) == before
    assert await cases.mend_cases(hotline.runtime) == 0


async def test_an_index_that_is_ahead_of_sql_is_made_anew(hotline: Hotline) -> None:
    """SQL was set back to an older copy: what callers hear is what it says now."""
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    redis = hotline.runtime.redis
    await redis.hset("{power}:cases", "T000777", '{"state":"closed","code_key":"","reply":"?"}')
    await redis.hset("{power}:case_index", "revision", 99)
    assert await cases.mend_cases(hotline.runtime) == 1
    assert list(await live_cases(hotline)) == [ticket_no]


async def test_a_case_that_was_closed_long_ago_is_forgotten(hotline: Hotline, clock: ManualClock) -> None:
    for call_id in ("CA1", "CA2"):
        await hotline.arrive(call_id, CHEN_NUMBER)
        await hotline.enqueue(call_id, "power_cut", "outage")
    await hotline.write_down()
    first, second = sorted(await live_cases(hotline))
    await move_ticket(hotline.runtime, first, TicketEvent.CLOSE)
    clock.advance(cases.KEPT_FOR_MS)
    assert await cases.mend_cases(hotline.runtime) == 0
    clock.advance(2 * HOUR_MS)
    assert await cases.mend_cases(hotline.runtime) == 1
    assert list(await live_cases(hotline)) == [second]
    await hotline.runtime.redis.delete("{power}:cases", "{power}:case_index")
    await cases.mend_cases(hotline.runtime)
    assert list(await live_cases(hotline)) == [second]
