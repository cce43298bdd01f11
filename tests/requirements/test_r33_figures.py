"""R33: of a known set of 100 calls the figures are exact, by queue, tier, agent, department and half-hour, and these
add up. R109: as CSV that opens with correct Chinese.
Law 9: from each figure to its definition and to the very calls behind it."""

import csv
import datetime as dt
import html
import io
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from config.runtime import Runtime
from ivr.app import build
from queues.domain.metrics import CARDS
from queues.domain.periods import midnight
from queues.service import figures, figuring
from tests.queues.hotline import CHEN_NUMBER, LIN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, text_of

DAY = "2026-11-23"
HALF_HOUR_MS = 1_800_000


@dataclass
class House:
    hotline: Hotline
    door: Door
    boss: Reader
    known: list[tuple[int, bool]] = field(
        default_factory=list
    )  # when each call arrived, and whether it was answered

    async def call(
        self, call_id: str, number: str, wait_s: int, *, is_answered: bool, queue: str = "connection"
    ) -> None:
        """3 s in the menu; whoever is answered talks for 40 s, and 10 s of work follow."""
        hotline, clock = self.hotline, self.hotline.runtime.clock
        advance: Any = clock.advance  # type: ignore[attr-defined]
        self.known.append((clock.now_ms(), is_answered))
        await hotline.arrive(call_id, number)
        advance(3_000)
        await hotline.enqueue(call_id, "connection" if queue == "connection" else "enquiry", queue)
        advance(wait_s * 1000)
        if is_answered:
            await hotline.answer(call_id)
            advance(40_000)
        await hotline.end(call_id)
        if is_answered:
            advance(10_000)
            await hotline.wrap_up()

    async def write_down(self) -> None:
        await self.hotline.scribe.drain()
        await figuring.drain(self.hotline.runtime)

    async def export(self, query: str = "") -> dict[tuple[str, str], str]:
        """The CSV: value by (set, figure)."""
        answer = await self.boss.client.get(f"/figures.csv?from={DAY}&until={DAY}{query}")
        assert answer.content.startswith(b"\xef\xbb\xbf"), "by this Excel knows that it is UTF-8"
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert list(rows[0]) == ["起日", "止日", "范围", "指标", "数值", "单位", "公式", "口径版本"]
        return {(row["范围"], row["指标"]): row["数值"] for row in rows}


@pytest.fixture
async def house(runtime: Runtime) -> AsyncIterator[House]:
    hotline, app = await Hotline(runtime).open(), build(runtime)
    async with app.router.lifespan_context(app):
        door = Door(app, hotline)
        yield House(hotline, door, await door.enter("boss", "supervisor"))
        await door.close()


async def test_a_hundred_known_calls_come_to_exact_figures_that_add_up_and_open_to_the_calls(
    house: House,
) -> None:
    assert "这段时间没有来电" in text_of(await house.boss.open("/figures"))
    known = [(n, LIN_NUMBER if n % 4 == 0 else CHEN_NUMBER, (7 * n) % 95, n % 5 != 0) for n in range(97)]
    for n, number, wait_s, is_answered in known:
        await house.call(f"CA{n}", number, wait_s, is_answered=is_answered)
    for n, wait_s in ((97, 59), (98, 60), (99, 61)):
        await house.call(f"CA{n}", CHEN_NUMBER, wait_s, is_answered=True, queue="complaint")
    await house.write_down()
    told = await house.export()

    waits = [wait_s for _, _, wait_s, is_answered in known if is_answered] + [59, 60, 61]
    gave_up = [wait_s for _, _, wait_s, is_answered in known if not is_answered]
    in_time, short = sum(wait_s <= 60 for wait_s in waits), sum(wait_s <= 5 for wait_s in gave_up)
    assert float(told["全部", "平均应答速度"]) == round(sum(waits) / len(waits), 1)
    assert float(told["全部", "服务水平 F5（不计短放弃）"]) == round(100 * in_time / (100 - short), 2)
    assert float(told["全部", "放弃率"]) == round(100 * (len(gave_up) - short) / (100 - short), 2)
    assert float(told["投诉举报", "服务水平 F3（从严）"]) == 66.67, "59 and 60 are in, 61 is out"
    assert told["全部", "平均处理时长"] == "50.0"
    assert told["全部", "最长等待"] == str(max(*waits, *gave_up))

    own = await house.export("&department=service")
    assert own["全部", "平均应答速度"] == told["投诉举报", "平均应答速度"], (
        "a department is the sum of its queues"
    )
    listed = await house.boss.open(f"/calls?from={DAY}&until={DAY}&department=service&of=N")
    assert sorted(set(re.findall(r'href="/calls/(CA\d+)"', listed.text))) == ["CA97", "CA98", "CA99"]
    nobodys = await house.boss.open("/figures?department=nobody")
    assert nobodys.status_code == 422
    assert "本热线没有这个部门" in nobodys.text
    await expect_a_day_to_be_the_sum_of_its_half_hours(house)

    page = await house.boss.open(f"/figures?from={DAY}&until={DAY}")
    tables = re.findall(r'<table class="records-table figures-table".*?</table>', page.text, re.DOTALL)
    assert len(tables) == 3, "by queue, tier and department"
    for table in tables:
        rows = [row for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL) if "<td" in row]
        counts = [
            [int(each) for each in re.findall(r'tabular">(?:<a[^>]*>)?(\d+)(?:</a>)?</td>', row)[:4]]
            for row in rows
        ]
        assert len(rows) > 2
        assert (
            [sum(column) for column in zip(*counts[:-1], strict=True)]
            == counts[-1]
            == [100, 100, len(waits), len(gave_up)]
        )
    await expect_every_link_to_lead_to_as_many_calls(house, page.text)


