"""R6: re-score monthly by day 30 (last day in February), re-sort quarterly, keep tier history. After the quarter's run
an outlet's old and new tier, date and score are listed; calls in progress keep the tier they began with."""

import asyncio
import datetime as dt
import html
import re
from argparse import Namespace
from pathlib import Path

import httpx2
import pytest

from config.runtime import Runtime
from ivr import customers as commands
from queues import clockwork
from queues.domain.tiers import start_of
from queues.service import tiers
from queues.web import tiers_page
from tests.doubles import ManualClock
from tests.queues.web.reader import text_of
from tests.requirements.house import House, open_house
from tests.requirements.outlets import outlet, phone

RISING, FALLING = "00000001", "00000005"


def autumn() -> list[dict[str, object]]:
    return [outlet(number, 10 * number, 100 * number) for number in range(1, 6)]


def winter() -> list[dict[str, object]]:
    return [outlet(1, 500, 5000), *(outlet(number, 10, 100) for number in range(2, 6))]


async def clock_turns(house: House) -> None:
    """The clock process comes round once, twice at a time."""
    (chore,) = [each for each in clockwork.own_chores(()) if each.name == "rescore_due"]
    await asyncio.gather(clockwork.do(house.runtime, chore), clockwork.do(house.runtime, chore))


def go_to(house: House, clock: ManualClock, day: str, seconds: int = 0) -> int:
    clock.advance(start_of(house.plan, dt.date.fromisoformat(day)) + seconds * 1000 - clock.now_ms())
    return clock.now_ms()


def moves_on(page: httpx2.Response) -> str:
    section = page.text.partition('<section id="moves"')[2].partition("</section>")[0]
    return text_of(httpx2.Response(200, text=section))


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        (
            "zh",
            [
                "商店1 00000001 C类扶持客户 经营规模小 A类重点客户 经营规模大 12月30日 00:00 0.925926 排名有变",
                "商店5 00000005 A类重点客户 经营规模大 C类扶持客户 经营规模小 12月30日 00:00 0.018519 排名有变",
            ],
        ),
        (
            "en",
            [
                (
                    "商店1 00000001 Class C supported outlet Small Class A key outlet Large"
                    " 30 Dec 00:00 0.925926 The ranking has changed"
                ),
                (
                    "商店5 00000005 Class A key outlet Large Class C supported outlet Small"
                    " 30 Dec 00:00 0.018519 The ranking has changed"
                ),
            ],
        ),
    ],
)
async def test_after_the_quarters_run_old_and_new_tier_date_and_score_are_listed(
    runtime: Runtime, clock: ManualClock, tmp_path: Path, locale: str, lines: list[str]
) -> None:
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "autumn.csv", autumn())
        await clock_turns(house)
        assert (await house.files("tier"))[FALLING] == ("tier_a",)
        await house.import_rows(tmp_path / "winter.csv", winter())
        go_to(house, clock, "2026-11-30")
        await clock_turns(house)
        assert (await house.files("tier"))[FALLING] == ("tier_a",), (
            "a month's end scores, and sorts nobody anew"
        )
        run_ms = go_to(house, clock, "2026-12-30")
        await clock_turns(house)

        (newest,) = await tiers.history_of(house.runtime, await house.id_of(RISING))
        assert (newest.old_tier, newest.new_tier, newest.at_ms) == ("tier_c", "tier_a", run_ms)
        assert (newest.old_band, newest.new_band, newest.reason) == ("3", "1", "ranking")
        assert float(newest.score) == pytest.approx((500 / 540 + 5000 / 5400) / 2)
        boss = await house.enter("boss", "supervisor", locale=locale)
        page = await boss.open("/customers/tiers")
        linked = re.search(r'href="([^"]*sort%3A2026-12-30#moves)"', page.text)
        assert linked is not None, "the run leads to what it changed"
        listed = text_of(await boss.open("/customers/tiers" + linked[1].partition("#")[0]))
        for line in lines:
            assert line in listed
            assert line in text_of(page), "among the latest it is too"
        earlier = "11月23日" if locale == "zh" else "23 Nov"
        assert earlier in moves_on(page)
        assert earlier not in listed.partition(lines[0])[2]


