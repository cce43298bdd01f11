"""R108: a major event makes a report to management within 5 minutes, with later updates in one thread."""

import asyncio
from typing import Any

from config.runtime import Runtime
from queues import clockwork
from queues.domain import report_document as documents
from queues.domain.reports import URGENT_WITHIN_MS
from queues.service.reports import UPDATES
from queues.service.surging import watch_surges
from queues.service.switchboard import Switchboard
from queues.service.urgent_reports import begin, read_update, update
from queues.store.reports import Row, add, plant
from tests.queues.outlets import rows
from tests.queues.web.reader import text_of
from tests.requirements.reported import House, open_house

MINUTE_MS = 60_000


def pass_by(house: House, for_ms: int) -> None:
    clock: Any = house.runtime.clock
    clock.advance(for_ms)


async def look(house: House) -> None:
    """Two clock processes come round to the urgent reports."""
    (chore,) = [each for each in clockwork.own_chores(()) if each.name == "urgent_reports"]
    await asyncio.gather(clockwork.do(house.runtime, chore), clockwork.do(house.runtime, chore))


async def thread(house: House, report_id: str) -> list[tuple[int, str]]:
    found = await rows(house.runtime, "report_entries", "report_id", "number", "why")
    return [(each["number"], each["why"]) for each in found if each["report_id"] == report_id]


async def test_a_surge_begins_one_report_that_goes_on_until_the_surge_is_over(runtime: Runtime) -> None:
    async with open_house(runtime) as house:
        await Switchboard(runtime).set_presence(agent_id="wang", presence="away", reason="break")
        for n in range(13):
            await house.hotline.arrive(f"CA{n}")
            await house.hotline.enqueue(f"CA{n}", "connection", "outage")
        await house.write_down()
        await watch_surges(runtime)
        await look(house)
        await look(house)
        (made,) = await rows(runtime, "reports")
        report_id = made["report_id"]
        assert made["due_ms"] - made["made_ms"] == URGENT_WITHIN_MS, "it was made at once"
        document = await house.document(report_id)
        assert document["now"]["waiting"] == {"outage": 13}
        assert document["now"]["agents"] == {"away": 1}
        assert document["unsettled"] == 13
        boss = await house.door.enter("boss", "supervisor")
        page = text_of(await boss.open(f"/reports/{report_id}"))
        assert "紧急报告 2026年11月23日" in page
        assert "13 位在等" in page
        assert "起停电抢修排队超过 12 位" in page or "排队超过 12 位" in page

        pass_by(house, 10 * MINUTE_MS)
        said = await boss.send(f"/reports/{report_id}/update", {"text": "抢修队已出发。"})
        assert said.status_code == 303
        for n in range(12):
            await house.hotline.end(f"CA{n}")
        await watch_surges(runtime)
        pass_by(house, 30 * MINUTE_MS)
        await look(house)
        await watch_surges(runtime)
        await look(house)
        assert await thread(house, report_id) == [(1, "said"), (2, "due"), (3, "over")]
        assert (await house.row(report_id))["document"] == made["document"], "what was told stays as it was"
        pass_by(house, 60 * MINUTE_MS)
        await look(house)
        assert len(await thread(house, report_id)) == 3, "it is closed"
        page = text_of(await boss.open(f"/reports/{report_id}"))
        assert (
            page.index("高峰已过")
            < page.index("按时续写")
            < page.index("抢修队已出发。")
            < page.index("13 位在等")
        )
        late = await boss.send(f"/reports/{report_id}/update", {"text": "还有一句"})
        assert late.status_code == 422


async def test_a_thread_that_nobody_closes_tells_the_day_page_by_page_and_closes_by_itself(
    runtime: Runtime,
) -> None:
    async with open_house(runtime) as house:
        await house.call("CA1")
        await house.write_down()
        boss = await house.door.enter("boss", "supervisor", locale="en")
        report_id = await begin(runtime, "Storm", "boss")
        pass_by(house, 48 * 60 * MINUTE_MS)
        await house.call("CA2")
        await house.call("CA3")
        await house.write_down()
        assert await update(runtime, report_id, "The first word.", "boss")
        (first,) = await rows(runtime, "report_entries")
        told = read_update(first["content"])
        assert told["figures"]["sums"]["arrived"] == 2, "of this day, not of the first"
        later = {name: first[name] for name in ("kind", "at_ms", "account_id", "why")}
        later["content"] = documents.write({**told, "text": "A later word."})
        async with runtime.database.transaction() as connection:
            for _ in range(UPDATES):
                await add(connection, runtime.settings.site, report_id, later)
        page = await boss.open(f"/reports/{report_id}")
        assert "A later word." in text_of(page)
        assert "The first word." not in text_of(page)
        assert f"/reports/{report_id}?before=2#thread" in page.text
        older = text_of(await boss.open(f"/reports/{report_id}?before=2"))
        assert "The first word." in older
        assert "begun" in older
        pass_by(house, 72 * 60 * MINUTE_MS - 1)
        await look(house)
        pass_by(house, 30 * MINUTE_MS)
        await look(house)
        pass_by(house, 30 * MINUTE_MS)
        await look(house)
        assert (await thread(house, report_id))[UPDATES + 1 :] == [(52, "due"), (53, "left")]
        assert "three days" in text_of(await boss.open(f"/reports/{report_id}"))


async def test_a_supervisor_begins_one_and_what_the_dead_left_is_made_by_the_clock(runtime: Runtime) -> None:
    async with open_house(runtime) as house:
        boss = await house.door.enter("boss", "supervisor", locale="en")
        assert (await boss.send("/reports/urgent", {"why": " "})).status_code == 422
        begun = await boss.send("/reports/urgent", {"why": "Water in the server room"})
        path = begun.headers["Location"]
        page = text_of(await boss.open(path))
        assert "Water in the server room" in page
        assert "0 waiting" in page
        assert "reports." not in page, "a word is missing"
        assert (await boss.send(f"{path}/update", {"text": "", "close": "1"})).status_code == 303
        assert "closed" in text_of(await boss.open(path))
        reviewer = await house.door.enter("reviewer", "qa")
        assert (await reviewer.open(path)).status_code == 200
        assert (await reviewer.send("/reports/urgent", {"why": "x"})).status_code == 403
        told = [
            each["action"] for each in await rows(runtime, "audits") if each["subject"].startswith("report:")
        ]
        assert sorted(told) == ["report.begun", "report.closed"]

        # a process that wrote down that there is to be one, and died before it made it
        now_ms = runtime.clock.now_ms()
        left = Row(
            report_id="urgent-left",
            kind="urgent",
            first="2026-11-23",
            from_ms=now_ms - 1,
            until_ms=now_ms,
            why="x",
            account_id="A1",
            due_ms=now_ms + URGENT_WITHIN_MS,
        )
        async with runtime.database.transaction() as connection:
            assert await plant(connection, runtime.settings.site, [left]) == 1
        pass_by(house, 5 * MINUTE_MS)
        assert "Urgent report, 23 Nov 2026: was to be there by" in text_of(await boss.open("/reports"))
        await look(house)
        assert (await house.row("urgent-left"))["made_ms"] == now_ms + 5 * MINUTE_MS
        assert "was to be there by" not in text_of(await boss.open("/reports"))
