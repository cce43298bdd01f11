"""R118: a call from any listed number names the person; notices go to those marked for them."""

import csv
from pathlib import Path

from config.runtime import Runtime
from tests.requirements.command_line import shouwen
from tests.requirements.firms import row
from tests.requirements.house import open_house

PERSONS = "李梅 | 采购经理 | 13700000001 0571-88886666 | 通知；王强 | 值班 | 13700000002；赵磊 | 厂长 || 通知"


async def test_a_call_from_any_listed_number_names_the_person(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        await house.import_rows(tmp_path / "a.csv", [{**row("0001", "8", "0", "no"), "contacts": PERSONS}])
        named = {}
        for number in ("+8613700000001", "+8657188886666", "+8613700000002", "+8613800000001"):
            await house.call(f"CA{number[1:]}", number)
            facts = await house.facts_of(f"CA{number[1:]}")
            assert facts.customer_name == "客户0001"
            named[number] = facts.contact
        assert named == {
            "+8613700000001": "李梅",
            "+8657188886666": "李梅",
            "+8613700000002": "王强",
            "+8613800000001": "",
        }


async def test_notices_go_to_those_who_are_marked_for_them(runtime: Runtime, tmp_path: Path) -> None:
    async with open_house(runtime, "power") as house:
        city = {**row("0001", "8", "0", "no"), "contacts": PERSONS}
        rural = {**row("0002", "8", "0", "no"), "area": "乡村", "contacts": "钱多 | 村长 | 13700000003 | 是"}
        await house.import_rows(tmp_path / "a.csv", [city, rural, row("0003", "8", "0", "no")])
        said = await shouwen(house.runtime, "customers", "notices")
        lines = list(csv.reader(said.out.splitlines()))
        assert [(line[0], line[2], line[3], line[4]) for line in lines[1:]] == [
            ("0001", "李梅", "采购经理", "+8613700000001 +8657188886666"),
            ("0001", "赵磊", "厂长", ""),
            ("0002", "钱多", "村长", "+8613700000003"),
        ]
        said = await shouwen(house.runtime, "customers", "notices", "--area", "rural")
        assert [line[2] for line in csv.reader(said.out.splitlines()[1:])] == ["钱多"]
        assert (await shouwen(house.runtime, "customers", "notices", "--area", "moon")).code == 2
