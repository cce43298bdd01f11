"""R105: the ranking uses the mean of the three monthly scores, and ties share a rank."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from sqlalchemy import update

from config import site_files
from config.runtime import Runtime
from queues.domain.report_document import values_of
from queues.domain.reports import changes, mean_of, rank
from queues.domain.scores import Judged, Why
from queues.service import reporting
from queues.service.people import Agent, save_agents
from queues.service.plans import plan_of
from queues.store.reports import reports
from queues.store.scores import Month, put
from tests.queues.web.reader import text_of
from tests.requirements.reported import HOUR_MS, House, open_house
from tests.requirements.test_r102_daily_report import come_late

QUARTER = "quarter-2026-10-01"
# 赵 was there for two months only.
POINTS = {
    "wang": ("100", "95", "90"),
    "chen": ("80", "90", "100"),
    "li": ("90", "90", "90"),
    "zhao": (None, "59.9", "60.1"),
}
NAMES = {"wang": "王敏", "chen": "陈红", "li": "李静", "zhao": "赵刚"}


def at_quarters_alone(runtime: Runtime, folder: Path) -> Runtime:
    """The power hotline, if it had reports of quarters and no others."""
    shutil.copytree(runtime.settings.sites_dir / "power", folder / "power")
    path = folder / "power" / "quality.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("reports:\n", "reports:\n  kinds: [quarter]\n"), "utf-8")
    settings = replace(runtime.settings, sites_dir=folder)
    return replace(runtime, settings=settings, site_files=site_files.read(folder / "power"))


async def keep_month(house: House, place: int, points: Mapping[str, str | None], revision: int = 1) -> None:
    """As the clock process keeps the points of a month."""
    month = Month(month=f"2026-{10 + place}", revision=revision, made_ms=1, is_open=False, rules="{}")
    rows = {}
    for agent_id, text in points.items():
        part = Judged(
            figure="aht",
            value=Decimal(1),
            target=Decimal(1),
            floor=Decimal(2),
            points=100,
            earned=None if text is None else Decimal(text),
            why=Why.NO_DATA if text is None else Why.BETWEEN,
        )
        rows[agent_id] = (text, {"pass_mark": 60, "parts": [part.as_json()], "figures": {}})
    async with house.runtime.database.transaction() as connection:
        assert await put(connection, house.runtime.settings.site, month, rows)


async def test_the_quarter_ranks_by_the_mean_of_three_months(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(at_quarters_alone(runtime, tmp_path)) as house:
        people = [
            Agent(agent_id=each, name=name, skills=("general",), endpoint="") for each, name in NAMES.items()
        ]
        await save_agents(house.runtime, people)
        # So nobody has points of December.
        assert await house.hotline.switchboard.set_presence(agent_id="wang", presence="signed_out") == "ok"
        await house.clock_turns()
        for place in range(2):
            await keep_month(house, place, {who: told[place] for who, told in POINTS.items()})
        house.go_to("2027-01-02", "02:00")
        await house.write_down()
        await reporting.make_reports(house.runtime)
        assert await house.made() == [], "December's points are not there yet"
        await keep_month(house, 2, {who: told[2] for who, told in POINTS.items()})
        await house.clock_turns()
        assert await house.made() == [QUARTER]
        told = (await house.document(QUARTER))["ranking"]
        assert told["months"] == ["2026-10", "2026-11", "2026-12"]
        assert [(each["rank"], each["agent_id"], each["mean"]) for each in told["rows"]] == [
            (1, "wang", 95.0),
            (2, "chen", 90.0),
            (2, "li", 90.0),
            (4, "zhao", 60.0),
        ]
        boss = await house.door.enter("boss", "supervisor")
        page = text_of(await boss.open(f"/reports/{QUARTER}"))
        assert "季报 2026年第4季度" in page
        assert "1 王敏 100.00 95.00 90.00 95.00 2 陈红" in page
        assert "4 赵刚 – 59.90 60.10 60.00" in page
        assert (
            "座席排名,李静,平均分: 第 2 名,90.00" in (await boss.client.get(f"/reports/{QUARTER}.csv")).text
        )


async def test_a_quarter_that_began_by_another_zone_is_made(runtime: Runtime, tmp_path: Path) -> None:
    """It was planted while the site said UTC; figures of months are by the zone in force."""
    async with open_house(at_quarters_alone(runtime, tmp_path)) as house:
        await house.clock_turns()
        span = {name: reports.c[name] + 8 * HOUR_MS for name in ("from_ms", "until_ms")}
        async with runtime.database.transaction() as connection:
            await connection.execute(update(reports).values(**span))
        await house.call("CA1")
        house.go_to("2027-01-01", "03:00")
        await house.call("CA2")
        await house.write_down()
        house.go_to("2027-01-03", "12:00")
        await house.clock_turns()
        assert await house.made() == [QUARTER]
        (whole,) = [each for each in (await house.document(QUARTER))["months"] if each["by"] == "all"]
        assert [(each["month"], each["arrived"]) for each in whole["months"]] == [
            ("2026-10", 0),
            ("2026-11", 1),
            ("2026-12", 0),
        ]


async def test_after_an_outage_the_points_come_before_the_ranking(runtime: Runtime, tmp_path: Path) -> None:
    """No clock process ran when the quarter was due: whoever makes it first makes the points of its last month."""
    async with open_house(at_quarters_alone(runtime, tmp_path)) as house:
        await house.clock_turns()
        for place in range(2):
            await keep_month(house, place, {"wang": POINTS["wang"][place]})
        house.go_to("2026-12-10", "09:00")
        await house.call("CA1")
        await house.write_down()
        house.go_to("2027-02-05", "09:00")
        await house.write_down()
        await house.clock_turns()
        assert await house.made() == [QUARTER]
        (row,) = (await house.document(QUARTER))["ranking"]["rows"]
        assert row["agent_id"] == "wang"
        assert row["months"][:2] == [100.0, 95.0]
        assert row["months"][2] is not None


async def test_months_and_ranking_of_a_kept_quarter_are_corrected(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(at_quarters_alone(runtime, tmp_path)) as house:
        await house.clock_turns()
        await house.call("CA1")
        await house.write_down()
        for place in range(3):
            await keep_month(house, place, {"wang": "90", "li": "80"})
        house.go_to("2027-01-02", "02:00")
        await house.clock_turns(2)
        assert await house.made() == [QUARTER]
        first = await house.row(QUARTER)
        await come_late(house, first["from_ms"] + 30 * 24 * HOUR_MS)
        await house.clock_turns(2)
        await keep_month(house, 2, {"wang": "30", "li": "80"}, revision=2)
        await house.clock_turns(2)
        assert await house.clock_turns() == 0
        says, document = await house.now_says(QUARTER), await house.document(QUARTER)
        assert says["all:", "month:2026-10:arrived"] == 1
        assert says["agent:wang", "ranked:mean"] == 70.0
        found = await reporting.kept(runtime, QUARTER)
        assert found is not None
        assert len(found[2]) == 2, "the call that came late, and the points"
        fresh = await reporting.compose(runtime, plan_of(runtime), found[0])
        assert changes(says, values_of(fresh)) == []
        assert document["ranking"]["rows"][0]["mean"] == 90.0, "the document stays as it is"
        boss = await house.door.enter("boss", "supervisor")
        page = text_of(await boss.open(f"/reports/{QUARTER}"))
        assert "座席排名: 平均分：90.00 → 70.00" in page
        assert "座席排名: 名次：1 → 2" in page
        assert "2026-10 全部来电：0 → 1" in page
        table = (await boss.client.get(f"/reports/{QUARTER}.csv")).text
        assert "平均分: 第 1 名,90.00,70.00" in table


def test_means_that_are_shown_alike_are_alike() -> None:
    ranked = rank({"a": 90.001, "b": 90.004, "c": 89.99})
    assert [(each.rank, each.who) for each in ranked] == [(1, "a"), (1, "b"), (3, "c")]
    assert mean_of([]) is None
