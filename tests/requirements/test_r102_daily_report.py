"""R102: at the set time yesterday's figures are there and do not change afterwards without a marked correction."""

import asyncio
import datetime as dt
import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import update

from config.runtime import Runtime
from queues.domain import report_document as documents
from queues.domain import reports as rules
from queues.domain.reports import Kind, Reports
from queues.service import figuring, reporting
from queues.service.plans import keep_version, plan_of
from queues.store.reports import keep, reports
from queues.store.site_versions import content_of, insert_new
from tests.queues.outlets import rows
from tests.queues.web.reader import text_of
from tests.requirements.reported import HOUR_MS, House, open_house, sums_of

MONDAY, REPORT = "2026-11-23", "day-2026-11-23"
UNCHANGED = ("document", "digest", "made_ms", "due_ms")


class DiedError(Exception):
    """The process is gone."""


async def test_yesterday_is_there_at_the_set_time_and_what_comes_late_is_a_marked_correction(
    runtime: Runtime,
) -> None:
    async with open_house(runtime) as house:
        assert await house.clock_turns() == 0, "the day runs"
        await house.call("CA1")
        await house.call("CA2", 30, is_answered=False, queue="outage")
        await house.hotline.arrive("CA3")
        await house.write_down()
        house.go_to("2026-11-24", "01:29")
        await house.clock_turns()
        assert await house.made() == []
        house.go_to("2026-11-24", "01:30")
        await expect_the_next_one_to_find_what_the_dead_one_left(house)
        await house.clock_turns(2)
        assert await house.made() == [REPORT], "two clock processes came round twice"
        first, document = await house.row(REPORT), await house.document(REPORT)
        assert (first["first"], document["last"], document["unsettled"]) == (MONDAY, MONDAY, 1)
        expect_parts_to_add_up(document)
        assert sums_of(document)[""]["arrived"] == 3
        assert document["cards"]["f5"]["formula"] == "A_T ÷ (A + B − B_s)"
        assert await house.clock_turns(2) == 0, "nothing has changed"

        await house.hotline.end("CA3")
        await house.write_down()
        await house.clock_turns(2)
        await come_late(house, first["from_ms"] + 10 * HOUR_MS)
        await house.clock_turns(2)
        await come_late(house, first["from_ms"] + 10 * HOUR_MS)
        await house.look_again()
        assert await house.clock_turns(2) == 0, "the same again is nothing new"
        after = await house.row(REPORT)
        assert [after[name] for name in UNCHANGED] == [first[name] for name in UNCHANGED]
        entries = await rows(runtime, "report_entries")
        assert [(each["number"], each["kind"], each["why"]) for each in entries] == [
            (1, "correction", "settled"),
            (2, "correction", "late"),
        ]
        changes = [documents.read_changes(each["content"]) for each in entries]
        assert ("all:", "sum:unsettled", 1, None) in changes[0]
        assert ("all:", "sum:arrived", 3, 4) in changes[1]
        await figuring.rebuild(runtime)
        fresh = await compose(house)
        assert rules.changes(await house.now_says(REPORT), documents.values_of(fresh)) == []
        await expect_the_page_to_show_both(house)


async def come_late(house: House, arrived_ms: int, call_id: str = "CA9") -> None:
    """A call of which nobody had told us, found a day later at the provider's; all of it said twice."""
    board = house.hotline.switchboard
    told = {"arrived_ms": arrived_ms, "ended_ms": arrived_ms + 9_000, "is_ended": True}
    await house.hotline.arrive(call_id)
    for _ in range(2):
        await board.append_line(type="call.reconciled", call_id=call_id, data=told)
        await board.end_call(call_id=call_id, by="system")
    await house.write_down()


async def expect_to_say_what_the_figures_say(house: House, report_id: str = REPORT) -> None:
    row = await house.row(report_id)
    plan = plan_of(house.runtime)
    fresh = await reporting.figures_told(house.runtime, plan, row["from_ms"], row["until_ms"])
    assert rules.changes(await house.now_says(report_id), documents.values_of(fresh)) == []


async def begin_two_days(house: House) -> None:
    """Reports of the 23rd and the 24th, each with one call; and the site's words are kept."""
    await keep_version(house.runtime)
    await house.clock_turns()
    for n, day in enumerate((23, 24)):
        house.go_to(f"2026-11-{day}", "10:00")
        await house.call(f"CA{n}")
        await house.write_down()
        house.go_to(f"2026-11-{day + 1}", "01:30")
        await house.clock_turns(2)


