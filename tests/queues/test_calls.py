"""Call records: found, paged, and added up into the day's figures."""

from datetime import date

from queues.domain.call_records import CallRecord
from queues.service.calls import (
    CallFilter,
    day_of,
    figures,
    find_call,
    list_calls,
    local_day,
    today,
    write_note,
)
from queues.store import calls
from tests.doubles import MONDAY_0900_MS, ManualClock
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline

HOUR_MS = 3_600_000


async def keep(hotline: Hotline, *records: CallRecord) -> None:
    async with hotline.runtime.database.transaction() as connection:
        await calls.save(connection, "power", records)


def queued(
    call_id: str, *, queue: str = "general", at_ms: int = MONDAY_0900_MS, **facts: object
) -> CallRecord:
    return CallRecord(call_id=call_id, arrived_ms=at_ms, queued_ms=at_ms, queue=queue, **facts)  # type: ignore[arg-type]


def answered(call_id: str, wait_ms: int, **facts: object) -> CallRecord:
    return queued(call_id, wait_ms=wait_ms, answered_ms=MONDAY_0900_MS + wait_ms, outcome="answered", **facts)


def abandoned(call_id: str, wait_ms: int, **facts: object) -> CallRecord:
    return queued(call_id, wait_ms=wait_ms, outcome="abandoned", **facts)


async def test_the_service_level_is_the_one_of_the_textbook(hotline: Hotline) -> None:
    """1000 answered, 860 of them in 20 s; 60 abandoned, 10 of them within 5 s: 81.9 %."""
    await keep(
        hotline,
        *(answered(f"in{n}", 20_000) for n in range(860)),
        *(answered(f"late{n}", 20_001) for n in range(140)),
        *(abandoned(f"short{n}", 4_999) for n in range(10)),
        *(abandoned(f"long{n}", 5_000) for n in range(50)),
    )
    day = await today(hotline.runtime, hotline.plan)
    assert (day.answered, day.answered_in_time, day.abandoned, day.abandoned_at_once) == (1000, 860, 60, 10)
    assert day.service_level is not None
    assert round(day.service_level, 3) == 0.819
    assert day.abandon_share == 50 / 1050
    assert day.answer_speed_ms == (860 * 20_000 + 140 * 20_001) // 1000


async def test_each_queue_is_measured_by_its_own_time(hotline: Hotline) -> None:
    """15 s is late for a key customer and early for a complaint."""
    within_ms = {queue: hotline.plan.queues[queue].answer_within_ms for queue in ("key", "complaint")}
    assert within_ms == {"key": 10_000, "complaint": 60_000}
    await keep(hotline, answered("CA1", 15_000, queue="key"), answered("CA2", 15_000, queue="complaint"))
    day = await today(hotline.runtime, hotline.plan)
    assert {queue: each.service_level for queue, each in day.by_queue.items()} == {
        "key": 0.0,
        "complaint": 1.0,
    }
    assert day.service_level == 0.5


async def test_an_empty_day_has_no_level_rather_than_a_wrong_one(hotline: Hotline) -> None:
    day = await today(hotline.runtime, hotline.plan)
    assert (day.arrived, day.offered, day.service_level, day.abandon_share, day.answer_speed_ms) == (
        0,
        0,
        None,
        None,
        None,
    )
    await keep(hotline, queued("CA1", outcome="voicemail"), queued("CA2", outcome="closed"))
    day = await today(hotline.runtime, hotline.plan)
    assert (day.offered, day.voicemail, day.closed, day.service_level) == (2, 1, 1, None)


async def test_the_day_is_the_sites_day_and_calls_count_where_they_arrived(hotline: Hotline) -> None:
    monday = day_of(hotline.plan, date(2026, 11, 23))
    assert monday == (MONDAY_0900_MS - 9 * HOUR_MS, MONDAY_0900_MS + 15 * HOUR_MS)
    assert local_day(hotline.plan, monday[0]) == date(2026, 11, 23)
    await keep(
        hotline,
        queued("sunday", at_ms=monday[0] - 1),
        queued("first", at_ms=monday[0]),
        queued("last", at_ms=monday[1] - 1),
        queued("tuesday", at_ms=monday[1]),
        CallRecord(call_id="menu", arrived_ms=monday[0], outcome="left_in_menu"),
    )
    day = await figures(hotline.runtime, hotline.plan, *monday)
    assert (day.arrived, day.offered) == (3, 2)