async def expect_a_day_to_be_the_sum_of_its_half_hours(house: House) -> None:
    """Each of two stored quarters; and the one agent did what was answered."""
    runtime, plan = house.hotline.runtime, house.hotline.plan
    first = dt.date.fromisoformat(DAY)
    days = [midnight(each, plan.timezone) for each in (first, first + dt.timedelta(days=1))]
    asked = figures.Asked(from_ms=days[0], until_ms=days[1])
    (day,) = await figures.series(runtime, plan, asked, figures.Grain.DAY)
    assert day.start_ms == days[0]
    total, halves = figures.Totals(), dict[int, figures.Totals]()
    for each in await figures.series(runtime, plan, asked, figures.Grain.QUARTER):
        half_ms = each.start_ms - (each.start_ms - days[0]) % HALF_HOUR_MS
        figures.merge(halves.setdefault(half_ms, figures.Totals()), each.totals)
        figures.merge(total, each.totals)
    assert (total.counts, total.in_time) == (day.totals.counts, day.totals.in_time)
    arrived, answered = (
        Counter(
            at_ms - (at_ms - days[0]) % HALF_HOUR_MS
            for at_ms, is_answered in house.known
            if is_answered >= least
        )
        for least in (False, True)
    )
    assert len(halves) > 2
    assert {at_ms: each.symbols()["N"] for at_ms, each in halves.items()} == arrived
    assert {at_ms: each.symbols()["A"] for at_ms, each in halves.items()} == answered
    ((agent_id, did),) = (await figures.read(runtime, plan, asked)).by_agent.items()
    many = answered.total()
    told = {name: did[name] for name in ("offers", "accepted", "talks", "connected_ms", "wrap_up_ms")}
    assert (agent_id, told) == (
        "wang",
        {
            "offers": many,
            "accepted": many,
            "talks": many,
            "connected_ms": 40_000 * many,
            "wrap_up_ms": 10_000 * many,
        },
    )


async def expect_every_link_to_lead_to_as_many_calls(house: House, page: str) -> None:
    links = dict(re.findall(r'<a href="(/calls\?[^"]*)">([\d,]+)</a>', page))
    assert len(links) > 15
    for href, number in links.items():
        path, listed = html.unescape(href), 0
        while path:
            found = (await house.boss.open(path)).text
            listed += len(set(re.findall(r'href="/calls/(CA\d+)"', found)))
            older = re.search(r'rel="next" href="([^"]*)"', found)
            path = html.unescape(older[1]) if older else ""
        assert listed == int(number), href


async def test_each_card_says_what_it_is_in_both_languages_and_only_who_may_sees_it(house: House) -> None:
    await house.call("CA1", LIN_NUMBER, 12, is_answered=True)
    await house.write_down()
    for locale in ("zh", "en"):
        await house.boss.speak(locale)
        answer = await house.boss.open("/figures")
        assert answer.status_code == 200
        page = text_of(answer)
        assert "figures." not in page, "a word is missing"
        for card in CARDS.values():
            assert card.formula.printed in page, card.id
        assert page.count("合同口径" if locale == "zh" else "contract") == 1
    wrong = await house.boss.open("/figures?from=2026-11-23&until=2026-11-01")
    assert wrong.status_code == 422
    for edge in ("from=9999-12-30&until=9999-12-30", "from=0001-01-02&until=0001-01-05"):
        for path in ("/figures?", "/figures.csv?", "/calls?of=A_T&", "/abandoned.csv?"):
            assert (await house.boss.open(f"{path}{edge}")).status_code == 422, path
    assert (await house.boss.open("/abandoned.csv?from=9999-12-31&until=9999-12-31")).status_code == 422
    assert (await house.boss.open("/calls?of=nobody")).status_code == 422
    agent = await house.door.agent()
    assert (await agent.open("/figures")).status_code == 403
    assert (await agent.client.get("/figures.csv")).status_code == 403