async def test_more_changes_of_tier_than_a_page_holds_are_all_found(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiers_page, "SHOWN", 2)
    async with open_house(runtime, "retail") as house:
        table = [outlet(number, 10 * number, 100 * number) for number in range(1, 13)]
        await house.import_rows(tmp_path / "autumn.csv", table)
        await clock_turns(house)
        steps = await house.rows("tier_history", "customer_id")
        boss = await house.enter("boss", "supervisor")
        page, found = await boss.open("/customers/tiers"), []
        while more := re.search(r'href="(\?run=&amp;moves=[^"#]*)#moves"', page.text):
            found += re.findall(r"商店\d+ (\d{8})", moves_on(page))
            page = await boss.open("/customers/tiers" + html.unescape(more[1]))
        found += re.findall(r"商店\d+ (\d{8})", moves_on(page))
        assert len(found) == len(set(found)) == len(steps) > 2 * 2


@pytest.mark.parametrize(
    ("eve", "due"), [("2026-11-29", "2026-11-30"), ("2027-02-27", "2027-02-28"), ("2028-02-28", "2028-02-29")]
)
async def test_each_month_is_scored_by_its_30th_or_last_day_once(
    runtime: Runtime, clock: ManualClock, tmp_path: Path, eve: str, due: str
) -> None:
    async with open_house(runtime, "retail") as house:
        go_to(house, clock, eve)
        await house.import_rows(tmp_path / "autumn.csv", autumn())
        await clock_turns(house)
        before = {run.run_id for run in await tiers.runs_of(house.runtime)}
        go_to(house, clock, eve, seconds=86_399)
        await clock_turns(house)
        assert {run.run_id for run in await tiers.runs_of(house.runtime)} == before
        scored_ms = go_to(house, clock, due)
        await clock_turns(house)
        await clock_turns(house)
        runs = {run.run_id: run for run in await tiers.runs_of(house.runtime)}
        assert runs.keys() - before == {f"retail:score:{due}"}
        assert runs[f"retail:score:{due}"].scored == 5
        assert {row["scored_ms"] for row in await house.rows("scores", "scored_ms")} == {scored_ms}


async def test_by_hand_from_the_terminal(
    runtime: Runtime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "autumn.csv", autumn())
        capsys.readouterr()
        assert await commands.rescore(house.runtime, Namespace()) == 0
        told = capsys.readouterr().out.splitlines()
        assert [line for line in told if not line.startswith("{")][1:] == [
            "Z: band 1 1, band 2 3, band 3 1",
            "tier_a: 1",
            "tier_b: 3",
            "tier_c: 1",
        ]


async def test_a_call_in_progress_keeps_the_tier_it_began_with(
    runtime: Runtime, clock: ManualClock, tmp_path: Path
) -> None:
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "autumn.csv", autumn())
        await clock_turns(house)
        await house.import_rows(tmp_path / "winter.csv", winter())
        go_to(house, clock, "2026-12-30", seconds=9 * 3600)
        caller, heard = await house.call("CAbefore", phone(5))
        clock.advance(1000)
        await clock_turns(house)
        await caller.press(heard, "0")
        began = await house.facts_of("CAbefore")
        assert (began.state, began.tier) == ("queued", "tier_a")
        await house.call("CAafter", phone(5))
        assert (await house.facts_of("CAafter")).tier == "tier_c"
        await house.write_down()
        recorded = {row["call_id"]: row["tier"] for row in await house.rows("calls", "call_id", "tier")}
        assert recorded == {"CAbefore": "tier_a", "CAafter": "tier_c"}
