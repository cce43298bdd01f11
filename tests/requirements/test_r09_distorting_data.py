"""R9: an outlet with purchases on 29 of 30 days is listed as excluded, with the reason, and does not shift the others'
bands."""

from pathlib import Path

from config.runtime import Runtime
from queues.service import tiers
from queues.service.rescoring import rescore_due
from tests.queues.web.reader import text_of
from tests.requirements.house import open_house
from tests.requirements.outlets import outlet

DAILY, GROUP_BUYER = "00000091", "00000092"


async def test_the_excluded_are_listed_and_shift_nobody(runtime: Runtime, tmp_path: Path) -> None:
    honest = [outlet(number, number, 10 * number) for number in range(1, 11)]
    distorting = [
        outlet(91, 10_000, 900_000, purchase_days="29"),
        outlet(92, 50, 500_000, largest_purchase_pct="95"),
    ]
    async with open_house(runtime, "retail") as house:
        await house.import_rows(tmp_path / "honest.csv", honest)
        await rescore_due(house.runtime)
        alone = await house.files("band", "tier")

        await house.import_rows(tmp_path / "more.csv", [*distorting, outlet(93, 5, 50, purchase_days="27")])
        await tiers.rescore(house.runtime)
        report = await tiers.ranking_report(house.runtime)
        assert {each.account_no: each.why["zh"] for each in report.excluded} == {
            DAILY: "几乎每天购货，疑似借卡使用",
            GROUP_BUYER: "单笔购进额异常",
        }
        boss = await house.enter("boss", "supervisor", locale="zh")
        said = text_of(await boss.open("/customers/tiers")).partition("未参加排名")[2]
        assert "商店91 00000091 几乎每天购货，疑似借卡使用" in said
        assert "商店92 00000092 单笔购进额异常" in said
        assert report.bands == {"Z": {"1": 3, "2": 6, "3": 2}}, "11 take part, he of 27 days among them"
        together = await house.files("band", "tier")
        assert together[DAILY] == together[GROUP_BUYER] == (None, "tier_c")

        await house.import_rows(tmp_path / "honest2.csv", [outlet(93, 5, 50, purchase_days="30")])
        await tiers.rescore(house.runtime)
        again = await house.files("band", "tier")
        assert {account: again[account] for account in alone} == alone
