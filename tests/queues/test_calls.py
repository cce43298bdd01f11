"""Call records: found and paged."""

from collections import Counter
from datetime import date

import pytest

from queues.domain.call_records import CallRecord
from queues.domain.intervals import Cell, Counts
from queues.domain.periods import QUARTER_MS
from queues.service import exploring, figures
from queues.service.calls import (
    CallFilter,
    day_of,
    find_call,
    list_calls,
    local_day,
    unended,
    write_note,
)
from queues.service.explaining import UnknownCallError, explain_call
from queues.service.exploring import Narrowed
from queues.service.figures import Asked
from queues.service.whereabouts import Span, fewer
from queues.store import calls, intervals
from tests.doubles import MONDAY_0900_MS
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


def test_the_day_is_the_sites_day(hotline: Hotline) -> None:
    monday = day_of(hotline.plan, date(2026, 11, 23))
    assert monday == (MONDAY_0900_MS - 9 * HOUR_MS, MONDAY_0900_MS + 15 * HOUR_MS)
    assert local_day(hotline.plan, monday[0]) == date(2026, 11, 23)


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


async def test_another_sites_calls_in_the_same_database_are_in_no_list_and_are_not_found(
    hotline: Hotline,
) -> None:
    runtime, until_ms = hotline.runtime, MONDAY_0900_MS + HOUR_MS
    await keep(hotline, answered("CA1", 1_000, agent_id="wang", state="talking", line="power"))
    others = answered("GAS1", 1_000, agent_id="wang", state="talking", line="power")
    async with runtime.database.transaction() as connection:
        await calls.save(connection, "gas", [others])
    asked = Asked(from_ms=MONDAY_0900_MS, until_ms=until_ms)
    behind = await figures.behind(runtime, hotline.plan, asked, "A")
    to = Narrowed(agent_id="wang")
    narrowed = exploring.narrow(runtime, hotline.plan, behind, "A", to)
    for chosen in (CallFilter(), CallFilter(agent_id="wang"), CallFilter(site="gas"), behind, narrowed):
        page = await list_calls(runtime, chosen)
        assert [call.call_id for call in page.calls] == ["CA1"], chosen
    assert [page.calls for page in [await list_calls(runtime, CallFilter(text="GAS1"))]] == [()]
    assert (await exploring.count(runtime, hotline.plan, asked, "A", to, narrowed)).calls == 1
    assert [call_id for call_id, _ in await unended(runtime, until_ms, 10)] == ["CA1"], "not ours to end"
    assert await find_call(runtime, "GAS1") is None
    assert await write_note(runtime, "GAS1", "not ours") is False
    with pytest.raises(UnknownCallError):
        await explain_call(runtime, "GAS1")


async def test_a_list_stands_however_many_quarters_wait_to_be_added_up(hotline: Hotline) -> None:
    runtime, first_ms = hotline.runtime, MONDAY_0900_MS - 1200 * QUARTER_MS
    await keep(hotline, answered("CA1", 1_000, at_ms=first_ms), answered("CA2", 1_000, at_ms=first_ms + 1))
    late = {
        Cell(first_ms + n * 2 * QUARTER_MS, "general", "", ""): Counts(Counter(arrived=1)) for n in range(600)
    }
    async with runtime.database.transaction() as connection:
        await intervals.note(connection, "power", first_ms, late, [])
    asked = Asked(from_ms=first_ms, until_ms=MONDAY_0900_MS)
    page = await list_calls(runtime, await figures.behind(runtime, hotline.plan, asked, "N"))
    assert [call.call_id for call in page.calls] == ["CA2", "CA1"]


def test_of_many_spans_those_with_the_narrowest_gaps_are_joined() -> None:
    spans = [Span(0, 1), Span(2, 3), Span(9, 10), Span(11, 12), Span(50, 51)]
    assert fewer(spans, 5) == tuple(spans)
    assert fewer(spans, 3) == (Span(0, 3), Span(9, 12), Span(50, 51))
    assert fewer(spans, 1) == (Span(0, 51),)


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
