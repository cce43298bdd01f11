"""Tickets: due when the site says so, at the end at the latest, and one for each call."""

import pytest

from config import jobs
from queues.domain.journal import Line
from queues.domain.tickets import MOVES, TicketEvent, TicketState, is_due, promise_of, subject
from queues.service import tickets
from queues.service.tickets import TicketFilter, list_tickets, move_ticket, open_ticket
from tests.doubles import MONDAY_0900_MS, ManualClock
from tests.queues.hotline import CHEN_NUMBER, Hotline


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


def test_the_subject_is_in_the_callers_language() -> None:
    names = {"zh": "停电报修", "en": "Power cut"}
    assert subject("power_cut", names, "en-US") == "Power cut"
    assert subject("power_cut", names, "fr-FR") == "停电报修"
    assert subject("power_cut", {}, "zh-CN") == "power_cut"


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
            "subject": "大客户停电抢修",
            "note": "",
            "opened_ms": MONDAY_0900_MS + 4_000,
            "closed_ms": None,
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