async def test_a_real_call_counts_while_it_goes_on(hotline: Hotline, clock: ManualClock) -> None:
    await hotline.arrive("CA1")
    await hotline.enqueue("CA1")
    clock.advance(12_000)
    await hotline.answer("CA1")
    await hotline.scribe.drain()
    day = await today(hotline.runtime, hotline.plan)
    assert (day.offered, day.answered, day.service_level, day.answer_speed_ms) == (1, 1, 1.0, 12_000)


async def test_a_call_is_found_with_its_lines_and_the_names_behind_its_ids(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1")
    await hotline.write_down()
    story = await find_call(hotline.runtime, "CA1")
    assert story is not None
    call = story.call
    assert (call.customer_name, call.agent_name, call.number) == ("东湖恒达化纤有限公司", "王敏", LIN_NUMBER)
    assert call.ticket_no == ticket_no
    kinds = [line.type for line in story.lines]
    assert kinds[0] == "call.arrived"
    assert kinds.index("call.queued") < kinds.index("call.connected") < kinds.index("call.ended")
    assert await find_call(hotline.runtime, "CA404") is None


async def test_what_somebody_types_finds_the_call(hotline: Hotline) -> None:
    ticket_no = await hotline.answered_call("CA1", LIN_NUMBER)
    await hotline.answered_call("CA2", CHEN_NUMBER)
    await hotline.write_down()

    async def found(text: str) -> list[str]:
        page = await list_calls(hotline.runtime, CallFilter(text=text))
        return [call.call_id for call in page.calls]

    typed = ["CA1", ticket_no, "C1", "恒达", "0033000001", LIN_NUMBER, "139 0000 0001", "nobody", "%", "_"]
    assert {text: await found(text) for text in typed} == {
        **{text: ["CA1"] for text in typed[:7]},
        "nobody": [],
        "%": [],
        "_": [],
    }
    assert await found(" ") == ["CA2", "CA1"]


async def test_lists_are_narrowed_and_paged(hotline: Hotline) -> None:
    await keep(
        hotline,
        *(answered(f"CA{n}", 1_000, at_ms=MONDAY_0900_MS + n // 2, agent_id="wang") for n in range(5)),
        abandoned("CA9", 1_000, queue="key", at_ms=MONDAY_0900_MS - 1),
    )
    pages, before = [], None
    while not pages or before:
        page = await list_calls(hotline.runtime, CallFilter(), before=before, limit=2)
        pages.append([call.call_id for call in page.calls])
        before = page.older
    assert pages == [["CA4", "CA3"], ["CA2", "CA1"], ["CA0", "CA9"]]

    async def ids(**chosen: str | int | tuple[str, ...]) -> list[str]:
        page = await list_calls(hotline.runtime, CallFilter(**chosen))  # type: ignore[arg-type]
        return [call.call_id for call in page.calls]

    assert await ids(outcome="abandoned") == ["CA9"]
    assert await ids(queues=("key",)) == ["CA9"]
    assert await ids(agent_id="wang", until_ms=MONDAY_0900_MS + 1) == ["CA1", "CA0"]
    assert await ids(from_ms=MONDAY_0900_MS + 2) == ["CA4"]


async def test_a_page_that_does_not_exist_begins_at_the_newest(hotline: Hotline) -> None:
    await keep(hotline, answered("CA1", 1_000))
    for key in ("", "nonsense", "1e9:CA1", ":", "9" * 30 + ":CA1", "²:x"):
        page = await list_calls(hotline.runtime, CallFilter(), before=key)
        assert [call.call_id for call in page.calls] == ["CA1"], key


async def test_the_note_is_written_to_sql_alone(hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.scribe.drain()
    assert await write_note(hotline.runtime, "CA1", "林 asked for 王 again") is True
    assert await write_note(hotline.runtime, "CA404", "lost") is False
    await hotline.write_down()
    assert await hotline.rows("calls", "note") == [{"note": "林 asked for 王 again"}]
    assert "林" not in str(await hotline.rows("events"))
