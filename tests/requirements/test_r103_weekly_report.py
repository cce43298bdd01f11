"""R103: the report of Monday to Sunday is ready on Monday before 13:00; a missing one is flagged at 13:00.
R109: its CSV is UTF-8 that a spreadsheet opens, its columns always the same."""

import csv
import io
from collections import Counter
from typing import Any

from structlog.testing import capture_logs

from config.runtime import Runtime
from tests.queues.web.reader import text_of
from tests.requirements.reported import House, open_house, sums_of

WEEK = "week-2026-11-23"
TITLE = "周报 2026年11月23日 至 2026年11月29日"
HEADINGS = [
    "报告",
    "起日",
    "止日",
    "类别",
    "范围",
    "指标",
    "数值",
    "更正后",
    "单位",
    "目标",
    "公式",
    "口径版本",
]
DAYS = [f"2026-11-{day}" for day in range(23, 30)]


async def test_a_week_without_a_clock_process_is_flagged_and_then_made_up_for(runtime: Runtime) -> None:
    async with open_house(runtime) as house:
        boss = await house.door.enter("boss", "supervisor")
        assert "还没有报告" in text_of(await boss.open("/reports"))
        await house.clock_turns()  # and then there is no clock process for a week
        for n, day in enumerate(DAYS):
            await house.write_down()
            house.go_to(day, "09:30")
            await house.call(f"CA{n}", 7 * n, is_answered=n != 3)
        house.go_to("2026-11-30", "12:59")
        assert f"{TITLE}：应在" not in text_of(await boss.open("/reports"))
        house.go_to("2026-11-30", "13:00")
        flagged = text_of(await boss.open("/reports"))
        assert f"{TITLE}：应在 11月30日 13:00 前生成，至今没有" in flagged
        assert "日报 2026年11月24日：应在 11月25日 08:30" in flagged
        health = text_of(await boss.open("/health"))
        assert f"{WEEK} 缺少 应在 2026年11月30日 13:00:00 前生成" in health

        await expect_what_is_unread_to_be_waited_for(house)
        await house.write_down()
        await house.clock_turns(2)
        assert await house.made() == [*(f"day-{day}" for day in DAYS), WEEK], "the oldest first"
        week = await house.row(WEEK)
        assert week["made_ms"] >= week["due_ms"]
        page = text_of(await boss.open(f"/reports/{WEEK}"))
        assert TITLE in page
        assert "迟于规定时间" in page
        assert "缺少的报告" not in text_of(await boss.open("/reports"))
        assert "到期的报告都在" in text_of(await boss.open("/health"))
        days = [Counter(sums_of(await house.document(f"day-{day}"))[""]) for day in DAYS]
        assert sum(days, Counter[str]()) == Counter(sums_of(await house.document(WEEK))[""])
        await expect_a_table_for_spreadsheets(boss)
        agent = await house.door.agent()
        for path in ("/reports", f"/reports/{WEEK}", f"/reports/{WEEK}.csv"):
            assert (await agent.open(path)).status_code == 403
        assert (await boss.open("/reports/week-2026-11-30")).status_code == 404, "it runs"


async def expect_what_is_unread_to_be_waited_for(house: House) -> None:
    """The scribe has not read Sunday: neither that day nor the week is told, and this is told once."""
    with capture_logs() as told:
        await house.clock_turns(2)
    assert await house.made() == [f"day-{day}" for day in DAYS[:-1]]
    missing = [line["report_id"] for line in told if line["event"] == "report.missing"]
    assert sorted(missing) == [f"day-{DAYS[-1]}", WEEK]


async def expect_a_table_for_spreadsheets(boss: Any) -> None:
    answer = await boss.client.get(f"/reports/{WEEK}.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf"), "by this Excel knows that it is UTF-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == HEADINGS
    assert {len(row) for row in rows} == {len(HEADINGS)}
    told = {(row[4], row[5]): row[6] for row in rows[1:] if row[3] in ("全部", "队列")}
    assert (told["全部", "全部来电"], told["综合服务", "人工接起"]) == ("7", "6")
    assert told["全部", "服务水平 F5（不计短放弃）"]