async def test_a_correction_that_another_process_was_first_with_is_made_the_next_time(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process read the figures, a call came late, another read them, and then both wrote, the first one first."""
    told, has_read = reporting.figures_told, {"one": asyncio.Event(), "two": asyncio.Event()}
    goes_on = {name: asyncio.Event() for name in has_read}

    async def figures_told(*about: Any) -> documents.Document:
        found = await told(*about)
        if (task := asyncio.current_task()) and (name := task.get_name()) in goes_on:
            has_read[name].set()
            await goes_on[name].wait()
        return found

    async with open_house(runtime) as house:
        await begin_two_days(house)
        from_ms = (await house.row(REPORT))["from_ms"]
        monkeypatch.setattr(reporting, "figures_told", figures_told)
        tasks = []
        for hour, name in ((10, "one"), (12, "two")):
            await come_late(house, from_ms + hour * HOUR_MS, f"CA{hour}")
            tasks.append(asyncio.create_task(reporting.correct_reports(runtime), name=name))
            await has_read[name].wait()
        for name, task, count in zip(goes_on, tasks, (1, 0), strict=True):
            goes_on[name].set()
            assert await task == count
        await house.clock_turns()
        await expect_to_say_what_the_figures_say(house)


async def test_a_report_that_cannot_be_compared_keeps_no_other_from_being_corrected(runtime: Runtime) -> None:
    async with open_house(runtime) as house:
        await begin_two_days(house)
        first, second = await house.row(REPORT), "day-2026-11-24"
        await come_late(house, first["from_ms"] + 10 * HOUR_MS)
        await come_late(house, first["until_ms"] + 10 * HOUR_MS, "CA8")
        await say_of(house, document="nothing that can be read")
        await house.clock_turns()
        await expect_to_say_what_the_figures_say(house, second)
        await say_of(house, document=first["document"])
        await house.clock_turns()
        await expect_to_say_what_the_figures_say(house)


async def test_a_report_that_cannot_be_made_keeps_no_other_from_being_made(runtime: Runtime) -> None:
    async with open_house(runtime) as house:
        await house.clock_turns()
        await house.write_down()
        await say_of(house, from_ms=-(10**17))  # no calendar has it
        house.go_to("2026-11-24", "01:00")
        await house.clock_turns()
        house.go_to("2026-11-25", "01:30")
        await house.clock_turns()
        assert await house.made() == ["day-2026-11-24"]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_where_the_words_of_that_time_are_gone_or_refused_today_sums_are_corrected(
    runtime: Runtime, *, is_kept: bool
) -> None:
    async with open_house(runtime) as house:
        await begin_two_days(house)
        first, document = await house.row(REPORT), await house.document(REPORT)
        if is_kept:
            await keep_refused_words(house, document["site_version"])
        old = documents.write({**document, "site_version": "long ago"})
        await say_of(house, document=old, digest=documents.digest_of(old))
        await come_late(house, first["from_ms"] + 10 * HOUR_MS)
        assert await house.clock_turns() == 1
        assert await house.clock_turns() == 0
        says = await house.now_says(REPORT)
        assert says["all:", "sum:arrived"] == 2
        assert says["all:", "f5"] == documents.values_of(document)["all:", "f5"], "that hangs on targets"
        before = await house.row(REPORT)
        assert await house.clock_turns() == 0
        assert await house.row(REPORT) == before, "the same sums are not compared again"
        own = documents.write(document)
        await say_of(house, document=own, digest=documents.digest_of(own))
        await house.clock_turns(2)
        await expect_to_say_what_the_figures_say(house)


async def say_of(house: House, **values: str | int) -> None:
    async with house.runtime.database.transaction() as connection:
        await connection.execute(update(reports).where(reports.c.report_id == REPORT).values(**values))


async def keep_refused_words(house: House, version: str) -> None:
    """Of a time when a site could say what is a fault today."""
    async with house.runtime.database.transaction() as connection:
        words = json.loads(await content_of(connection, version) or "")
        words["queues.yaml"] = "queues: 1"
        content = json.dumps(words)
        assert await insert_new(connection, version="long ago", site="power", created_ms=1, content=content)


async def expect_the_next_one_to_find_what_the_dead_one_left(house: House) -> None:
    """It dies between making and commit: nothing is kept, and what the next one makes is the same."""
    site, text = house.runtime.settings.site, documents.write(await compose(house, planted=True))
    about: dict[str, Any] = {
        "made_ms": 1,
        "due_ms": 2,
        "document": text,
        "digest": documents.digest_of(text),
    }

    async def keep_and_die() -> None:
        async with house.runtime.database.transaction() as connection:
            assert await keep(connection, site, REPORT, **about)
            raise DiedError

    with pytest.raises(DiedError):
        await keep_and_die()
    assert await house.made() == []
    await house.clock_turns()
    assert (await house.row(REPORT))["document"] == text
    async with house.runtime.database.transaction() as connection:
        assert not await keep(connection, site, REPORT, **about), "never again"


async def compose(house: House, *, planted: bool = False) -> documents.Document:
    plan = plan_of(house.runtime)
    if planted:
        row = next(each for each in await reporting.due(house.runtime, plan) if each.report_id == REPORT)
    else:
        found = await reporting.kept(house.runtime, REPORT)
        assert found is not None
        row = found[0]
    return await reporting.compose(house.runtime, plan, row)


def expect_parts_to_add_up(document: documents.Document) -> None:
    whole = Counter(sums_of(document)[""])
    for by in ("queue", "tier"):
        parts = sum((Counter(each) for each in sums_of(document, by).values()), Counter[str]())
        assert parts == whole, by


async def expect_the_page_to_show_both(house: House) -> None:
    boss = await house.door.enter("boss", "supervisor")
    for locale, words in (
        ("zh", ("日报 2026年11月23日", "按时", "2 次更正", "3 现为 4", "第 2 次更正", "全部来电：3 → 4")),
        ("en", ("Daily report, 23 Nov 2026", "in time", "2 corrections", "3 now 4", "all calls: 3 → 4")),
    ):
        await boss.speak(locale)
        page = text_of(await boss.open(f"/reports/{REPORT}"))
        for each in words:
            assert each in page, each
        assert "reports." not in page, "a word is missing"
        assert "figures." not in page
        assert "reports." not in text_of(await boss.open("/reports"))
    table = (await boss.client.get(f"/reports/{REPORT}.csv")).text
    assert "all calls,3,4,count" in table
    written = await boss.send(f"/reports/{REPORT}/note", {"text": "增加一个早班。"})
    assert written.status_code == 303
    assert "增加一个早班。" in text_of(await boss.open(f"/reports/{REPORT}"))
    assert (await boss.send(f"/reports/{REPORT}/note", {"text": " "})).status_code == 422
    async with house.runtime.database.transaction() as connection:
        await connection.execute(update(reports).values(document=reports.c.document + " "))
    assert "does not match the checksum" in text_of(await boss.open(f"/reports/{REPORT}"))


def test_times_are_the_sites_also_when_the_clocks_change_and_an_outage_is_made_up_for() -> None:
    """In Madrid the clocks skip from 2 to 3 on 29 March 2026 and go back from 3 to 2 on 25 October."""
    terms, zone = Reports(), "Europe/Madrid"
    spring, autumn = (rules.period_of(Kind.DAY, dt.date(2026, *day)) for day in ((3, 29), (10, 25)))
    assert [(until - since) / HOUR_MS for since, until in (spring.span_ms(zone), autumn.span_ms(zone))] == [
        23,
        25,
    ]
    saturday = rules.period_of(Kind.DAY, dt.date(2026, 3, 28))
    ready_ms = rules.ready_ms(saturday, terms, zone)
    assert ready_ms - saturday.span_ms(zone)[1] == 2 * HOUR_MS, "there is no 02:00: it is made at 03:00"
    assert rules.due_ms(saturday, terms, zone) - ready_ms == 5.5 * HOUR_MS
    week = rules.period_of(Kind.WEEK, dt.date(2026, 10, 25))
    assert (week.first, week.last) == (dt.date(2026, 10, 19), dt.date(2026, 10, 25))
    first = {
        kind: rules.period_of(kind, dt.date(2026, 8, 31)).first.isoformat()
        for kind in (Kind.MONTH, Kind.QUARTER, Kind.YEAR)
    }
    assert first == {Kind.MONTH: "2026-08-01", Kind.QUARTER: "2026-07-01", Kind.YEAR: "2026-01-01"}

    today = dt.date(2026, 11, 23)
    assert [each.report_id for each in rules.wanted(terms, {}, None, today)] == [
        "day-2026-11-23",
        "week-2026-11-23",
        "month-2026-11-01",
        "quarter-2026-10-01",
        "year-2026-01-01",
    ]
    only = Reports(kinds=(Kind.DAY,))
    after = rules.wanted(only, {Kind.DAY: dt.date(2026, 11, 20)}, None, today)
    assert [each.first.day for each in after] == [21, 22, 23]
    began = rules.wanted(only, {}, dt.date(2026, 11, 1), today)
    assert [each.first.day for each in began] == [22, 23]
    assert len(rules.wanted(only, {Kind.DAY: dt.date(2020, 1, 1)}, None, today)) == 93
